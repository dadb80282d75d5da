package sim

import (
	"net/http"
	"strings"
	"testing"

	"entrasim/sim/scim"
)

// TestReferenceCheck: with the switch on, the target is asked for a reference before it is written, and what is as it
// should be is not written.
//
// Shows: W-064
func TestReferenceCheck(t *testing.T) {
	ask := func(kind, id, attribute, value string) string {
		return `GET /` + kind + `?attributes=id&filter=id+eq+%22{` + id + `}%22+and+` + attribute + `+eq+%22{` + value + `}%22`
	}
	for _, c := range []struct {
		check         string
		users, groups bool
	}{{"", false, false}, {"users", true, false}, {"groups", false, true}, {"both", true, true}} {
		t.Run(c.check, func(t *testing.T) {
			w := switched(t, managers(t), "", func(o *scim.Options) { o.ReferenceCheck = c.check })
			boss := w.user("boss")
			ann := w.user("ann", "manager", boss.ID)
			ops := w.group("Ops", ann.ID)
			w.assign(boss.ID, ann.ID, ops.ID)
			w.no(w.svc.Start(w.app.ID))
			some := func(on bool, request string) (list []string) {
				if on {
					list = append(list, request)
				}
				return list
			}
			got := w.cycle()
			want := append(some(c.users, ask("Users", "Ann", "manager", "Boss")), setManager("Add", "{Ann}", "{Boss}"))
			want = append(append(want, some(c.groups, ask("Groups", "Ops", "members", "Ann"))...), addMember("{Ops}", "{Ann}"))
			w.want(got[6:], want...)

			// The target has the member of its own accord; of the other it was not told.
			w.no(w.dir.AddMembers(w.clock.Now(), ops.ID, boss.ID))
			w.addAtTarget("Ops", "Boss")
			got = w.cycle()
			if c.groups {
				w.want(got, `GET /Users/{Boss}`, `GET /Groups/{Ops}?excludedAttributes=members`, ask("Groups", "Ops", "members", "Boss"))
			} else {
				w.want(got, `GET /Users/{Boss}`, `GET /Groups/{Ops}?excludedAttributes=members`, addMember("{Ops}", "{Boss}"))
			}
			w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, ann.ID))
			w.edit(ann.ID, "manager", nil)
			want = append([]string{`GET /Users/{Ann}`, `GET /Groups/{Ops}?excludedAttributes=members`}, some(c.users, ask("Users", "Ann", "manager", "Boss"))...)
			want = append(append(append(want, clearManager("{Ann}", "{Boss}")), some(c.groups, ask("Groups", "Ops", "members", "Ann"))...), removeMember("{Ops}", "{Ann}"))
			w.want(w.cycle(), want...)
			if got, want := w.state(), "Ann active=true, Boss active=true, [Ops: Boss]"; got != want {
				t.Errorf("target %s, want %s", got, want)
			}
			if w.escrows() != 0 {
				t.Errorf("%d escrows", w.escrows())
			}
		})
	}
}

// TestReferenceCheckFails: a question that is not answered keeps the write back, and both come again.
func TestReferenceCheckFails(t *testing.T) {
	w := switched(t, managers(t), "", func(o *scim.Options) { o.ReferenceCheck = "both" })
	boss := w.user("boss")
	ann := w.user("ann", "manager", boss.ID)
	ops := w.group("Ops", ann.ID, boss.ID)
	w.assign(boss.ID, ann.ID, ops.ID)
	broken := true
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		return broken && strings.HasPrefix(r.URL.RawQuery, "attributes=id") && w.reply(rw, 503, "")
	})
	w.no(w.svc.Start(w.app.ID))
	if got := w.cycle(); len(got) != 8 { // four objects' matches and creates, one question each
		t.Errorf("requests %v", got)
	}
	if l := w.record(ops.ID); l.Status != Failure || l.ErrorCode != "SystemForCrossDomainIdentityManagementServerError" || len(l.Exchanges) != 1 || l.Rules[0] != "W-064" {
		t.Errorf("record %+v", l)
	}
	broken = false
	w.cycle()
	if got, want := w.state(), "Ann active=true, Boss active=true, [Ops: Ann Boss]"; got != want || w.escrows() != 0 {
		t.Errorf("target %s, want %s, %d escrows", got, want, w.escrows())
	}
}

// addAtTarget makes somebody a member without the service.
func (w *world) addAtTarget(group, member string) {
	w.t.Helper()
	ids := map[string]string{}
	for id, name := range w.names() {
		ids[name] = id
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPatch, w.http.URL+"/scim/Groups/"+ids[group],
		strings.NewReader(patchHead+`{"op":"Add","path":"members","value":[{"value":"`+ids[member]+`"}]}]}`))
	w.no(err)
	r.Header.Set("Authorization", "Bearer secret-token")
	r.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(r)
	w.no(err)
	w.no(res.Body.Close())
	if res.StatusCode >= 300 {
		w.t.Fatalf("the target refuses: %d", res.StatusCode)
	}
}
