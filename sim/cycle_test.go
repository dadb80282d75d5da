package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"entrasim/sim/mapping"
)

// TestSeedWalk follows the set-up guide's mappings through the life of an account: the literal requests of each step.
func TestSeedWalk(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob := w.user("ann"), w.user("bob")
	w.user("outside")
	ops := w.group("Ops", ann.ID, bob.ID)
	w.assign(ops.ID)
	w.no(w.svc.Start(w.app.ID))
	user := func(name, id string) string {
		return fmt.Sprintf(`POST /Users {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"%s","userName":"%s@contoso.example","active":true,"displayName":"%s","meta":{"resourceType":"User"}}`,
			id, strings.ToLower(name), name)
	}
	w.want(w.cycle(),
		`GET /Users?filter=userName+eq+%22ann%40contoso.example%22`, user("Ann", ann.ID),
		`GET /Users?filter=userName+eq+%22bob%40contoso.example%22`, user("Bob", bob.ID),
		`GET /Groups?excludedAttributes=members&filter=displayName+eq+%22Ops%22`,
		`POST /Groups {"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"externalId":"`+ops.ID+`","displayName":"Ops","members":[],"meta":{"resourceType":"Group"}}`,
		`PATCH /Groups/{Ops} `+patchHead+`{"op":"Add","path":"members","value":[{"value":"{Ann}"},{"value":"{Bob}"}]}]}`)
	if got, want := w.state(), "Ann active=true, Bob active=true, [Ops: Ann Bob]"; got != want {
		t.Fatalf("target holds %s, want %s", got, want)
	}
	if got, want := strings.Join(w.logs(), "; "), "create success Ann; create success Bob; create success Ops; update success Ops"; got != want {
		t.Fatalf("log: %s, want %s", got, want)
	}
	// Nothing changed: only the probes.
	w.want(w.cycle())
	// A rename of a person; a change that no mapping reads sends nothing.
	w.edit(ann.ID, "displayName", "Ann Ace", "jobTitle", "Pilot")
	w.edit(bob.ID, "jobTitle", "Pilot")
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"displayName","value":"Ann Ace"}]}`)
	// Blocked: switched off, still a member. Enabled: switched on, no Add.
	w.edit(bob.ID, "accountEnabled", false)
	w.want(w.cycle(), `GET /Users/{Bob}`, `PATCH /Users/{Bob} `+patchHead+`{"op":"Replace","path":"active","value":"False"}]}`)
	w.edit(bob.ID, "accountEnabled", true)
	w.want(w.cycle(), `GET /Users/{Bob}`, `PATCH /Users/{Bob} `+patchHead+`{"op":"Replace","path":"active","value":"True"}]}`)
	// Out of the group: the disable goes out in the user pass, the Remove in the reference pass.
	w.no(w.dir.RemoveMembers(w.clock.Now(), ops.ID, bob.ID))
	w.want(w.cycle(), `GET /Users/{Bob}`, `PATCH /Users/{Bob} `+patchHead+`{"op":"Replace","path":"active","value":"False"}]}`,
		`GET /Groups/{Ops}?excludedAttributes=members`, `PATCH /Groups/{Ops} `+patchHead+`{"op":"Remove","path":"members","value":[{"value":"{Bob}"}]}]}`)
	// Unassigned and dealt with: a deletion sends nothing, not even when it becomes permanent.
	w.no(w.dir.DeleteUser(w.clock.Now(), bob.ID))
	w.want(w.cycle())
	w.no(w.dir.Purge(w.clock.Now(), bob.ID))
	w.want(w.cycle())
	// Soft-deleted while assigned: switched off, and deleted 30 days later.
	w.no(w.dir.DeleteUser(w.clock.Now(), ann.ID))
	w.want(w.cycle(), `GET /Users/{Ann Ace}`, `PATCH /Users/{Ann Ace} `+patchHead+`{"op":"Replace","path":"active","value":"False"}]}`)
	names := w.names()
	w.advance(31 * 24 * time.Hour)
	got := w.requests()
	if len(got) != 1 || !strings.HasPrefix(got[0], "DELETE /Users/") || names[strings.TrimPrefix(got[0], "DELETE /Users/")] != "Ann Ace" {
		t.Fatalf("after 31 days: %v", got)
	}
	// The group goes: DELETE alone.
	w.no(w.dir.DeleteGroup(w.clock.Now(), ops.ID))
	got = w.cycle()
	if len(got) != 1 || !strings.HasPrefix(got[0], "DELETE /Groups/") {
		t.Fatalf("group deleted: %v", got)
	}
}

func TestDefaultMappings(t *testing.T) {
	for _, dialect := range []string{"", "?aadOptscim062020"} {
		t.Run("dialect"+dialect, func(t *testing.T) {
			w := newWorld(t, mapping.Default(), dialect)
			boss := w.user("boss")
			ann := w.user("ann", "givenName", "Ann", "surname", "Ace", "mail", "ann@contoso.example", "jobTitle", "Pilot", "department", "Flight",
				"businessPhones", []string{"+1 206 555 0100"}, "manager", boss.ID)
			w.assign(ann.ID, boss.ID)
			w.no(w.svc.Start(w.app.ID))
			got := w.cycle()
			legacy := dialect == ""
			manager := `PATCH /Users/{Ann} ` + patchHead + `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"{Boss}"}]}`
			if !legacy {
				manager = strings.Replace(manager, `"Add"`, `"add"`, 1)
			}
			w.want(got,
				`GET /Users?filter=userName+eq+%22boss%40contoso.example%22`,
				`POST /Users {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"boss","userName":"boss@contoso.example","active":true,"displayName":"Boss","meta":{"resourceType":"User"}}`,
				`GET /Users?filter=userName+eq+%22ann%40contoso.example%22`,
				`POST /Users {"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"ann","userName":"ann@contoso.example","active":true,"displayName":"Ann","emails":[{"primary":true,"type":"work","value":"ann@contoso.example"}],"meta":{"resourceType":"User"},"name":{"formatted":"Ann Ace","familyName":"Ace","givenName":"Ann"},"phoneNumbers":[{"primary":true,"type":"work","value":"+1 206 555 0100"}],"title":"Pilot","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Flight"}}`,
				manager)
			w.edit(ann.ID, "surname", "Abel", "mail", "ann.abel@contoso.example", "department", "Ground", "officeLocation", "18/2111")
			got = w.cycle()
			if legacy {
				w.want(got, `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+
					`{"op":"Replace","path":"emails[type eq \"work\"].value","value":"ann.abel@contoso.example"},`+
					`{"op":"Replace","path":"name.familyName","value":"Abel"},{"op":"Replace","path":"name.formatted","value":"Ann Abel"},`+
					`{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"18/2111"},`+
					`{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department","value":"Ground"}]}`)
			} else {
				w.want(got, `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+
					`{"op":"replace","path":"emails[type eq \"work\"].value","value":"ann.abel@contoso.example"},`+
					`{"op":"add","path":"addresses[type eq \"work\"].formatted","value":"18/2111"},`+
					`{"op":"replace","value":{"name.familyName":"Abel","name.formatted":"Ann Abel","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Ground"}}]}`)
			}
			w.edit(ann.ID, "manager", nil)
			got = w.cycle()
			if legacy {
				w.want(got, `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+`{"op":"Remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":[{"value":"{Boss}"}]}]}`)
			} else {
				w.want(got, `GET /Users/{Ann}`, `PATCH /Users/{Ann} `+patchHead+`{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq \"{Boss}\"]"}]}`)
			}
		})
	}
}

func TestWrongTokenQuarantinesAndNewCredentialsLift(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann := w.user("ann")
	w.assign(ann.ID)
	bad, good := "wrong-token-000", "secret-token"
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &bad}))
	w.no(w.svc.Start(w.app.ID))
	cycles := w.advance(time.Minute)
	if len(cycles) != 1 || cycles[0].State != Failed || cycles[0].Error.Code != "SystemForCrossDomainIdentityManagementCredentialValidationFailure" {
		t.Fatalf("cycles %+v", cycles)
	}
	j, err := w.svc.Job(w.app.ID)
	w.no(err)
	if j.Status.Code != StatusQuarantine || j.Status.Quarantine.Reason != QuarantineException || !j.NextCycle.Equal(start.Add(6*time.Hour)) {
		t.Fatalf("job %+v next %v", j.Status, j.NextCycle)
	}
	if strings.Contains(fmt.Sprintf("%+v", w.svc.Traffic(0, 10)), bad) {
		t.Error("the token is in the recorded traffic")
	}
	if n := len(w.advance(24 * time.Hour)); n != 3 { // +6 h, +12 h, +24 h
		t.Errorf("%d attempts in a day, want 3", n)
	}
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &good}))
	if c := w.advance(time.Second); len(c) != 1 || c[0].State != Succeeded || c[0].Counts.Create != 1 {
		t.Fatalf("after new credentials: %+v", c)
	}
	if j, err = w.svc.Job(w.app.ID); err != nil || j.Status.Code != StatusActive {
		t.Fatalf("job %+v, %v", j.Status, err)
	}
}
