package expr

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
)

// random is the source of the next random value of an evaluation: what each value is depends on its place among them only.
func (c call) random(purpose string) io.Reader {
	c.env.state.draws++
	purpose = fmt.Sprintf("expression %s %d", purpose, c.env.state.draws)
	if c.env.Rand != nil {
		return c.env.Rand(purpose)
	}
	return &stream{purpose: purpose}
}

// stream is an endless stream of bytes that a purpose alone determines.
type stream struct {
	purpose string
	block   uint64
	left    []byte
}

// Read fills p.
func (s *stream) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		if len(s.left) == 0 {
			sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.purpose), s.block))
			s.block++
			s.left = sum[:]
		}
		took := copy(p[n:], s.left)
		n, s.left = n+took, s.left[took:]
	}
	return len(p), nil
}

func guid(c call) (Value, *Error) {
	id, err := uuid.NewRandomFromReader(c.random("Guid"))
	if err != nil {
		return Null, &Error{cause: err}
	}
	return String(id.String()), nil
}

// The classes of RandomString, the special characters being those of Windows' rule for complex passwords.
var classes = [...]struct{ name, characters string }{
	{"minNumbers", "0123456789"},
	{"minSpecial", "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"},
	{"minCapital", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"minLowerCase", "abcdefghijklmnopqrstuvwxyz"},
}

// maxRandom is the length that RandomString can give.
const maxRandom = 256

// randomString draws the minimum of each class, then the rest from the classes that are wanted at all (all of them when
// none is), and shuffles.
func randomString(c call) (Value, *Error) {
	length, bad := c.integer(0)
	if bad != nil {
		return Null, bad
	}
	if length < 0 || length > maxRandom {
		return Null, c.failAt(0, ErrRange, "length is %d; expected 0 to %d", length, maxRandom)
	}
	avoid := c.text(5)
	usable := make([]string, len(classes))
	wanted, all, sum := "", "", int64(0)
	least := make([]int64, len(classes))
	for i, class := range classes {
		if least[i], bad = c.integer(i + 1); bad != nil {
			return Null, bad
		}
		if least[i] < 0 || least[i] > maxRandom {
			return Null, c.failAt(i+1, ErrRange, "%s is %d; expected 0 to %d", class.name, least[i], maxRandom)
		}
		sum += least[i]
		usable[i] = strings.Map(func(r rune) rune {
			if strings.ContainsRune(avoid, r) {
				return -1
			}
			return r
		}, class.characters)
		all += usable[i]
		if least[i] > 0 {
			wanted += usable[i]
			if usable[i] == "" {
				return Null, c.failAt(5, ErrRange, "charactersToAvoid leaves no character for %s", class.name)
			}
		}
	}
	if wanted == "" {
		wanted = all
	}
	switch {
	case sum > length:
		return Null, c.failAt(0, ErrRange, "length is %d; the minima add up to %d", length, sum)
	case wanted == "" && length > 0:
		return Null, c.failAt(5, ErrRange, "charactersToAvoid leaves no character")
	}
	d := dice{from: c.random("RandomString")}
	out := make([]byte, 0, length)
	for i, class := range usable {
		for range least[i] {
			out = append(out, class[d.below(len(class))])
		}
	}
	for int64(len(out)) < length {
		out = append(out, wanted[d.below(len(wanted))])
	}
	for i := len(out) - 1; i > 0; i-- {
		k := d.below(i + 1)
		out[i], out[k] = out[k], out[i]
	}
	if d.err != nil {
		return Null, &Error{cause: d.err}
	}
	return String(string(out)), nil
}

// dice draws numbers that are equally likely from a stream of bytes. It keeps the first error and draws 0 from then on.
type dice struct {
	from io.Reader
	err  error
}

// below draws a number from 0 to n-1, n being at most 256.
func (d *dice) below(n int) int {
	for d.err == nil {
		var b [1]byte
		if _, d.err = io.ReadFull(d.from, b[:]); d.err == nil && int(b[0]) < 256/n*n {
			return int(b[0]) % n
		}
	}
	return 0
}
