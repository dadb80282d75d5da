package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// The steps of an explanation behind the four conditions of scope.
const (
	stepMapping = "Mapping"
	stepMatch   = "Match"
	stepRefs    = "References"
	stepLast    = "Last result"
	stepHeld    = "Deletion threshold"
	stepEndless = "Endless work"
	stepNext    = "Next look"
)

// whyMore is what the steps are told from.
type whyMore struct {
	src   *source
	m     *mapping.ObjectMapping // nil: the mapping is off
	link  *Link
	again sentAttributes
	job   Job
	now   time.Time
	want  mapping.Object
	err   error // of the mapping
	fail  *failure
	refs  *Check // nil: it has none
	// looked: the next cycle looks at it, its failures aside; or it is not known whether it does. due: it is known to.
	looked, due bool
}

// steps goes on where scope ends: mapping, match, the last result, and when it is looked at next.
func (s *Service) steps(x *Explanation, w whyMore) []Check {
	list := []Check{w.mapping()}
	if w.m != nil && w.src.attrs != nil && w.err == nil && !w.want.Ignore {
		list = append(list, w.match())
	}
	if w.refs != nil {
		list = append(list, *w.refs)
	}
	list = append(list, w.last(x))
	if x.Held {
		list = append(list, Check{stepHeld, false, "Its deletion is held until deletes are allowed, it is back in scope, or no more of them are due than the threshold allows.", "S-230"})
	}
	if n := endlessSteps(x.Escrow, w.again); len(n) > 0 {
		list = append(list, n...)
	}
	return append(list, w.next(x))
}

// look maps the object as the next cycle would.
func (w *whyMore) look(s *Service, wire *tuning) {
	if w.m == nil || w.src.attrs == nil {
		return
	}
	if w.want, w.err = desire(w.m, w.src, s.previewEnv()); w.err == nil && !w.want.Ignore && w.link == nil {
		_, _, w.fail = creation(w.want, wire.wire)
	}
}

func (w *whyMore) mapping() Check {
	kind := strings.ToLower(kindName(w.src.Kind))
	c := Check{Name: stepMapping, Rule: "S-245"}
	switch {
	case w.m == nil:
		c.Text, c.Rule = fmt.Sprintf("The mapping of %ss is off.", kind), "S-110"
	case w.src.attrs == nil:
		c.Pass, c.Text, c.Rule = true, "It is gone from the directory, and nothing is left to map.", "S-078"
	case w.err != nil:
		c.Text = "It fails: " + firstLine(w.err.Error())
	case w.want.Ignore:
		c.Text = "The expression mapped to " + w.want.IgnoredBy + " says IgnoreObjectFlow: the object is left out."
	case w.fail != nil:
		c.Text, c.Rule = w.fail.Message, "S-253"
	case w.link == nil && !w.m.Create:
		c.Text, c.Rule = "Create is switched off under Target Object Actions: who matches at the target is linked, and nobody is created.", "S-240"
	case w.link != nil && !w.m.Update:
		c.Text, c.Rule = "Update is switched off under Target Object Actions: no change is sent.", "S-240"
	default:
		c.Pass = true
		var empty []string
		for _, d := range w.want.Values {
			if !d.Present {
				empty = append(empty, shortName(d.Attr.Target))
			}
		}
		c.Text = fmt.Sprintf("%s %s a value.", capital(plural(len(w.want.Values)-len(empty), "attribute")), has(len(w.want.Values)-len(empty)))
		if len(empty) > 0 {
			c.Text, c.Rule = fmt.Sprintf("%s Without one, and not sent: %s.", c.Text, strings.Join(empty, ", ")), "S-247"
		}
	}
	return c
}

func has(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

func (w *whyMore) match() Check {
	c := Check{Name: stepMatch, Pass: true, Rule: "S-275"}
	if l := w.link; l != nil {
		how := "found by its matching value"
		if l.Created {
			how = "created"
		}
		c.Text = fmt.Sprintf("It stands for the target's %s, %s on %s; no match is looked for any more.", l.Target, how, dayTime(l.Since))
		return c
	}
	values := matchingValues(w.m, w.want)
	if len(values) == 0 {
		c.Pass, c.Text, c.Rule = false, "No matching attribute has a value: it is skipped at import.", "S-278"
		return c
	}
	asked := make([]string, len(values))
	for i, v := range values {
		asked[i] = fmt.Sprintf("%s %q", v.Attr, v.Value)
	}
	c.Text, c.Rule = "The target is asked for "+strings.Join(asked, ", then for ")+".", "S-063"
	if !w.src.scope.In() {
		c.Text, c.Rule = "It is out of scope, so that the target is not asked for it.", ""
	}
	return c
}

func (w *whyMore) last(x *Explanation) Check {
	c := Check{Name: stepLast, Pass: true}
	r := x.Last
	switch {
	case r == nil && w.job.LastCycle == nil:
		c.Text = "No cycle has run yet."
	case r == nil && w.job.ScopeInForce == SyncAll:
		c.Text = "No record is kept of it: it came behind the last cycle, or records of that age are gone."
	case r == nil:
		c.Text, c.Rule = "No cycle left a record: of who is outside there is none until something of them changes.", "S-060"
	default:
		c.Pass = r.Status != Failure
		c.Text = fmt.Sprintf("%s, on %s.", r.Sentence, dayTime(r.Time))
		if len(r.Rules) > 0 {
			c.Rule = r.Rules[0]
		}
	}
	return c
}

// endlessSteps are what comes back for the object in cycle after cycle.
func endlessSteps(e *Escrow, again sentAttributes) (list []Check) {
	add := func(n endlessNote) {
		text, cure := n.text()
		list = append(list, Check{stepEndless, false, text + " " + cure, n.rules()[0]})
	}
	if e != nil && e.Pairs >= endlessAfter {
		add(endlessNote{Kind: EndlessConflict, Attr: conflictAttr, Times: e.Pairs})
	}
	for _, attr := range slices.Sorted(maps.Keys(again)) {
		if a := again[attr]; a.endless() {
			add(endlessNote{Kind: a.Kind, Attr: attr, Times: a.Times})
		}
	}
	return list
}

func (w *whyMore) next(x *Explanation) Check {
	c := Check{Name: stepNext, Pass: true, Rule: "S-071"}
	switch {
	case w.job.Progress != nil:
		c.Text = "A cycle runs. It looks at what changed before it began; the one behind it at what changed since."
		if w.job.Progress.Kind == Initial {
			c.Text, c.Rule = "The initial cycle runs. It looks at everybody in scope; the one behind it at what changed since it began.", "S-060"
		}
	case !w.job.Started():
		c.Pass, c.Text, c.Rule = false, "Provisioning is not started.", "S-025"
	case w.job.Status.Quarantine != nil && x.Next != nil:
		c.Pass, c.Text, c.Rule = false, "The job is in quarantine; it is tried again on "+dayTime(*x.Next)+".", "S-170"
	case x.Next == nil:
		c.Pass, c.Text, c.Rule = false, "No cycle is due.", "S-025"
	case x.Escrow != nil && !w.due:
		c.Text, c.Rule = fmt.Sprintf("It is tried again with the first cycle from %s on; it failed %s since %s. A change of it makes it due at once.",
			dayTime(later(x.Escrow.Due, *x.Next)), times(x.Escrow.Attempts), dayTime(x.Escrow.First)), "S-144"
	case w.due:
		c.Text = "The next cycle is due " + w.nextCycle() + ". It looks at it, since it changed after the last one had read it."
	case w.job.LastCycle == nil:
		c.Text, c.Rule = "The initial cycle is due "+w.nextCycle()+". It looks at everybody in scope.", "S-060"
	default:
		c.Text = "The next cycle is due " + w.nextCycle() + ". It looks at what changed since the last one; a restart looks at everybody."
	}
	return c
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return plural(n, "time")
}

// whyReferences says what the target was told of a user's manager or of a group's members; nil when there are none, or none
// are mapped.
func whyReferences(r *directory.Reader, b *bbolt.Bucket, m *mapping.ObjectMapping, src *source, link *Link) (*Check, error) {
	c := &Check{Name: stepRefs, Pass: true}
	switch {
	case !link.active():
		return nil, nil
	case src.Kind == directory.KindUser && src.manager != 0 && hasReference(m, "manager"):
		e, err := getEscrow(b, escrowKey{EscrowManager, src.Num, 0})
		if err != nil {
			return nil, err
		}
		boss, err := getLink(b, src.manager)
		switch {
		case err != nil:
			return nil, err
		case e != nil && e.Code == scim.CodeUnresolvedReference:
			c.Pass, c.Text, c.Rule = false, "Its manager waits for an object at the target, and is sent when there is one.", "S-288"
		case e != nil:
			c.Pass, c.Text, c.Rule = false, "The last try to send its manager failed with "+e.Code+"; it is tried again.", "S-140"
		case link.Manager == src.manager:
			c.Text, c.Rule = "The target was told of its manager.", "S-285"
		case !boss.active():
			c.Pass, c.Text, c.Rule = false, "Its manager is out of scope, and is not sent before the manager changes or provisioning is restarted.", "S-286"
		default:
			c.Pass, c.Text, c.Rule = false, "The target was not told of its manager; that comes when the manager changes or provisioning is restarted.", "S-286"
		}
		return c, nil
	case src.Kind == directory.KindGroup && hasReference(m, "members"):
		all, told := 0, 0
		r.EachMember(src.Num, 0, func(n uint64) bool {
			if kind, state, _ := r.Standing(n); kind == directory.KindUser && state == directory.Live {
				all++
				if _, known := knownIn(b, edge{src.Num, n}); known {
					told++
				}
			}
			return true
		})
		waits := len(escrowsOf(b, EscrowMember, src.Num))
		c.Rule = "S-292"
		switch {
		case all == told && waits == 0:
			c.Text = fmt.Sprintf("The target was told of its %s.", plural(all, "member"))
		case waits > 0:
			c.Pass, c.Rule = false, "S-288"
			c.Text = fmt.Sprintf("The target was told of %d of its %s; %s for an object at the target, or for another try.", told, plural(all, "member"), membersWait(waits))
		default:
			c.Pass, c.Rule = false, "S-287"
			c.Text = fmt.Sprintf("The target was told of %d of its %s; the others are out of scope, or came into scope behind the group and wait for a restart.", told, plural(all, "member"))
		}
		return c, nil
	}
	return nil, nil
}

func membersWait(n int) string {
	if n == 1 {
		return "1 member waits"
	}
	return plural(n, "member") + " wait"
}
