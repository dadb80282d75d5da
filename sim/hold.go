package sim

import (
	"fmt"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// Accidental deletion prevention (accidental-deletions.md): before a cycle sends anything it counts what it would switch
// off or delete. When that is more than the threshold, none of it is carried out: the objects are held, and the job goes
// into quarantine until they are allowed, or until enough of them are back in scope. Everything else of the cycle is sent.

// DefaultDeleteThreshold is the threshold of a job that prevents accidental deletions and names none
// (application-provisioning-configuration-api.md shows it).
const DefaultDeleteThreshold = 500

// heldByte says in the bucket of held objects whether an administrator allowed the deletion meanwhile.
const (
	heldBack    byte = 'h'
	heldAllowed byte = 'y'
)

// held is what a cycle knows of deletions that it may have to hold back. It does not change once the passes begin.
type held struct {
	prevent bool            // accidental deletions are prevented
	hold    bool            // there are too many: none is carried out
	limit   int             // so many may be switched off or deleted at most
	counted map[uint64]bool // would be
	allowed map[uint64]bool // an administrator allowed these
}

// ends reports whether an object's account would be switched off, or the object deleted at the target. What is switched off
// already, or was dealt with when it left scope, does not count.
func ends(m *mapping.ObjectMapping, src *source, l *Link, t *tuning) bool {
	switch {
	case m == nil || l == nil || src.unread || !l.Managed():
		return false
	case src.State == directory.Purged:
		return m.Delete
	case src.scope.In() || t.skipOutOfScope:
		return false
	case src.Kind == directory.KindGroup:
		return m.Delete
	case l.State == LinkDisabled:
		return false
	case len(m.SoftDeleteTargets()) == 0:
		return !t.wire.SoftDelete
	}
	return m.Update
}

// judge adds to the work list what is held since earlier cycles, counts what would be switched off or deleted, and decides
// whether it is held back. A cycle that goes on after it was cut short counts what is left, and keeps an earlier decision.
func (c *cycle) judge(list *worklist) error {
	c.j.mu.Lock()
	waiting := c.j.state.Held
	c.held = held{limit: c.tune.deleteThreshold, prevent: c.tune.preventDeletes, counted: map[uint64]bool{}, allowed: map[uint64]bool{}}
	c.j.mu.Unlock()
	if !c.held.prevent && waiting == 0 {
		return nil
	}
	err := c.s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), c.app)
		if b == nil {
			return errStopped
		}
		if waiting > 0 {
			c.addHeld(r, b, list)
		}
		if !c.held.prevent {
			return nil
		}
		for _, part := range [][]work{list.users, list.groups} {
			for _, w := range part {
				over, err := c.wouldEnd(r, b, w)
				if err != nil {
					return err
				}
				if over && !c.held.allowed[w.num] {
					c.held.counted[w.num] = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.held.prevent && len(c.held.counted) > c.held.limit {
		c.at.Hold = true
	}
	c.held.hold = c.at.Hold
	c.at.Ending = max(c.at.Ending, len(c.held.counted))
	return nil
}

// addHeld puts what is held into the work list.
func (c *cycle) addHeld(r *directory.Reader, b *bbolt.Bucket, list *worklist) {
	there := map[uint64]bool{}
	for _, part := range [][]work{list.users, list.groups} {
		for _, w := range part {
			there[w.num] = true
		}
	}
	cur := b.Bucket(bucketHeld).Cursor()
	for k, v := cur.First(); k != nil; k, v = cur.Next() {
		n := num(k)
		if len(v) == 1 && v[0] == heldAllowed {
			c.held.allowed[n] = true
		}
		if there[n] {
			continue
		}
		w := work{num: n, kind: kindOf(r, b, n), imp: importUpdate}
		if w.kind == directory.KindGroup {
			list.groups = append(list.groups, w)
		} else {
			list.users = append(list.users, w)
		}
	}
	sortWork(list.users)
	sortWork(list.groups)
}

func (c *cycle) wouldEnd(r *directory.Reader, b *bbolt.Bucket, w work) (bool, error) {
	l, err := getLink(b, w.num)
	if err != nil || l == nil {
		return false, err
	}
	src, ok := readSource(r, c.app, c.all, c.set, w.num)
	if !ok {
		src = l.forgotten()
	}
	return ends(mappingOf(c.set, w.kind), &src, l, c.tune), nil
}

// withheld reports whether the object in hand would be switched off or deleted, and may not be: it is held, or it left scope
// only after the cycle had counted, and is the next one's to count.
func (t *step) withheld() (hold, later bool) {
	if !t.held.prevent || t.held.allowed[t.w.num] || !ends(t.m, &t.src, t.link, t.tune) {
		return false, false
	}
	return t.held.hold, !t.held.hold && !t.held.counted[t.w.num]
}

// stage records that a deletion is held back.
func (t *step) stage() {
	would := "be disabled"
	rules := t.src.leaving()
	switch {
	case t.src.State == directory.Purged:
		would, rules = "be deleted", []string{"S-078"}
		t.rec.Import = importDelete
	case t.w.kind == directory.KindGroup, len(t.m.SoftDeleteTargets()) == 0:
		would = "be deleted"
	}
	t.skip(ActionStagedDelete, SkipHeld, append(rules, "S-223", "S-224")...)
	t.rec.Message = fmt.Sprintf("It would %s. Accidental deletion prevention holds it: %s. Allow deletes carries it out; who is back in scope stays.", would, t.tooManyDeletes())
	t.out.held = true
}

// tooManyDeletes says why deletions are held.
func (c *cycle) tooManyDeletes() string {
	return fmt.Sprintf("%s would be disabled or deleted, more than the threshold of %d", plural(len(c.held.counted), "object"), c.held.limit)
}

// storeHeld keeps or forgets that an object is held; the job's lock is held.
func (c *cycle) storeHeld(b *bbolt.Bucket, out *outcome) error {
	st, held := &c.j.state, b.Bucket(bucketHeld)
	switch had := st.Held > 0 && held.Get(key(out.num)) != nil; {
	case out.held && !had:
		st.Held++
		return held.Put(key(out.num), []byte{heldBack})
	case !out.held && had && !out.later && out.escrow == EscrowObject:
		st.Held--
		return held.Delete(key(out.num))
	}
	return nil
}

// allowHeld allows the deletions that are held at this moment.
func allowHeld(b *bbolt.Bucket) error {
	held := b.Bucket(bucketHeld)
	var keys [][]byte
	c := held.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, append([]byte(nil), k...))
	}
	for _, k := range keys {
		if err := held.Put(k, []byte{heldAllowed}); err != nil {
			return err
		}
	}
	return nil
}

// Held is an object whose deletion or deactivation is held back.
type Held struct {
	ObjectID, Name string
	Kind           string // User or Group
	Allowed        bool   // the next cycle carries it out
}

// Held lists what accidental deletion prevention holds back of an application, at most limit objects, in the order in which
// they were made.
func (s *Service) Held(appID string, limit int) ([]Held, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	var list []Held
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		c := b.Bucket(bucketHeld).Cursor()
		for k, v := c.First(); k != nil && len(list) < limit; k, v = c.Next() {
			l, err := getLink(b, num(k))
			if err != nil {
				return err
			}
			if l != nil {
				if o, ok := r.Object(l.Num); ok && o.DisplayName != "" { // it may have been renamed since it was linked
					l.Name = o.DisplayName
				}
				list = append(list, Held{l.ID, l.Name, kindName(l.Kind), len(v) == 1 && v[0] == heldAllowed})
			}
		}
		return nil
	})
	return list, err
}
