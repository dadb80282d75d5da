package directory

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"go.etcd.io/bbolt"
)

// change is one entry of the feed. Short names: a directory writes many.
type change struct {
	Time    int64    `json:"t"`           // unix nanoseconds
	Op      string   `json:"o"`           // c created, u updated, d soft-deleted, r restored, p purged, +/- membership, a/x assignment
	Kind    Kind     `json:"k"`           // of the object, or of the assigned principal
	Num     uint64   `json:"n"`           // object, group or service principal
	Other   uint64   `json:"m,omitempty"` // member, principal, or the manager before an update
	Changed []string `json:"p,omitempty"`
}

// The operations of the feed.
const (
	opCreate   = "c"
	opUpdate   = "u"
	opDelete   = "d"
	opRestore  = "r"
	opPurge    = "p"
	opJoin     = "+"
	opLeave    = "-"
	opAssign   = "a"
	opUnassign = "x"
)

// log appends a change to the feed in the transaction of the mutation.
func (t *txn) log(now time.Time, c change) (uint64, error) {
	n, err := t.in(bucketFeed).NextSequence()
	if err != nil {
		return 0, err
	}
	c.Time = now.UnixNano()
	return n, t.put(bucketFeed, key(n), c)
}

// ObjectChange is what happened to one object: the union of its changes.
type ObjectChange struct {
	Num                                    uint64
	Kind                                   Kind
	Properties                             []string // Graph names, sorted; "manager" among them
	Created, SoftDeleted, Restored, Purged bool
	First, Last                            time.Time
	// FormerManager is the number of the manager before the first change of a user's manager, 0 when there was none.
	FormerManager uint64
}

// EdgeChange is what became of one membership.
type EdgeChange struct {
	Group, Member uint64
	Present       bool
}

// AssignmentChange is what became of one principal's assignment to one application.
type AssignmentChange struct {
	SP, Principal uint64
	Kind          Kind
	Present       bool
}

// Changes is what happened between two points of the feed, each object, membership and assignment once, by number.
type Changes struct {
	Last        uint64 // the point reached: the next watermark
	Objects     []ObjectChange
	Edges       []EdgeChange
	Assignments []AssignmentChange
}

// LastChange is the number of the newest change, 0 before the first.
func (s *Store) LastChange() (n uint64) {
	if err := s.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket(bucketDirectory).Bucket(bucketFeed).Sequence()
		return nil
	}); err != nil {
		return 0
	}
	return n
}

// Changes merges the feed behind the watermark after, up to and including upto; 0 means its end. The cost follows the
// number of changes. The error has code Expired when that part of the feed was trimmed, or when the watermark lies behind
// the feed's end, as one of another directory may.
func (s *Store) Changes(after, upto uint64) (Changes, error) {
	var out Changes
	err := s.read(func(t *txn) error {
		var err error
		out, err = t.changes(after, upto)
		return err
	})
	return out, err
}

func (t *txn) changes(after, upto uint64) (Changes, error) {
	if floor := t.floor(); after < floor {
		return Changes{}, &Error{Code: Expired, Message: fmt.Sprintf("The change feed begins behind %d, not at %d.", floor, after)}
	}
	last := t.in(bucketFeed).Sequence()
	if after > last {
		return Changes{}, &Error{Code: Expired, Message: fmt.Sprintf("The change feed ends at %d, before %d: that watermark is not of this directory.", last, after)}
	}
	if upto == 0 || upto > last {
		upto = last
	}
	objects := map[uint64]*ObjectChange{}
	edges := map[[2]uint64]bool{}
	assignments := map[[2]uint64]AssignmentChange{}
	c := t.in(bucketFeed).Cursor()
	for k, v := c.Seek(key(after + 1)); k != nil && num(k) <= upto; k, v = c.Next() {
		var e change
		if err := Decode(v, &e); err != nil {
			return Changes{}, fmt.Errorf("data file: change %d: %w", num(k), err)
		}
		pair := [2]uint64{e.Num, e.Other}
		switch e.Op {
		case opJoin, opLeave:
			edges[pair] = e.Op == opJoin
		case opAssign, opUnassign:
			if e.Kind == KindServicePrincipal {
				continue // it is never provisioned
			}
			assignments[pair] = AssignmentChange{e.Num, e.Other, e.Kind, e.Op == opAssign}
		default:
			o := objects[e.Num]
			if o == nil {
				o = &ObjectChange{Num: e.Num, Kind: e.Kind, First: time.Unix(0, e.Time).UTC()}
				objects[e.Num] = o
			}
			o.merge(e)
		}
	}
	out := Changes{Last: upto}
	for _, o := range objects {
		slices.Sort(o.Properties)
		o.Properties = slices.Compact(o.Properties)
		out.Objects = append(out.Objects, *o)
	}
	for p, present := range edges {
		out.Edges = append(out.Edges, EdgeChange{p[0], p[1], present})
	}
	for _, a := range assignments {
		out.Assignments = append(out.Assignments, a)
	}
	sort.Slice(out.Objects, func(i, k int) bool { return out.Objects[i].Num < out.Objects[k].Num })
	sort.Slice(out.Edges, func(i, k int) bool {
		a, b := out.Edges[i], out.Edges[k]
		return a.Group < b.Group || a.Group == b.Group && a.Member < b.Member
	})
	sort.Slice(out.Assignments, func(i, k int) bool {
		a, b := out.Assignments[i], out.Assignments[k]
		return a.SP < b.SP || a.SP == b.SP && a.Principal < b.Principal
	})
	return out, nil
}

func (o *ObjectChange) merge(e change) {
	o.Last = time.Unix(0, e.Time).UTC()
	if e.Other != 0 && !slices.Contains(o.Properties, "manager") {
		o.FormerManager = e.Other
	}
	o.Properties = append(o.Properties, e.Changed...)
	switch e.Op {
	case opCreate:
		o.Created = true
	case opDelete:
		o.SoftDeleted, o.Restored = true, false
	case opRestore:
		o.Restored, o.SoftDeleted = true, false
	case opPurge:
		o.Purged = true
	}
}
