//go:build !race

package portal_test

// slowdown is what limits of time are multiplied by.
const slowdown = 1
