package graph_test

import (
	"testing"
	"time"
)

// TestObjectConnections: a link is read by an id of either side in any state of the job, and is taken away of a job that
// rests; then the object is left alone until it changes, and is matched anew.
// Shows: F-121, S-026, S-203, S-300, S-301, S-304
func TestObjectConnections(t *testing.T) {
	w := newWorld(t, "")
	sp, _, _ := w.app("Fabrikam App")
	sync := "/beta/servicePrincipals/" + sp + "/synchronization"
	w.want(204, "PUT", sync+"/secrets", map[string]any{"value": []map[string]any{{"key": "BaseAddress", "value": w.url + "/scim"},
		{"key": "SecretToken", "value": "entrasim"}, {"key": "SyncAll", "value": "True"}}})
	job := sync + "/jobs/" + w.want(201, "POST", sync+"/jobs", `{"templateId":"scim"}`).str("id")
	ann := w.user("adele")
	at := job + "/objectConnections/"
	w.want(404, "GET", at+ann, nil)
	w.want(204, "POST", job+"/start", nil)
	advance := func() int {
		t.Helper()
		before := len(w.svc.Traffic(0, 10_000).Exchanges)
		if _, err := w.svc.Advance(t.Context(), 40*time.Minute); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, x := range w.svc.Traffic(0, 10_000).Exchanges[before:] {
			if x.Object != "" {
				n++
			}
		}
		return n
	}
	advance()
	a := w.want(200, "GET", at+ann, nil)
	target := a.str("targetAnchor")
	if a.str("objectId") != ann || a.str("sourceAnchor") != ann || a.str("objectTypeName") != "User" || target == "" {
		t.Fatal(a.text)
	}
	if b := w.want(200, "GET", at+target, nil); b.str("sourceAnchor") != ann || b.str("objectId") != target {
		t.Error(b.text)
	}
	w.want(400, "GET", job+"/objectConnections", nil)
	w.want(409, "DELETE", at+ann, nil)
	w.want(204, "POST", job+"/pause", nil)
	w.want(200, "GET", at+ann, nil)
	w.want(204, "DELETE", at+target, nil)
	w.want(204, "DELETE", at+target, nil)
	w.want(404, "GET", at+ann, nil)
	w.want(204, "POST", job+"/start", nil)
	if n := advance(); n != 0 {
		t.Errorf("%d requests about an object that did not change", n)
	}
	w.want(204, "PATCH", "/v1.0/users/"+ann, `{"displayName":"Adele Anew"}`)
	advance()
	if b := w.want(200, "GET", at+ann, nil); b.str("targetAnchor") != target {
		t.Errorf("it was not matched anew: %s", b.text)
	}
}
