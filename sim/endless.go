package sim

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o endless_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:tuple endlessNote sentAgain
//msgp:ignore Endless EndlessNote endless endlessMove

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// EndlessKind says why work has no end.
type EndlessKind string

// The kinds of endless work. The service decides by what it reads: what a target does not return as it was sent is sent
// again whenever the object is looked at (use-scim-to-provision-users-and-groups.md, and recorded requests).
const (
	EndlessDropped   EndlessKind = "dropped"   // the target returns no value of the attribute
	EndlessRenamed   EndlessKind = "renamed"   // it returns the value under another name
	EndlessRewritten EndlessKind = "rewritten" // it returns another value than it was sent
	EndlessKept      EndlessKind = "kept"      // it returns a value that it was told to remove
	// EndlessConflict: the match query finds nothing, and the POST is answered 409, each time.
	EndlessConflict EndlessKind = "conflict"
)

// endlessAfter is how many writes in a row make endless work. Two may be an accident: somebody changed the target by hand
// between two cycles.
const endlessAfter = 3

// endlessMost bounds what a job keeps of it; a schema maps fewer attributes.
const endlessMost = 200

// Endless is work of a job that comes back in cycle after cycle, for the objects that are looked at.
type Endless struct {
	Kind      EndlessKind `json:"kind"`
	Attribute string      `json:"attribute"`          // target attribute; POST for the pair of query and POST
	Object    string      `json:"objectKind"`         // User or Group
	As        string      `json:"as,omitempty"`       // where the target returns the value, in lower case
	Objects   int         `json:"objects"`            // objects that it is at work on now
	Times     int         `json:"times"`              // writes in a row, of the object seen last
	ID        string      `json:"objectId"`           // the object seen last
	Name      string      `json:"displayName"`        //
	Sent      *string     `json:"sent,omitempty"`     // what was sent to it last
	Got       *string     `json:"returned,omitempty"` // and what the target returned before
	First     time.Time   `json:"first"`
	Last      time.Time   `json:"last"`
	Rules     []string    `json:"rules"`
	Text      string      `json:"text"` // all that in a sentence
	Cure      string      `json:"cure"`
}

// EndlessNote is what a log record says of endless work that it is a part of.
type EndlessNote struct {
	Kind      EndlessKind `json:"kind"`
	Attribute string      `json:"attribute"`
	As        string      `json:"as,omitempty"`
	Times     int         `json:"times"`
	Text      string      `json:"text"`
	Cure      string      `json:"cure"`
}

// endlessNote is the stored form of a note.
type endlessNote struct {
	Kind  EndlessKind
	Attr  string
	As    string
	Times int
}

// endless is the stored form of Endless, under kind of object and attribute.
type endless struct {
	Note    endlessNote    `json:"n"`
	Object  directory.Kind `json:"k"`
	Objects int            `json:"o"`
	ID      string         `json:"id"`
	Name    string         `json:"dn"`
	Sent    *string        `json:"s,omitempty"`
	Got     *string        `json:"g,omitempty"`
	First   time.Time      `json:"f"`
	Last    time.Time      `json:"l"`
}

// sentAttributes are what the last update of a linked object carried, by attribute, until the target is seen to hold it. The
// map is replaced, never changed. It is kept beside the link, whose page need not be written then.
type sentAttributes map[string]sentAgain

func getAgain(b *bbolt.Bucket, n uint64) (list sentAttributes, err error) {
	_, err = getValue(b.Bucket(bucketAgain), key(n), &list)
	return list, err
}

func putAgain(b *bbolt.Bucket, n uint64, list sentAttributes) error {
	if len(list) == 0 {
		return b.Bucket(bucketAgain).Delete(key(n))
	}
	return putValue(b.Bucket(bucketAgain), key(n), &list)
}

// sentAgain is what is kept of one attribute.
type sentAgain struct {
	Hash  uint32 // of the value that was sent
	Times int    // updates in a row that carried it, and after which the target did not hold it
	Kind  EndlessKind
}

func (a sentAgain) endless() bool { return a.Times >= endlessAfter }

// endlessMove is an object that endless work begins on (1), goes on with (0), or is over for (-1).
type endlessMove struct {
	by   int
	work endless
}

func hashText(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(s))) // never fails
	return h.Sum32()
}

// watched is what is to be kept behind an update that sends changes, given what the target returned before it. An
// attribute that was sent before and is sent again counts when the target did not hold what it was sent: the same value goes
// once more, or another one, as somebody edits it, while the target returns neither. Values that the target holds, or that
// nobody wants any more, are forgotten.
func (t *step) watched(have *scim.Resource, changes []scim.Change) sentAttributes {
	next := sentAttributes{}
	manager := referenceOf(t.m, "manager")
	if a, ok := t.again[manager]; ok { // sent by itself
		next[manager] = a
	}
	for _, c := range changes {
		want := t.wantOf(c.Path)
		if want == nil {
			continue
		}
		old, present, equal := scim.Differs(have, c.Attribute, want.Attr.CaseExact)
		if c.Op != scim.Remove && equal {
			continue // sent always, and held
		}
		a := sentAgain{Hash: hashText(c.Text()), Times: 1}
		before, again := t.again[c.Path]
		switch {
		case c.Op == scim.Remove:
			a.Kind = EndlessKept
		case !present:
			a.Kind = EndlessDropped
		default:
			a.Kind = EndlessRewritten
		}
		switch {
		case !again:
		case before.Hash == a.Hash, a.Kind == EndlessDropped:
			a.Times += before.Times
		case before.Hash == hashText(old): // the target held it, and somebody changed it in the directory
		case plainText(want):
			a.Times += before.Times
		default: // many values, or a date that may be written in several ways: it can't be told
			a.Times = before.Times
		}
		next[c.Path] = a
	}
	if len(next) == 0 {
		return nil
	}
	return next
}

// plainText reports whether a value has one way to be written.
func plainText(d *mapping.Desired) bool {
	if d.Attr.Multi || d.Present && d.Value.IsList() || d.Attr.IsRoles() {
		return false
	}
	return d.Attr.Type == mapping.String || d.Attr.Type == mapping.Boolean || d.Attr.Type == mapping.Integer
}

func (t *step) wantOf(path string) *mapping.Desired {
	for i := range t.want.Values {
		if t.want.Values[i].Attr.Target == path {
			return &t.want.Values[i]
		}
	}
	return nil
}

// noteAgain keeps what watched found, once the target took the update, and tells record and job of what has no end.
func (t *step) noteAgain(next sentAttributes, have *scim.Resource) {
	before := t.again
	if len(before)+len(next) == 0 {
		return
	}
	for _, attr := range slices.Sorted(maps.Keys(next)) {
		if a := next[attr]; a.endless() && a != before[attr] {
			t.noteEndless(attr, a, t.returnedAs(attr, a, before[attr], have), before[attr].endless())
		}
	}
	t.noteEnded(before, next)
	t.again, t.out.again = next, &next
}

// noteEnded takes an object from the work that is over for it.
func (t *step) noteEnded(before, next sentAttributes) {
	for _, attr := range slices.Sorted(maps.Keys(before)) {
		if before[attr].endless() && !next[attr].endless() {
			t.out.endless = append(t.out.endless, endlessMove{-1, endless{Note: endlessNote{Attr: attr}, Object: t.w.kind}})
		}
	}
}

func (t *step) noteEndless(attr string, a sentAgain, as string, before bool) {
	n := endlessNote{Kind: a.Kind, Attr: attr, As: as, Times: a.Times}
	if as != "" {
		n.Kind = EndlessRenamed
	}
	t.rec.Endless = append(t.rec.Endless, n)
	for _, rule := range n.rules() {
		if !slices.Contains(t.rec.Rules, rule) {
			t.rec.Rules = append(slices.Clip(t.rec.Rules), rule)
		}
	}
	w := endless{Note: n, Object: t.w.kind, ID: t.src.ID, Name: t.src.DisplayName, Last: t.rec.Time}
	for _, m := range t.rec.Modified {
		if m.Name == attr {
			w.Sent, w.Got = m.New, m.Old
		}
	}
	move := endlessMove{1, w}
	if before {
		move.by = 0
	}
	t.out.endless = append(t.out.endless, move)
}

// returnedAs looks for a dropped value under another name.
func (t *step) returnedAs(attr string, now, before sentAgain, have *scim.Resource) string {
	want := t.wantOf(attr)
	if now.Kind != EndlessDropped || want == nil || want.Redacted || !want.Present {
		return ""
	}
	known := make([]string, len(t.want.Values))
	for i := range t.want.Values {
		known[i] = t.want.Values[i].Attr.Target
	}
	return have.Elsewhere(func(value string) bool {
		h := hashText(value)
		return h == before.Hash || h == now.Hash
	}, known)
}

// managerAgain is noteAgain for a manager, which has a request of its own; have and target are ids at the target.
func (t *step) managerAgain(have, target string) {
	attr := t.rec.Ref
	before, again := t.again[attr]
	a := sentAgain{Hash: hashText(target), Times: 1, Kind: EndlessRewritten}
	switch {
	case target == "":
		a.Kind = EndlessKept
	case have == "":
		a.Kind = EndlessDropped
	}
	if again && before.Hash != hashText(have) {
		a.Times += before.Times
	}
	next := maps.Clone(t.again)
	if next == nil {
		next = sentAttributes{}
	}
	next[attr] = a
	if a.endless() {
		t.noteEndless(attr, a, "", before.endless())
	}
	t.noteEnded(t.again, next)
	t.again, t.out.again = next, &next
}

// managerHeld forgets it when the target returned the manager that is wanted.
func (t *step) managerHeld() (forgot bool) {
	if _, ok := t.again[t.rec.Ref]; !ok {
		return false
	}
	next := maps.Clone(t.again)
	delete(next, t.rec.Ref)
	t.noteEnded(t.again, next)
	t.again, t.out.again = next, &next
	return true
}

// rules are those by which the work has no end.
func (n endlessNote) rules() []string {
	switch n.Kind {
	case EndlessConflict:
		return []string{"W-179"}
	case EndlessDropped, EndlessRenamed:
		return []string{"W-102"}
	}
	return []string{"W-195"}
}

// text says what the target does, and cure what ends it.
func (n endlessNote) text() (text, cure string) {
	switch n.Kind {
	case EndlessConflict:
		return fmt.Sprintf("The match query finds nothing, and the POST that follows is answered 409, %d times in a row: the pair repeats for ever.", n.Times),
			"The target has the object, and its filter does not find it: let the query return it (disabled accounts too), or match by the attribute that is in conflict."
	case EndlessDropped:
		return fmt.Sprintf("%s was sent with %d updates in a row: the target takes it and returns no value of it.", n.Attr, n.Times),
			"Let the target store " + shortName(n.Attr) + " and return it with GET, or remove its mapping."
	case EndlessRenamed:
		return fmt.Sprintf("%s was sent with %d updates in a row: the target returns its value as %s.", n.Attr, n.Times, n.As),
			"Let the target return it under the name by which it is sent, or map it to " + n.As + "."
	case EndlessKept:
		return fmt.Sprintf("%s was removed with %d updates in a row: the target still returns a value of it.", n.Attr, n.Times),
			"Let the target carry out Remove of " + shortName(n.Attr) + "."
	}
	return fmt.Sprintf("%s was sent with %d updates in a row: the target returns another value than it was sent.", n.Attr, n.Times),
		"Let the target return " + shortName(n.Attr) + " as it was sent, or let the mapping write it as the target does. Somebody who edits it at the target in each cycle shows as this, too."
}

func (n endlessNote) words() EndlessNote {
	text, cure := n.text()
	return EndlessNote{n.Kind, n.Attr, n.As, n.Times, text, cure}
}

func (e endless) words() Endless {
	n := e.Note.words()
	text := n.Text
	if e.Objects > 1 {
		text = fmt.Sprintf("%s So with %d %ss.", strings.TrimSuffix(text, " "), e.Objects, strings.ToLower(kindName(e.Object)))
	}
	return Endless{Kind: n.Kind, Attribute: n.Attribute, Object: kindName(e.Object), As: n.As, Objects: e.Objects, Times: n.Times,
		ID: e.ID, Name: e.Name, Sent: e.Sent, Got: e.Got, First: e.First, Last: e.Last, Rules: e.Note.rules(), Text: text, Cure: n.Cure}
}

// conflictAttr stands for the pair of query and POST where others name an attribute.
const conflictAttr = "POST"

func endlessKey(kind directory.Kind, attr string) string { return kindName(kind) + " " + attr }

// moveEndless changes what the job knows of endless work; its lock is held. The map is replaced, never changed: a
// transaction that fails puts the old state back.
func (st *jobState) moveEndless(moves []endlessMove) {
	if len(moves) == 0 {
		return
	}
	next := maps.Clone(st.Endless)
	if next == nil {
		next = map[string]endless{}
	}
	for _, m := range moves {
		k := endlessKey(m.work.Object, m.work.Note.Attr)
		old, known := next[k]
		switch {
		case m.by < 0:
			if old.Objects--; old.Objects <= 0 {
				delete(next, k)
			} else {
				next[k] = old
			}
		case known:
			m.work.First, m.work.Objects = old.First, old.Objects+m.by
			next[k] = m.work
		case len(next) < endlessMost:
			m.work.First, m.work.Objects = m.work.Last, 1
			next[k] = m.work
		}
	}
	st.Endless = next
}

// unlinkEndless takes a link that goes out of the endless work.
func (st *jobState) unlinkEndless(b *bbolt.Bucket, l *Link) error {
	again, err := getAgain(b, l.Num)
	if err != nil {
		return err
	}
	var moves []endlessMove
	for attr, a := range again {
		if a.endless() {
			moves = append(moves, endlessMove{-1, endless{Note: endlessNote{Attr: attr}, Object: l.Kind}})
		}
	}
	st.moveEndless(moves)
	return nil
}

// forgetEndless drops what was known of links, or of failures, that are dropped as a whole.
func (st *jobState) forgetEndless(conflicts bool) {
	next := map[string]endless{}
	for k, e := range st.Endless {
		if (e.Note.Kind == EndlessConflict) != conflicts {
			next[k] = e
		}
	}
	st.Endless = next
}

// noteConflict counts the pair of an empty match and a refused POST, given the escrow as it was before this outcome, and
// tells records and job. The job's lock is held.
func (c *cycle) noteConflict(b *bbolt.Bucket, out *outcome, before *Escrow) error {
	now, err := getEscrow(b, escrowKey{EscrowObject, out.num, 0})
	if err != nil {
		return err
	}
	was, is := before != nil && before.Pairs >= endlessAfter, now != nil && now.Pairs >= endlessAfter
	if is && out.fail != nil && out.fail.pair {
		n := endlessNote{Kind: EndlessConflict, Attr: conflictAttr, Times: now.Pairs}
		w := endless{Note: n, Object: out.kind, Last: c.s.clock.Now()}
		for i := range out.records {
			if r := &out.records[i]; r.Status == Failure {
				r.Endless = []endlessNote{n}
				w.ID, w.Name = r.ID, r.Name
			}
		}
		by := 1
		if was {
			by = 0
		}
		c.j.state.moveEndless([]endlessMove{{by, w}})
	}
	if was && !is {
		c.j.state.moveEndless([]endlessMove{{-1, endless{Note: endlessNote{Attr: conflictAttr}, Object: out.kind}}})
	}
	return nil
}

// endlessOf lists a job's endless work, that of most objects first.
func (st *jobState) endlessOf() []Endless {
	list := make([]Endless, 0, len(st.Endless))
	for _, k := range slices.Sorted(maps.Keys(st.Endless)) {
		list = append(list, st.Endless[k].words())
	}
	slices.SortStableFunc(list, func(a, b Endless) int { return b.Objects - a.Objects })
	return list
}
