package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/google/uuid"
)

// guid derives a random-looking GUID from the seed, its purpose and its owner: the same arguments give the same value,
// whatever else drew a random value before, so that traces are reproducible and values survive a restart.
func guid(seed int64, purpose string, owner ...any) string {
	var id uuid.UUID
	copy(id[:], digest(seed, purpose, owner))
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// digest is what every random value is made of.
func digest(seed int64, purpose string, owner []any) []byte {
	h := sha256.New()
	var s [8]byte
	binary.BigEndian.PutUint64(s[:], uint64(seed))
	h.Write(s[:])
	fmt.Fprintf(h, "%s", purpose)
	for _, o := range owner {
		fmt.Fprintf(h, "\x00%v", o)
	}
	return h.Sum(nil)
}

// chance is a reproducible source of random bytes for one purpose and owner.
func chance(seed int64, purpose string, owner ...any) io.Reader {
	return &stream{seed: seed, purpose: purpose, owner: owner}
}

type stream struct {
	seed    int64
	purpose string
	owner   []any
	n       int
	rest    []byte
}

func (r *stream) Read(p []byte) (int, error) {
	for i := range p {
		if len(r.rest) == 0 {
			r.rest = digest(r.seed, fmt.Sprint(r.purpose, " ", r.n), r.owner)
			r.n++
		}
		p[i], r.rest = r.rest[0], r.rest[1:]
	}
	return len(p), nil
}
