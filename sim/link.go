package sim

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o link_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:timezone utc
//msgp:ignore edge
//msgp:replace directory.Kind with:byte

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// LinkState is what a job thinks of an object that it linked (manage-object-connections.md, how-provisioning-works.md).
type LinkState string

// The states of a link.
const (
	LinkActive    LinkState = "active"    // in scope
	LinkDisabled  LinkState = "disabled"  // blocked or soft-deleted in the directory; a purge still deletes
	LinkUnmanaged LinkState = "unmanaged" // left scope and was dealt with; nothing is sent until it comes back
)

// Link joins an object of the directory with the one that stands for it at the target.
type Link struct {
	Num     uint64         `json:"-"`
	Kind    directory.Kind `json:"k"`
	ID      string         `json:"id,omitempty"` // of the object in the directory, which may forget it before the link goes
	Name    string         `json:"n,omitempty"`  // display name, as it was when the link last changed otherwise
	Target  string         `json:"t"`            // id at the target
	State   LinkState      `json:"s"`            //
	Created bool           `json:"c,omitempty"`  // made by this job, rather than found by matching
	Since   time.Time      `json:"at"`           // when the link was made
	Cycle   int            `json:"cy,omitempty"` // the cycle that made the link
	Manager uint64         `json:"m,omitempty"`  // manager last exported
	Away    bool           `json:"w,omitempty"`  // left out for now: an expression said so, or an input filter
	Untold  string         `json:"ut,omitempty"` // it left scope and the target was not told: the rule that says why
	Unsure  unsure         `json:"u,omitempty"`  // what was sent last without an answer that says whether the target followed
}

// unsure is a write whose outcome is not known, and after which the target may stand otherwise than the link says.
type unsure string

const (
	unsureDelete unsure = "DELETE" // the object may be gone
	unsureWake   unsure = "PATCH"  // an object out of management may be active again
)

// forgotten is what stands for an object that the directory purged and no longer knows: the link outlives the tombstone
// when the target refused the DELETE for long, or when the job stood still.
func (l *Link) forgotten() source {
	return source{Object: directory.Object{Num: l.Num, Kind: l.Kind, ID: l.ID, DisplayName: l.Name, State: directory.Purged}}
}

// active reports whether changes of the object's references are sent.
func (l *Link) active() bool { return l != nil && l.State == LinkActive && !l.Away }

// createdIn reports whether this service made the target object, in the cycle given.
func (l *Link) createdIn(cycle int) bool { return l != nil && l.Created && l.Cycle == cycle }

// Managed reports whether a permanent deletion is carried to the target.
func (l *Link) Managed() bool { return l.State != LinkUnmanaged }

func getLink(b *bbolt.Bucket, n uint64) (*Link, error) {
	data := b.Bucket(bucketLinks).Get(key(n))
	if data == nil {
		return nil, nil
	}
	l := &Link{Num: n}
	if err := directory.Decode(data, l); err != nil {
		return nil, fmt.Errorf("data file: link of object %d: %w", n, err)
	}
	return l, nil
}

// putLink stores a link. One that stands there already is not written again, nor is one that only has another name: links of
// objects that change lie scattered over the file, and each costs a page.
func putLink(b *bbolt.Bucket, l *Link, fresh bool) error {
	if !fresh {
		old, err := getLink(b, l.Num)
		if err != nil {
			return err
		}
		if old != nil {
			old.Name = l.Name
			if *old == *l {
				return nil
			}
		}
	}
	if err := b.Bucket(bucketAnchors).Put(anchorKey(l.Kind, l.Target), key(l.Num)); err != nil {
		return err
	}
	return putValue(b.Bucket(bucketLinks), key(l.Num), l)
}

// dropLink removes the link of n and, without a request, the memberships that the target was told of it.
func dropLink(b *bbolt.Bucket, n uint64) error {
	l, err := getLink(b, n)
	if err != nil || l == nil {
		return err
	}
	anchor := anchorKey(l.Kind, l.Target)
	if num(b.Bucket(bucketAnchors).Get(anchor)) == n {
		if err := b.Bucket(bucketAnchors).Delete(anchor); err != nil {
			return err
		}
	}
	if err := dropEdges(b, n, l.Kind); err != nil {
		return err
	}
	if err := b.Bucket(bucketAgain).Delete(key(n)); err != nil {
		return err
	}
	return b.Bucket(bucketLinks).Delete(key(n))
}

// anchorOwner returns the object that is linked to a target id, 0 when none is.
func anchorOwner(b *bbolt.Bucket, kind directory.Kind, target string) uint64 {
	return num(b.Bucket(bucketAnchors).Get(anchorKey(kind, target)))
}

// An edge is a membership that the target was told, or may have been told.
type edge struct{ Group, Member uint64 }

// maybeTold stands in an edge for the cycle: the membership was sent or taken back, and no answer says whether the target
// followed. It is sent again while the member belongs to the group, and taken back when it no longer does: a target bears
// both.
const maybeTold = 0

func putEdge(b *bbolt.Bucket, e edge, cycle int) error {
	if err := b.Bucket(bucketEdges).Put(key(e.Group, e.Member), key(uint64(cycle))); err != nil {
		return err
	}
	return b.Bucket(bucketMemberships).Put(key(e.Member, e.Group), nil)
}

func dropEdge(b *bbolt.Bucket, e edge) error {
	if err := b.Bucket(bucketEdges).Delete(key(e.Group, e.Member)); err != nil {
		return err
	}
	return b.Bucket(bucketMemberships).Delete(key(e.Member, e.Group))
}

// knownIn returns the cycle in which the target was told of a membership, or maybeTold; known is false when it was not.
func knownIn(b *bbolt.Bucket, e edge) (cycle int, known bool) {
	v := b.Bucket(bucketEdges).Get(key(e.Group, e.Member))
	return int(num(v)), v != nil
}

// knownMembers lists the members that the target was, or may have been, told of a group, by number.
func knownMembers(b *bbolt.Bucket, group uint64) []uint64 {
	var members []uint64
	eachPair(b.Bucket(bucketEdges), group, func(member uint64) { members = append(members, member) })
	return members
}

func dropEdges(b *bbolt.Bucket, n uint64, kind directory.Kind) error {
	var edges []edge
	if kind == directory.KindGroup {
		eachPair(b.Bucket(bucketEdges), n, func(m uint64) { edges = append(edges, edge{n, m}) })
	}
	eachPair(b.Bucket(bucketMemberships), n, func(g uint64) { edges = append(edges, edge{g, n}) })
	for _, e := range edges {
		if err := dropEdge(b, e); err != nil {
			return err
		}
	}
	return nil
}

// eachPair calls f with the second number of each key that begins with the first.
func eachPair(b *bbolt.Bucket, first uint64, f func(second uint64)) {
	c := b.Cursor()
	prefix := key(first)
	for k, _ := c.Seek(prefix); len(k) == 16 && num(k) == first; k, _ = c.Next() {
		f(num(k[8:]))
	}
}
