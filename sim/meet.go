package sim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// meet makes first contact: it asks for each matching attribute in turn, links what it finds and creates what it does not.
func (t *step) meet(ctx context.Context) {
	t.rec.Action = ActionCreate
	values := matchingValues(t.m, t.want)
	if len(values) == 0 {
		t.skip(ActionOther, SkipImport, "S-278")
		return
	}
	unlock := t.claim(values)
	defer unlock()
	for i := range values {
		v := &values[i]
		t.rec.Match = v
		t.rec.Rules = scim.MatchRules(t.rt, v.by())
		if i > 0 {
			t.rec.Rules = append(t.rec.Rules, "S-276")
		}
		found, err := t.client.Match(ctx, t.tag(t.src.ID, "It is not linked yet: the target is asked for a match by "+v.Attr+".", t.rec.Rules...), t.rt, v.by(), v.exact)
		v.Found, v.Failed = len(found), err != nil
		t.look(v.Attr, v.Value, t.want, found...)
		if err != nil {
			t.failed(matchFailed(&t.rec, err))
			return
		}
		t.out.asked = true
		if len(found) == 1 {
			t.join(ctx, found[0])
			return
		}
	}
	switch have, err := t.formerly(ctx, t.want); {
	case err != nil:
		t.failed(matchFailed(&t.rec, err))
	case have != nil:
		t.join(ctx, have)
	default:
		t.create(ctx)
	}
}

// join links a target object that matched, and updates it.
func (t *step) join(ctx context.Context, have *scim.Resource) {
	if owner, err := t.owner(have.ID()); err != nil || owner != 0 && owner != t.w.num {
		if err == nil {
			err = &failureError{failure{Code: scim.CodeDuplicateSourceEntries, Message: fmt.Sprintf(
				"The target object %s matches, but it stands for another object of the directory already.", have.ID())}}
		}
		t.failed(err)
		return
	}
	t.newLink(have.ID(), false)
	t.rec.Action = ActionUpdate
	t.update(ctx, have)
	if t.out.link == nil && t.rec.Status == Failure {
		// The update failed, the match stands.
		l := *t.link
		t.out.link = &l
	}
}

func (t *step) newLink(target string, created bool) {
	t.link = &Link{Num: t.w.num, Kind: t.w.kind, ID: t.src.ID, Name: t.src.DisplayName, Target: target, State: LinkActive, Created: created, Since: t.rec.Time, Cycle: t.number}
	t.out.fresh = true
	t.rec.Target = target
	t.mu.Lock()
	t.anchors[string(anchorKey(t.w.kind, target))] = t.w.num
	t.mu.Unlock()
}

// owner returns the object that a target object stands for, 0 when for none.
func (t *step) owner(target string) (uint64, error) {
	t.mu.Lock()
	n := t.anchors[string(anchorKey(t.w.kind, target))]
	t.mu.Unlock()
	if n != 0 {
		return n, nil
	}
	err := t.s.dir.View(func(r *directory.Reader) error {
		if b := jobBucket(r.Tx(), t.app); b != nil {
			n = anchorOwner(b, t.w.kind, target)
		}
		return nil
	})
	return n, err
}

// create sends the POST of an object that the target does not have.
func (t *step) create(ctx context.Context) {
	if !t.m.Create {
		t.skip(ActionCreate, SkipBlocked, "S-240")
		return
	}
	attrs, mods, fail := creation(t.want, t.opt)
	if fail != nil {
		t.failed(&failureError{*fail})
		return
	}
	rules := append([]string{"S-063"}, scim.CreateRules(t.rt, t.client.Dialect(), attrs)...)
	t.rec.Sent, t.rec.Modified, t.rec.Rules, t.posted = true, mods, rules, true
	id, err := t.client.Create(ctx, t.tag(t.src.ID, "No match was found: it is created.", rules...), t.rt, attrs)
	if err != nil {
		t.failed(createFailed(&t.rec, err))
		if f := t.out.fail; f.Err != nil && f.Err.Status == http.StatusConflict {
			f.pair = true
		}
		return
	}
	t.newLink(id, true)
	t.note(nil)
	t.succeeded()
	l := *t.link
	t.out.link = &l
	if t.rec.Import == importFull || t.rec.Import == importAdd {
		t.rec.Source = t.src.attrs.Texts(t.m)
	}
}

// claim keeps two source objects with one matching value from being created side by side: the later one waits until the
// earlier one is linked, and then finds it.
func (c *cycle) claim(values []matchInfo) (release func()) {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.Attr + "\x00" + fold(v.Value)
	}
	slices.Sort(names) // one order for all, so that nobody waits in a circle
	var held []func()
	for _, name := range slices.Compact(names) {
		held = append(held, c.claims.lock(name))
	}
	return func() {
		for i := len(held) - 1; i >= 0; i-- {
			held[i]()
		}
	}
}
