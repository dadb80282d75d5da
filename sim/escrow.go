package sim

import (
	"time"

	"go.etcd.io/bbolt"
)

// EscrowKind says what failed.
type EscrowKind string

// The kinds of an escrow. Failed references count apart from failed objects
// (application-provisioning-quarantine-status.md).
const (
	EscrowObject  EscrowKind = "object"
	EscrowManager EscrowKind = "manager"
	EscrowMember  EscrowKind = "member"
)

var escrowByte = map[EscrowKind]byte{EscrowObject: 'o', EscrowManager: 'm', EscrowMember: 'r'}

// Escrow is an operation that failed and waits for its retry; the change itself is computed anew then.
type Escrow struct {
	Kind     EscrowKind `json:"-"`
	Num      uint64     `json:"-"`           // the object, or the group of a membership
	Other    uint64     `json:"-"`           // the member of a membership
	Code     string     `json:"code"`        // error code of the last try
	Message  string     `json:"message"`     //
	First    time.Time  `json:"first"`       // when it failed first
	Last     time.Time  `json:"last"`        // when it failed last
	Attempts int        `json:"n"`           // tries so far, the first one included
	Due      time.Time  `json:"due"`         // a cycle that begins at or after it tries again
	Cycle    int        `json:"c,omitempty"` // the cycle of the last try
}

// escrowKey names an escrow.
type escrowKey struct {
	kind       EscrowKind
	num, other uint64
}

func (k escrowKey) bytes() []byte {
	return append([]byte{escrowByte[k.kind]}, key(k.num, k.other)...)
}

func parseEscrowKey(k []byte) escrowKey {
	if len(k) != 17 {
		return escrowKey{}
	}
	e := escrowKey{num: num(k[1:]), other: num(k[9:])}
	for kind, b := range escrowByte {
		if b == k[0] {
			e.kind = kind
		}
	}
	return e
}

// retryDelay is how long after its n-th retry an escrow waits: 40 minutes doubled each time, at most a day. The first
// retry comes with the next cycle. The steps are unpublished (how-provisioning-works.md speaks of gradually falling
// frequency), so that they stand here alone.
func retryDelay(retries int) time.Duration {
	if retries <= 0 {
		return 0
	}
	if retries > 5 {
		return 24 * time.Hour
	}
	return min(40*time.Minute<<retries, 24*time.Hour)
}

func getEscrow(b *bbolt.Bucket, k escrowKey) (*Escrow, error) {
	e := &Escrow{Kind: k.kind, Num: k.num, Other: k.other}
	ok, err := getValue(b.Bucket(bucketEscrows), k.bytes(), e)
	if err != nil || !ok {
		return nil, err
	}
	return e, nil
}

// putFailure records one more failed try of k and returns the escrow.
func putFailure(b *bbolt.Bucket, k escrowKey, now time.Time, cycle int, code, message string) (*Escrow, error) {
	e, err := getEscrow(b, k)
	if err != nil {
		return nil, err
	}
	if e == nil {
		e = &Escrow{Kind: k.kind, Num: k.num, Other: k.other, First: now}
	} else if err := b.Bucket(bucketDue).Delete(dueKey(e.Due, k)); err != nil {
		return nil, err
	}
	e.Attempts++
	e.Code, e.Message, e.Last, e.Cycle = code, message, now, cycle
	e.Due = now.Add(retryDelay(e.Attempts - 1))
	if err := putValue(b.Bucket(bucketEscrows), k.bytes(), e); err != nil {
		return nil, err
	}
	return e, b.Bucket(bucketDue).Put(dueKey(e.Due, k), nil)
}

func dueKey(due time.Time, k escrowKey) []byte { return append(key(timeKey(due)), k.bytes()...) }

// dropEscrow removes an escrow and reports whether there was one.
func dropEscrow(b *bbolt.Bucket, k escrowKey) (bool, error) {
	e, err := getEscrow(b, k)
	if err != nil || e == nil {
		return false, err
	}
	if err := b.Bucket(bucketDue).Delete(dueKey(e.Due, k)); err != nil {
		return true, err
	}
	return true, b.Bucket(bucketEscrows).Delete(k.bytes())
}

// dueEscrows lists what a cycle that begins now retries, at a cost that follows its length.
func dueEscrows(b *bbolt.Bucket, now time.Time) []escrowKey {
	var due []escrowKey
	c := b.Bucket(bucketDue).Cursor()
	for k, _ := c.First(); k != nil && num(k) <= timeKey(now); k, _ = c.Next() {
		due = append(due, parseEscrowKey(k[8:]))
	}
	return due
}
