package target

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// faultyServer is a target with two users behind a real listener; waited sums up the delays.
func faultyServer(t *testing.T, waited *time.Duration) (*Server, func(method, path string) (int, http.Header, string, error), string) {
	t.Helper()
	s, err := New(Options{Token: "t", Now: func() time.Time { return now }, Seed: 1, Wait: func(_ context.Context, d time.Duration) error {
		*waited += d
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ann := newUser(t, s, "Ann")
	newUser(t, s, "Bob")
	h := httptest.NewServer(s.Handler("default"))
	t.Cleanup(h.Close)
	return s, func(method, path string) (int, http.Header, string, error) {
		r, err := http.NewRequestWithContext(t.Context(), method, h.URL+"/scim"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer t")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, nil, "", err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return res.StatusCode, res.Header, string(body), err
	}, ann
}

func TestFaults(t *testing.T) {
	two, text := 2, `{"broken`
	html := "<html>Sign in</html>"
	for _, c := range []struct {
		name, path   string
		fault        Fault
		status       int
		header, want string
		not          string
	}{
		{"a status", "/Users", Fault{Status: 503}, 503, "", `"status":"503"`, "Ann"},
		{"429 with Retry-After", "/Users", Fault{Status: 429, Headers: map[string]string{"Retry-After": "30"}}, 429, "Retry-After: 30", `"status":"429"`, ""},
		{"broken JSON", "/Users", Fault{Body: &text}, 200, "", text, "Ann"},
		{"a login page", "/Users", Fault{Status: 200, Body: &html}, 200, "Content-Type: text/html; charset=utf-8", html, ""},
		{"a filter is ignored", "/Users?filter=userName+eq+%22ann%22", Fault{Ignore: []string{"filter"}}, 200, "", `"totalResults":2`, ""},
		{"results twice", "/Users?filter=userName+eq+%22ann%22", Fault{Duplicate: true}, 200, "", `"totalResults":2`, "Bob"},
		{"an attribute is not returned", "/Users", Fault{Hide: []string{"userName"}}, 200, "", `"displayName":"Ann"`, "userName"},
		{"values in lower case", "/Users", Fault{Lower: []string{"userName"}}, 200, "", `"userName":"ann"`, `"userName":"Ann"`},
		{"another value", "/Users", Fault{Rewrite: map[string]any{"displayName": "X", "name.givenName": "Y"}}, 200, "", `"displayName":"X"`, `"displayName":"Ann"`},
		{"another method", "/Users", Fault{Method: "POST", Status: 500}, 200, "", "Ann", ""},
		{"another path", "/Users", Fault{Path: "/Users/*", Status: 500}, 200, "", "Ann", ""},
		{"this path", "/Users/ID", Fault{Path: "/Users/*", Status: 500}, 500, "", "", "Ann"},
		{"about another object", "/Users/ID", Fault{Object: "bob", Status: 500}, 200, "", "Ann", ""},
		{"about this object by its name", "/Users/ID", Fault{Object: "ann", Status: 500}, 500, "", "", "Ann"},
		{"about this object by a filter", "/Users?filter=userName+eq+%22ann%22", Fault{Object: "ann", Status: 500}, 500, "", "", "Ann"},
		{"another store", "/Users", Fault{Store: "other", Status: 500}, 200, "", "Ann", ""},
		{"never", "/Users", Fault{Probability: new(float64), Status: 500}, 200, "", "Ann", ""},
		{"slowly", "/Users", Fault{Delay: Delay(90 * time.Second), Times: &two}, 200, "", "Ann", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var waited time.Duration
			s, get, ann := faultyServer(t, &waited)
			if err := s.SetFaults([]Fault{c.fault}); err != nil {
				t.Fatal(err)
			}
			status, header, body, err := get("GET", strings.ReplaceAll(c.path, "ID", ann))
			if err != nil || status != c.status || !strings.Contains(body, c.want) || c.not != "" && strings.Contains(body, c.not) {
				t.Errorf("%d %s %v; want %d with %q, without %q", status, body, err, c.status, c.want, c.not)
			}
			if name, value, ok := strings.Cut(c.header, ": "); ok && header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, header.Get(name), value)
			}
			if waited != time.Duration(c.fault.Delay) {
				t.Errorf("waited %v", waited)
			}
		})
	}
}

// TestFaultsAddUpAndEnd: overlapping faults both hold, and one is over after its times.
func TestFaultsAddUpAndEnd(t *testing.T) {
	var waited time.Duration
	s, get, _ := faultyServer(t, &waited)
	one := 1
	if err := s.SetFaults([]Fault{{ID: "slow", Delay: Delay(time.Second)}, {Status: 500, Times: &one}, {Hide: []string{"userName"}}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{500, 200, 200} {
		if status, _, body, err := get("GET", "/Users"); err != nil || status != want || want == 200 && strings.Contains(body, "userName") {
			t.Errorf("request %d: %d %s %v, want %d", i, status, body, err, want)
		}
	}
	got, err := json.Marshal(s.Faults())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != `[{"id":"slow","delay":"1s","times":null,"hits":3},{"id":"1","status":500,"times":1,"hits":1},{"id":"2","hide":["userName"],"times":null,"hits":2}]` {
		t.Errorf("faults %s", got)
	}
	s.Reset()
	if len(s.Faults()) != 0 {
		t.Error("a reset leaves the faults")
	}
}

// TestDroppedConnections: one before the request is carried out, one behind it; a client sees no answer in both.
func TestDroppedConnections(t *testing.T) {
	for _, where := range []string{DropConnect, DropAnswer} {
		var waited time.Duration
		s, get, ann := faultyServer(t, &waited)
		if _, _, _, err := get("GET", "/Users"); err != nil { // the connection is kept alive, where clients like to try again
			t.Fatal(err)
		}
		one := 1
		if err := s.SetFaults([]Fault{{Drop: where, Times: &one}}); err != nil {
			t.Fatal(err)
		}
		if _, _, body, err := get("DELETE", "/Users/"+ann); err == nil {
			t.Errorf("%s: an answer came: %s", where, body)
		}
		if n := s.Faults()[0].Hits; n != 1 {
			t.Errorf("%s: %d hits", where, n)
		}
		status, _, _, err := get("GET", "/Users/"+ann)
		want := map[string]int{DropConnect: 200, DropAnswer: 404}[where]
		if err != nil || status != want {
			t.Errorf("%s: afterwards %d %v, want %d", where, status, err, want)
		}
		if err := s.SetFaults([]Fault{{Drop: where, Times: &one}}); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := get("GET", "/Users"); err == nil {
			t.Errorf("%s: a GET on a kept connection was not broken: %v", where, err)
		}
	}
}

func TestFaultsThatCanNotBe(t *testing.T) {
	var waited time.Duration
	s, _, _ := faultyServer(t, &waited)
	if err := s.SetFaults([]Fault{{Status: 500}}); err != nil {
		t.Fatal(err)
	}
	negative, half, body := -1, 1.5, "x"
	for _, c := range []struct {
		fault Fault
		want  string
	}{
		{Fault{}, "does nothing"}, {Fault{Status: 99}, "status is 99"}, {Fault{Status: 500, Method: "FETCH"}, "method"},
		{Fault{Drop: "later"}, "connect or answer"}, {Fault{Drop: "answer", Body: &body}, "no status"},
		{Fault{Status: 500, Times: &negative}, "times"}, {Fault{Status: 500, Probability: &half}, "probability"},
		{Fault{Status: 500, Path: "/Users/[", Object: ""}, "glob"}, {Fault{Status: 500, Store: "No!"}, "store"},
		{Fault{Headers: map[string]string{"A b": "c"}}, "header"},
	} {
		if err := s.SetFaults([]Fault{{Status: 503}, c.fault}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "faults[1]") {
			t.Errorf("%+v: %v, want %q", c.fault, err, c.want)
		}
	}
	if list := s.Faults(); len(list) != 1 || list[0].Status != 500 {
		t.Errorf("the old faults are gone: %+v", list)
	}
	for text, ok := range map[string]bool{`"5s"`: true, `"PT5S"`: true, `5`: false, `"-5s"`: false, `"soon"`: false} {
		var d Delay
		if err := json.Unmarshal([]byte(text), &d); (err == nil) != ok || ok && time.Duration(d) != 5*time.Second {
			t.Errorf("%s: %v %v", text, time.Duration(d), err)
		}
	}
}

// TestFaultsOneByOne: a fault that comes or goes leaves the others' hits alone, and ids are not given twice.
func TestFaultsOneByOne(t *testing.T) {
	var waited time.Duration
	s, ask, _ := faultyServer(t, &waited)
	first, err := s.AddFault(Fault{Hide: []string{"title"}})
	if err != nil || first.ID != "1" {
		t.Fatalf("%q %v", first.ID, err)
	}
	if _, _, _, err := ask("GET", "/Users"); err != nil {
		t.Fatal(err)
	}
	if f, err := s.AddFault(Fault{Status: 503}); err != nil || f.ID != "2" {
		t.Fatalf("%q %v", f.ID, err)
	}
	if status, _, _, err := ask("GET", "/Users"); err != nil || status != 503 {
		t.Errorf("%d %v", status, err)
	}
	if _, err := s.AddFault(Fault{ID: "2", Status: 503}); err == nil {
		t.Error("an id is used twice")
	}
	if _, err := s.AddFault(Fault{}); err == nil {
		t.Error("a fault that does nothing is taken")
	}
	if !s.RemoveFault("2") || s.RemoveFault("2") {
		t.Error("the second fault is not taken away once")
	}
	if list := s.Faults(); len(list) != 1 || list[0].Hits != 2 {
		t.Errorf("%+v", list)
	}
}
