package sim

import (
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// switched makes a world in which one switch of the wire is set.
func switched(t *testing.T, schema *mapping.Schema, flag string, set func(*scim.Options)) *world {
	t.Helper()
	w := newWorld(t, schema, flag)
	set(&w.svc.wire)
	return w
}

// probes counts the requests that are about no object since the last call.
func (w *world) probes() int {
	page := w.svc.Traffic(w.seen, 10_000)
	n := 0
	for _, x := range page.Exchanges {
		if x.Object == "" {
			n++
		}
	}
	w.requests()
	return n
}

// TestProbeIdleCycles: with the switch off a cycle without work sends nothing at all, one with work the probes first, and a
// job in quarantine probes whatever there is to do.
func TestProbeIdleCycles(t *testing.T) {
	w := switched(t, mapping.Starter(), "", func(o *scim.Options) { o.ProbeIdleCycles = false })
	ann := w.user("ann")
	w.user("outside")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	if n := w.probes(); n != 2 {
		t.Errorf("%d probes in the initial cycle", n)
	}
	w.advance(40 * time.Minute)
	w.edit(ann.ID, "jobTitle", "Pilot") // no mapping reads it
	w.advance(40 * time.Minute)
	if page := w.svc.Traffic(w.seen, 10); len(page.Exchanges) != 0 {
		t.Errorf("idle cycles send %+v", page.Exchanges)
	}
	if j := w.job(); j.Status.LastExecution.State != Succeeded || j.LastCycle.Cycle != 3 {
		t.Errorf("idle cycles: %+v", j.LastCycle)
	}
	w.edit(ann.ID, "displayName", "Ann Ace")
	w.advance(40 * time.Minute)
	list := w.svc.Traffic(w.seen, 10).Exchanges
	if len(list) != 4 || list[0].Object != "" || list[1].Object != "" || list[2].Object != ann.ID || list[3].Method != "PATCH" {
		t.Errorf("with work: %+v", list)
	}
	w.requests()
	bad, good := "wrong-token-000", "secret-token"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &bad}))
	w.edit(ann.ID, "displayName", "Ann")
	w.advance(40 * time.Minute)
	if j := w.job(); j.Status.Quarantine == nil {
		t.Fatalf("no quarantine: %+v", j.Status)
	}
	w.probes()
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &good}))
	w.advance(time.Second)
	if n := w.probes(); n != 2 || w.job().Status.Quarantine != nil {
		t.Errorf("out of quarantine with %d probes: %+v", n, w.job().Status)
	}
}

// TestPostNulls: what has no value stands in the POST as null; a required one still fails, and a PATCH knows no null.
func TestPostNulls(t *testing.T) {
	w := switched(t, mapping.Default(), "", func(o *scim.Options) { o.PostNulls = true })
	ann := w.user("ann", "givenName", "Ann")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.want(w.cycle(), `GET /Users?filter=userName+eq+%22ann%40contoso.example%22`,
		`POST /Users {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"ann","userName":"ann@contoso.example","active":true,`+
			`"addresses":null,"displayName":"Ann","emails":null,"meta":{"resourceType":"User"},"name":{"formatted":"Ann","familyName":null,"givenName":"Ann"},"phoneNumbers":null,"preferredLanguage":null,"title":null,`+
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":null,"employeeNumber":null}}`)
}

// TestNullFlow: a value that was cleared is not sent; under the switch it is taken away, where the target holds one, in
// each dialect.
func TestNullFlow(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for _, c := range []struct{ flow, flag, want string }{
		{"off", "", ""},
		{"off", "?aadOptscim062020", ""},
		{"remove", "", `{"op":"Remove","path":"title"},{"op":"Remove","path":"emails[type eq \"work\"].value"},{"op":"Remove","path":"name.familyName"},{"op":"Replace","path":"name.formatted","value":"Ann"},{"op":"Remove","path":"` + enterprise + `:department"}`},
		{"remove", "?aadOptscim062020", `{"op":"remove","path":"emails[type eq \"work\"].value"},{"op":"remove","path":"title"},{"op":"remove","path":"name.familyName"},{"op":"remove","path":"` + enterprise + `:department"},{"op":"replace","path":"name.formatted","value":"Ann"}`},
		{"emptyString", "", `{"op":"Replace","path":"title","value":""},{"op":"Replace","path":"emails[type eq \"work\"].value","value":""},{"op":"Replace","path":"name.familyName","value":""},{"op":"Replace","path":"name.formatted","value":"Ann"},{"op":"Replace","path":"` + enterprise + `:department","value":""}`},
		{"emptyString", "?aadOptscim062020", `{"op":"replace","path":"emails[type eq \"work\"].value","value":""},{"op":"replace","value":{"title":"","name.familyName":"","name.formatted":"Ann","` + enterprise + `:department":""}}`},
	} {
		t.Run(c.flow+c.flag, func(t *testing.T) {
			w := switched(t, mapping.Default(), c.flag, func(o *scim.Options) { o.NullFlow = c.flow })
			ann := w.user("ann", "givenName", "Ann", "surname", "Ace", "jobTitle", "Pilot", "mail", "ann@contoso.example", "department", "Flight")
			w.assign(ann.ID)
			w.no(w.svc.Start(w.app.ID))
			w.cycle()
			w.edit(ann.ID, "jobTitle", nil, "mail", nil, "department", nil, "surname", nil)
			if c.want == "" { // what is computed from them changes
				op := `{"op":"Replace","path":"name.formatted","value":"Ann"}`
				if c.flag != "" {
					op = strings.Replace(op, "Replace", "replace", 1)
				}
				w.want(w.cycle(), `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+op+`]}`)
				return
			}
			w.want(w.cycle(), `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+c.want+`]}`)
			l := w.record(ann.ID)
			if m := l.Modified[0]; m.Name != "title" || m.Old == nil || *m.Old != "Pilot" || m.New != nil && *m.New != "" {
				t.Errorf("modified: %+v", l.Modified)
			}
			w.edit(ann.ID, "companyName", "x") // nothing is mapped from it; the target holds no values any more
			w.edit(ann.ID, "displayName", "Ann A")
			if got := w.cycle(); len(got) != 2 || strings.Count(got[1], `"op"`) != 1 {
				t.Errorf("again: %v", got)
			}
		})
	}
}

// TestNullFlowLeavesAlone: what is no value to clear stays: matching and required attributes, those that apply only during
// creation, and defaults.
func TestNullFlowLeavesAlone(t *testing.T) {
	s := mapping.Starter()
	remap(t, s, "title", "[jobTitle]")
	remap(t, s, "nickName", "[department]")
	remap(t, s, "locale", "[city]")
	user := s.ObjectMapping("User")
	for i := range user.AttributeMappings {
		switch a := &user.AttributeMappings[i]; a.TargetAttributeName {
		case "title":
			a.FlowType = mapping.ObjectAddOnly
		case "nickName":
			none := "none"
			a.DefaultValue = &none
		case "locale":
			a.FlowType = mapping.AttributeAddOnly
		}
	}
	w := switched(t, s, "", func(o *scim.Options) { o.NullFlow = "remove" })
	ann := w.user("ann", "jobTitle", "Pilot", "department", "Flight", "city", "Oslo")
	w.assign(ann.ID)
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	w.edit(ann.ID, "jobTitle", nil, "department", nil, "city", nil)
	w.want(w.cycle(), `GET /Users/{Ann}`)
}
