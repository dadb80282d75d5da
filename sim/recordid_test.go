package sim

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// Each record number has one id, of the shape of a random GUID, and leads back to it; other GUIDs lead nowhere.
func TestRecordIDs(t *testing.T) {
	ids, err := newRecordIDs(7)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "number")
		id := ids.id(n)
		if u := uuid.MustParse(id); u.Version() != 4 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is version %d, variant %v", id, u.Version(), u.Variant())
		}
		if got, ok := ids.number(id); !ok || got != n {
			t.Fatalf("%s leads to %d, %v; want %d", id, got, ok, n)
		}
		u := uuid.MustParse(id)
		u[rapid.IntRange(0, 15).Draw(t, "byte")] ^= 1
		if got, ok := ids.number(u.String()); ok {
			t.Fatalf("%s leads to %d", u, got)
		}
	})
}
