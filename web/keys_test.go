package web_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"entrasim/sim/clock"
)

// TestPublishedKeys: the keys of issued tokens, those of jobs and those of the token endpoint, stand at Entra's address of them, for everybody, and hold no secret.
func TestPublishedKeys(t *testing.T) {
	url := serveWith(t, "api-token", clock.Manual)
	status, common := get(t, url+"/common/discovery/v2.0/keys")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(common), &set); status != http.StatusOK || err != nil || len(set.Keys) != 2 {
		t.Fatalf("%d %s: %v", status, common, err)
	}
	for _, k := range set.Keys {
		if !k.IsPublic() || k.Use != "sig" || k.KeyID == "" {
			t.Errorf("key %+v", k)
		}
	}
	if status, own := get(t, url+"/contoso.example/discovery/v2.0/keys"); status != http.StatusOK || own != common {
		t.Errorf("by domain: %d %s", status, own)
	}
	if status, body := get(t, url+"/fabrikam.example/discovery/v2.0/keys"); status != http.StatusBadRequest {
		t.Errorf("another tenant: %d %s", status, body)
	}
	for _, path := range []string{"/sim/discovery/v2.0/keys", "/sim/traffic"} {
		if status, _ := get(t, url+path); status == http.StatusOK {
			t.Errorf("%s is open", path)
		}
	}
}
