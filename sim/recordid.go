package sim

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// recordIDs turns the number of a log record into a GUID and back. The GUID is the number, enciphered, between bits that
// follow from it, so that the log needs no index of its ids and nobody reads an order into them.
type recordIDs struct{ block cipher.Block }

func newRecordIDs(seed int64) (recordIDs, error) {
	k := uuid.MustParse(guid(seed, "record", 0))
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return recordIDs{}, fmt.Errorf("ids of log records: %w", err)
	}
	return recordIDs{block}, nil
}

// mix is a pseudo-random function of a number and a purpose.
func (r recordIDs) mix(purpose byte, n uint64) uint64 {
	var b [aes.BlockSize]byte
	b[0] = purpose
	binary.BigEndian.PutUint64(b[8:], n)
	r.block.Encrypt(b[:], b[:])
	return binary.BigEndian.Uint64(b[:])
}

const rounds = 4 // of a Feistel network over two halves of 32 bits

func (r recordIDs) id(n uint64) string {
	left, right := uint32(n>>32), uint32(n)
	for i := range byte(rounds) {
		left, right = right, left^uint32(r.mix(i, uint64(right)))
	}
	return r.guid(uint64(left)<<32 | uint64(right)).String()
}

// guid spreads an enciphered number over a GUID of version 4: bytes 14, 15 and 0 to 5.
func (r recordIDs) guid(x uint64) (u uuid.UUID) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], x)
	copy(u[14:], b[:2])
	copy(u[:6], b[2:])
	binary.BigEndian.PutUint64(u[6:14], r.mix(rounds, x))
	u[6] = 0x40 | u[6]&0x0f
	u[8] = 0x80 | u[8]&0x3f
	return u
}

// number returns the number that an id stands for; ok is false for an id that stands for none.
func (r recordIDs) number(id string) (n uint64, ok bool) {
	u, err := uuid.Parse(id)
	if err != nil {
		return 0, false
	}
	var b [8]byte
	copy(b[2:], u[:6])
	copy(b[:2], u[14:])
	x := binary.BigEndian.Uint64(b[:])
	if r.guid(x) != u {
		return 0, false
	}
	left, right := uint32(x>>32), uint32(x)
	for i := rounds - 1; i >= 0; i-- {
		left, right = right^uint32(r.mix(byte(i), uint64(left))), left
	}
	return uint64(left)<<32 | uint64(right), true
}
