package sim

import (
	"bytes"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/sim/scim"
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
	Attempts int        `json:"n"`           // tries so far, the first one included; 0: its turn did not come yet
	Due      time.Time  `json:"due"`         // a cycle that begins at or after it tries again
	Cycle    int        `json:"c,omitempty"` // the cycle of the last try
	Pairs    int        `json:"p,omitempty"` // tries in a row that found no match, and whose POST was a conflict
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

// retryDelay is how long after its n-th retry an escrow waits: 40 minutes doubled each time, at most a day, unless the job
// says otherwise. The first retry comes with the next cycle. The steps are unpublished (how-provisioning-works.md speaks of
// gradually falling frequency).
func (l Limits) retryDelay(retries int) time.Duration {
	if retries <= 0 {
		return 0
	}
	d := l.RetryFirst
	for ; retries > 0 && d < l.RetryLongest; retries-- {
		d *= 2
	}
	return min(d, l.RetryLongest)
}

func getEscrow(b *bbolt.Bucket, k escrowKey) (*Escrow, error) {
	e := &Escrow{Kind: k.kind, Num: k.num, Other: k.other}
	ok, err := getValue(b.Bucket(bucketEscrows), k.bytes(), e)
	if err != nil || !ok {
		return nil, err
	}
	return e, nil
}

// putEscrow records that k failed once more, or, when it was not tried, that it waits: behind another failure of its
// object, or for an object that it refers to. Waiting costs no attempt: such an escrow is due in the next cycle. fresh is
// true when there was none before.
func putEscrow(b *bbolt.Bucket, k escrowKey, now time.Time, cycle int, f *failure, tried bool, limits Limits) (fresh bool, err error) {
	e, err := getEscrow(b, k)
	switch {
	case err != nil:
		return false, err
	case e == nil:
		e, fresh = &Escrow{Kind: k.kind, Num: k.num, Other: k.other, First: now}, true
	case !tried && e.Code == f.Code && !e.Due.After(now):
		return false, nil
	default:
		if err := b.Bucket(bucketDue).Delete(dueKey(e.Due, k)); err != nil {
			return false, err
		}
	}
	e.Due = now
	if tried {
		e.Attempts++
		e.Due = now.Add(limits.retryDelay(e.Attempts - 1))
		if e.Pairs++; !f.pair {
			e.Pairs = 0
		}
	}
	e.Code, e.Message, e.Last, e.Cycle = f.Code, scim.WithDetail(f.Message, f.Detail), now, cycle
	if err := putValue(b.Bucket(bucketEscrows), k.bytes(), e); err != nil {
		return fresh, err
	}
	return fresh, b.Bucket(bucketDue).Put(dueKey(e.Due, k), nil)
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

// escrowsOf lists the escrows of a kind that belong to one object: its manager's, or those of a group's memberships.
func escrowsOf(b *bbolt.Bucket, kind EscrowKind, n uint64) []escrowKey {
	var list []escrowKey
	prefix := escrowKey{kind, n, 0}.bytes()
	c := b.Bucket(bucketEscrows).Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix[:9]); k, _ = c.Next() {
		list = append(list, parseEscrowKey(k))
	}
	return list
}

// owing says how an object's references are still to be looked at: its manager, or all members of the group. An object
// owes when its link was made, or became active again, in an incremental cycle, which looks only at what changed; and when
// a failure of the object itself kept its references back. It is settled in the second pass of the first cycle that gets
// that far without such a failure.
type owing byte

const (
	owesUntold owing = 'u' // members that the target was not told are added
	owesAll    owing = 'a' // all members are, as in an initial cycle
	// owesSearch is of another kind: the object has no link, but a create of it was sent, and no answer says whether the
	// target followed. When it leaves scope before the next try it is looked for, to be switched off.
	owesSearch owing = 'c'
)

// owes returns what an object owes, 0 for nothing.
func owes(b *bbolt.Bucket, n uint64) owing {
	if v := b.Bucket(bucketOwed).Get(key(n)); len(v) == 1 {
		return owing(v[0])
	}
	return 0
}

// owe makes an object owe, at least as much as it does already; fresh is true when it did not.
func owe(b *bbolt.Bucket, n uint64, how owing) (fresh bool, err error) {
	before := owes(b, n)
	if before == how || before == owesAll && how == owesUntold {
		return false, nil
	}
	return before == 0, b.Bucket(bucketOwed).Put(key(n), []byte{byte(how)})
}
