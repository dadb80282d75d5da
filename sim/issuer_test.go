package sim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"entrasim/sim/mapping"
)

// TestIssuedToken: a job without a Secret token sends a token of the tenant, which the published keys prove, and which
// nothing shows.
//
// Shows: F-215, W-032
func TestIssuedToken(t *testing.T) {
	w := newWorld(t, mapping.Starter(), "")
	w.assign(w.user("ann").ID)
	none := ""
	w.no(w.svc.UpdateSettings(w.app.ID, SettingsEdit{SecretToken: &none}))
	var sent []string
	w.before(func(rw http.ResponseWriter, r *http.Request, _ string) bool {
		sent = append(sent, r.Header.Get("Authorization"))
		body := list()
		if r.Method == "POST" {
			body = `{"id":"7","displayName":"` + r.Header.Get("Authorization") + `"}`
		}
		return w.reply(rw, 200, body)
	})
	w.no(w.svc.Start(w.app.ID))
	w.advance(0)
	if len(sent) != 4 || sent[0] != sent[3] {
		t.Fatalf("sent %q", sent)
	}
	raw, ok := strings.CutPrefix(sent[0], "Bearer ")
	if !ok {
		t.Fatalf("sent %q", sent[0])
	}
	keys, err := w.svc.IssuerKeys()
	w.no(err)
	check := func(raw string, now time.Time) (got jwt.Claims) {
		t.Helper()
		token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
		w.no(err)
		if token.Headers[0].KeyID != keys.Keys[0].KeyID || token.Headers[0].ExtraHeaders["typ"] != "JWT" {
			t.Errorf("header %+v", token.Headers[0])
		}
		var more struct {
			Tenant  string `json:"tid"`
			Version string `json:"ver"`
			Client  string `json:"appid"`
		}
		w.no(token.Claims(keys, &got, &more))
		tenant := w.dir.Tenant().ID
		w.no(got.ValidateWithLeeway(jwt.Expected{Issuer: "https://sts.windows.net/" + tenant + "/", AnyAudience: jwt.Audience{"8adf8e6e-67b2-4cf2-a259-e3dc5476c621"}, Time: now}, 0))
		w.no(got.ValidateWithLeeway(jwt.Expected{Time: now.Add(time.Hour)}, 0))
		if more.Tenant != tenant || more.Version != "1.0" || more.Client != "00000014-0000-0000-c000-000000000000" || !got.NotBefore.Time().Equal(got.IssuedAt.Time()) {
			t.Errorf("claims %+v %+v", got, more)
		}
		return got
	}
	if c := check(raw, start); !c.IssuedAt.Time().Equal(start) || !c.Expiry.Time().Equal(start.Add(90*time.Minute)) {
		t.Errorf("issued %v, expires %v", c.IssuedAt.Time(), c.Expiry.Time())
	}
	for i, key := range keys.Keys {
		if !key.IsPublic() || !key.Valid() {
			t.Errorf("key %d is no public key", i)
		}
	}
	if err := jwtFails(raw, keys); err != nil {
		t.Error(err)
	}
	// Nothing shows it, and its rule is named.
	for _, x := range w.svc.Traffic(0, 100).Exchanges {
		if !slices.Contains(x.Rules, "W-032") {
			t.Errorf("rules %v", x.Rules)
		}
		for _, h := range append(x.RequestHeaders, Header{"body", x.ResponseBody}) {
			if strings.Contains(h.Value, raw) || h.Name == "Authorization" && h.Value != "Bearer ***" {
				t.Errorf("%s: %s", h.Name, h.Value)
			}
		}
	}
	// Another one half an hour later, good at its time.
	sent = nil
	w.advance(40 * time.Minute)
	later := strings.TrimPrefix(sent[0], "Bearer ")
	if later == raw {
		t.Error("the token of 40 minutes ago is sent again")
	}
	check(later, start.Add(40*time.Minute))
	w.no(w.svc.TestConnection(t.Context(), w.app.ID, nil, nil))
	if sent[len(sent)-1] != "Bearer "+later {
		t.Errorf("Test Connection sends %s", sent[len(sent)-1])
	}
	if w.job().Settings.HasToken {
		t.Error("the job says that it has a Secret token")
	}
}

// jwtFails reports an error when a token that was changed is taken.
func jwtFails(raw string, keys jose.JSONWebKeySet) error {
	parts := strings.Split(raw, ".")
	parts[1] = parts[1][:len(parts[1])-4] + "AAAA"
	token, err := jwt.ParseSigned(strings.Join(parts, "."), []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return err
	}
	var c jwt.Claims
	if token.Claims(keys, &c) == nil {
		return errors.New("a token that was changed is taken")
	}
	return nil
}

// TestIssuedTokenIsReproducible: the same seed and instant give the same bytes, in another file and behind a restart;
// another seed has another key.
func TestIssuedTokenIsReproducible(t *testing.T) {
	token := func(w *world, seed int64) string {
		s, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: seed})
		w.no(err)
		raw, err := s.issuer.bearer()
		w.no(err)
		w.no(s.Close())
		return raw
	}
	a, b := newWorld(t, mapping.Starter(), ""), newWorld(t, mapping.Starter(), "")
	first := token(a, 1)
	if again := token(a, 1); again != first {
		t.Error("behind a restart the token is another")
	}
	if a.dir.Tenant().ID == b.dir.Tenant().ID && token(b, 1) != first {
		t.Error("in another file of the seed the token is another")
	}
	if token(a, 2) == first {
		t.Error("another seed has the same key")
	}
	key := a.svc.issuer.key
	if key != nil {
		t.Error("a key was made that nobody asked for")
	}
}
