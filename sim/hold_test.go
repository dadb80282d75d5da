package sim

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"entrasim/sim/mapping"
)

// TestLeavingBehindTheCount: who leaves scope while a cycle runs was not counted by it, and is not switched off by it either:
// the next cycle counts everybody, and holds them.
//
// Shows: S-089
func TestLeavingBehindTheCount(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ids := []string{w.user("ann").ID, w.user("bob").ID, w.user("cleo").ID, w.user("dora").ID}
	w.assign(ids...)
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	var once sync.Once
	inner := w.http.Config.Handler
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "PATCH" {
			once.Do(func() { // of ann, who is the first
				for _, id := range ids[1:] {
					w.no(w.svc.Unassign(w.app.ID, id))
				}
			})
		}
		inner.ServeHTTP(rw, r)
	}))
	defer front.Close()
	url, on, limit := front.URL+"/scim", true, 1
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{TenantURL: &url, PreventDeletes: &on, DeleteThreshold: &limit}))
	for _, id := range ids {
		w.edit(id, "displayName", "New")
	}
	c := w.advance(40 * time.Minute)
	if len(c) != 1 || c[0].Counts != (Counts{Update: 1}) {
		t.Errorf("the cycle in which they left: %+v", c)
	}
	if j := w.job(); j.Held != 0 || j.Status.Quarantine != nil {
		t.Errorf("held %d, %+v", j.Held, j.Status.Quarantine)
	}
	c = w.advance(40 * time.Minute)
	if len(c) != 1 || c[0].Counts != (Counts{Skip: 3}) {
		t.Errorf("the next one: %+v", c)
	}
	j := w.job()
	if j.Held != 3 || j.Status.Quarantine == nil || j.Status.Quarantine.Reason != QuarantineDeletes {
		t.Errorf("held %d, %+v", j.Held, j.Status.Quarantine)
	}
	held, err := w.svc.Held(w.app.ID, 2)
	w.no(err)
	if len(held) != 2 || held[0].ObjectID != ids[1] || held[0].Kind != "User" || held[0].Allowed {
		t.Errorf("%+v", held)
	}
}

// TestThreshold: it is the value of SyncNotificationSettings, else the job's setting, else 500; only Enabled turns it on.
//
// Shows: S-220
func TestThreshold(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	for _, c := range []struct {
		value string
		on    bool
		limit int
	}{
		{`{"Enabled":false,"DeleteThresholdEnabled":false}`, false, 500},
		{`{"DeleteThresholdEnabled":true}`, true, 500},
		{`{"DeleteThresholdEnabled":true,"DeleteThresholdValue":7}`, true, 7},
		{`{"DeleteThresholdEnabled":true,"DeleteThresholdValue":0}`, true, 0},
	} {
		w.no(w.svc.PutSecrets(w.app.ID, map[string]*string{"SyncNotificationSettings": &c.value}))
		if s := w.job().Settings; s.PreventDeletes != c.on || s.DeleteThreshold != c.limit {
			t.Errorf("%s: %v %d", c.value, s.PreventDeletes, s.DeleteThreshold)
		}
	}
	limit := 9
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{DeleteThreshold: &limit}))
	w.no(w.svc.PutSecrets(w.app.ID, map[string]*string{"SyncNotificationSettings": new(`{"DeleteThresholdEnabled":true}`)}))
	if s := w.job().Settings; s.DeleteThreshold != 9 {
		t.Errorf("the job's own setting: %d", s.DeleteThreshold)
	}
	if err := w.svc.PutSecrets(w.app.ID, map[string]*string{"SkipOutOfScopeDeletions": new("maybe")}); err == nil {
		t.Error("SkipOutOfScopeDeletions may be anything")
	}
	w.no(w.svc.PutSecrets(w.app.ID, map[string]*string{"SkipOutOfScopeDeletions": new("1")}))
	if !w.job().Settings.SkipOutOfScopeDeletions {
		t.Error("1 is no true")
	}
}
