//go:build race

package portal_test

// slowdown is what limits of time are multiplied by: the race detector makes everything slower.
const slowdown = 10
