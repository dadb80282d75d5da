package sim

import (
	"bytes"
	"io"
	"testing"
)

// The bytes of chance are spread over all values, as those who draw from them assume, and follow from what they are for alone.
func TestChance(t *testing.T) {
	const size = 1 << 16
	draw := func(seed int64, purpose string, owner ...any) []byte {
		b := make([]byte, size)
		if _, err := io.ReadFull(chance(seed, purpose, owner...), b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := draw(1, "expression Guid 1", "job", "user")
	var seen [256]int
	for _, b := range first {
		seen[b]++
	}
	for value, n := range seen {
		if n < size/512 || n > size/128 {
			t.Errorf("the byte %#x occurs %d times in %d", value, n, size)
		}
	}
	if !bytes.Equal(first, draw(1, "expression Guid 1", "job", "user")) {
		t.Error("the same purpose gives other bytes")
	}
	small := make([]byte, 0, size)
	for r, b := chance(1, "expression Guid 1", "job", "user"), make([]byte, 7); len(small) < size; {
		n, err := r.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		small = append(small, b[:n]...)
	}
	if !bytes.Equal(first, small[:size]) {
		t.Error("bytes that are read in small pieces are others")
	}
	for name, other := range map[string][]byte{"seed": draw(2, "expression Guid 1", "job", "user"), "purpose": draw(1, "expression Guid 2", "job", "user"),
		"owner": draw(1, "expression Guid 1", "job", "other")} {
		if bytes.Equal(first[:16], other[:16]) {
			t.Errorf("another %s gives the same bytes", name)
		}
	}
}
