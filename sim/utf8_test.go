package sim

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// TestBytesThatAreNoText: whatever a target sends in ids, values, headers and messages is kept as text, so that the file can
// be read again; and no setting that is none is taken.
func TestBytesThatAreNoText(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	ann, bob, cid := w.user("ann"), w.user("bob"), w.user("cid")
	w.assign(ann.ID, bob.ID, cid.ID)
	w.before(func(rw http.ResponseWriter, r *http.Request, body string) bool {
		rw.Header().Set("Server", "caf\xe9")
		switch {
		case r.Method == "POST" && strings.Contains(body, "ann@"):
			return w.reply(rw, 201, "{\"id\":\"a\xff\",\"displayName\":\"\xe9\"}")
		case r.Method == "POST":
			return w.reply(rw, 400, "{\"detail\":\"\xff\"}")
		case strings.Contains(r.URL.RawQuery, "cid"):
			return w.reply(rw, 500, "caf\xe9")
		}
		return false
	})
	w.no(w.svc.Start(w.app.ID))
	w.cycle()
	for _, id := range []string{ann.ID, bob.ID, cid.ID} {
		l := w.record(id)
		for _, text := range []string{l.TargetID, l.Reason, l.Detail, l.Sentence} {
			if !utf8.ValidString(text) {
				t.Errorf("%s holds bytes that are no text: %q", l.DisplayName, text)
			}
		}
	}
	if l := w.record(ann.ID); l.Status != Success || l.TargetID != "a\ufffd" {
		t.Errorf("%s %q", l.Status, l.TargetID)
	}
	if l := w.record(cid.ID); !strings.Contains(l.Reason, "Server: caf\ufffd") {
		t.Errorf("reason %q", l.Reason)
	}
	token, url := "to\xffken", "https://scim.example/\xff"
	for _, edit := range []SettingsEdit{{SecretToken: &token}, {TenantURL: &url}} {
		if err := w.svc.UpdateSettings(w.app.ID, edit); directory.CodeOf(err) != directory.Invalid {
			t.Errorf("taken: %+v, %v", edit, err)
		}
	}
	again, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1})
	w.no(err)
	if l, err := again.Why(ann.ID); err != nil || l[0].Link.TargetID != "a\ufffd" {
		t.Errorf("opened again: %+v, %v", l, err)
	}
	w.no(again.Close())
}
