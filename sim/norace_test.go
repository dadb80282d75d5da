//go:build !race

package sim

// slowdown is what limits of time are multiplied by.
const slowdown = 1
