package scim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMasker(t *testing.T) {
	for _, c := range []struct {
		token    string
		public   bool
		in, want string
	}{
		{"a-secret-token", false, "Bearer a-secret-token", "Bearer ***"},
		{"a-secret-token", false, "xa-secret-tokenx, a-secret-token", "x***x, ***"},
		{"k3y-9f8e7d", false, `{"detail":"bad header Bearer k3y-9f8e7d"}`, `{"detail":"bad header Bearer ***"}`},
		// As an echo in JSON, or in a URL, writes it.
		{`a"b\c<&>d`, false, `{"got":"a\"b\\c<&>d"}`, `{"got":"***"}`},
		{`a"b\c<&>d`, false, `{"got":"a\"b\\c\u003c\u0026\u003ed"}`, `{"got":"***"}`},
		{`abc+def/ghi=`, false, `/login?t=abc%2Bdef%2Fghi%3D`, `/login?t=***`},
		// Short ones stand alone or are a part of a word.
		{"x", false, `Bearer x, example, "x", x`, `Bearer ***, example, "***", ***`},
		{"ann", false, `{"userName":"ann@contoso.example","displayName":"Joanna"}`, `{"userName":"***@contoso.example","displayName":"Joanna"}`},
		{"é", false, "é né", "*** né"},
		{"***", false, "Bearer ***", "Bearer ***"},
		{"*", false, "Bearer *", "Bearer ***"},
		// The embedded target's is documented: only as a credential is it hidden.
		{"entrasim", true, "Bearer entrasim", "Bearer ***"},
		{"entrasim", true, "bearer entrasim.", "bearer ***."},
		{"entrasim", true, `{"displayName":"entrasim users"} http://entrasim.example entrasim`, `{"displayName":"entrasim users"} http://entrasim.example entrasim`},
		{"entrasim", true, "Bearer entrasimulator", "Bearer entrasimulator"},
		{"", false, "anything", "anything"},
	} {
		m := newMasker(c.token, c.public)
		in := []byte(c.in)
		if got := m.text(c.in); got != c.want {
			t.Errorf("%q in %s\n got %s\nwant %s", c.token, c.in, got, c.want)
		}
		if got := string(m.bytes(in)); got != c.want || string(in) != c.in {
			t.Errorf("%q in %s\n got %s\nwant %s, what was read is now %s", c.token, c.in, got, c.want, in)
		}
	}
}

// TestTokensAreShownNowhere: a target echoes tokens of any length, in headers and bodies, with success and without. They
// are in no record and no message, and what the answer says is understood all the same.
func TestTokensAreShownNowhere(t *testing.T) {
	for _, token := range []string{"x", "k3y", "k3y-9f8e7d", "a-secret-token-of-length", `odd"token\of signs`} {
		t.Run(token, func(t *testing.T) {
			status := 200
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				auth := r.Header.Get("Authorization")
				w.Header().Set("Content-Type", "application/scim+json")
				w.Header().Set("X-Echo", auth)
				w.WriteHeader(status)
				if _, err := fmt.Fprintf(w, `{"id":"7","displayName":%q,"detail":%q}`, "Project "+token, auth); err != nil {
					t.Log(err)
				}
			}))
			defer server.Close()
			var shown []string
			c := NewClient(Endpoint{Base: server.URL}, token, DefaultOptions(), time.Now, func(x *Exchange) {
				data, err := json.Marshal(x.ResponseHeaders)
				if err != nil {
					t.Error(err)
				}
				shown = append(shown, string(data), string(x.ResponseBody), fmt.Sprint(x.RequestHeaders), x.Err)
			})
			r, err := c.Get(t.Context(), Tag{}, Group, "7")
			if err != nil {
				t.Fatal(err)
			}
			if have, _, equal := Differs(r, attribute("displayName", "Project "+token), true); !equal {
				t.Errorf("the answer says %q, read was %q", "Project "+token, have)
			}
			for _, status = range []int{400, 401, 409, 500} {
				_, err := c.Get(t.Context(), Tag{}, Group, "7")
				shown = append(shown, err.Error())
				shown = append(shown, c.Patch(t.Context(), Tag{}, Group, "7", []byte("{}")).Error())
				shown = append(shown, c.Probe(t.Context(), Tag{}, Group, "displayName", "x-y").Error())
			}
			status = 200
			_, err = c.Match(t.Context(), Tag{}, Group, attribute("displayName", "Ops"), false)
			shown = append(shown, err.Error())
			written, err := json.Marshal(token)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range shown {
				if strings.Contains(s, "Bearer "+token) || strings.Contains(s, "Bearer "+string(written[1:len(written)-1])) {
					t.Errorf("the token shows: %s", s)
				}
			}
		})
	}
}

// TestMaskIsNotRead: a token that is a part of a value breaks no answer (a token "Contoso Test", a group of that name).
func TestMaskIsNotRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.WriteString(w, `{"id":"Contoso Test 7","displayName":"Project Contoso Test"}`); err != nil {
			t.Log(err)
		}
	}))
	defer server.Close()
	var x *Exchange
	c := NewClient(Endpoint{Base: server.URL}, "Contoso Test", DefaultOptions(), time.Now, func(e *Exchange) { x = e })
	r, err := c.Get(t.Context(), Tag{}, Group, "7")
	if err != nil {
		t.Fatal(err)
	}
	if have, _, equal := Differs(r, attribute("displayName", "Project Contoso Test"), true); !equal || r.ID() != "Contoso Test 7" {
		t.Errorf("read were the id %q and the name %q", r.ID(), have)
	}
	if got, want := string(x.ResponseBody), `{"id":"*** 7","displayName":"Project ***"}`; got != want {
		t.Errorf("recorded was %s, want %s", got, want)
	}
}

// TestBearerOfTheMoment: a token that changes is asked for with each request, and each one is masked.
func TestBearerOfTheMoment(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		if _, err := fmt.Fprintf(w, `{"id":"1","displayName":%q}`, r.Header.Get("Authorization")); err != nil {
			t.Log(err)
		}
	}))
	defer server.Close()
	opt := DefaultOptions()
	n := 0
	opt.Bearer = func() (string, error) {
		n++
		if n == 4 {
			return "", fmt.Errorf("no key")
		}
		return fmt.Sprintf("issued-token-%d", (n+1)/2), nil
	}
	var shown []string
	record := func(x *Exchange) {
		if x.Err == "" {
			shown = append(shown, fmt.Sprint(x.RequestHeaders[1], string(x.ResponseBody)))
		}
	}
	c := NewClient(Endpoint{Base: server.URL}, "", opt, time.Now, record)
	for range 3 {
		if _, err := c.Get(t.Context(), Tag{}, User, "1"); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"Bearer issued-token-1", "Bearer issued-token-1", "Bearer issued-token-2"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	for _, s := range shown {
		if want := `[Authorization Bearer ***]{"id":"1","displayName":"Bearer ***"}`; s != want {
			t.Errorf("recorded %s, want %s", s, want)
		}
	}
	if _, err := c.Get(t.Context(), Tag{}, User, "1"); err == nil || !strings.Contains(err.Error(), "no key") || len(got) != 3 {
		t.Errorf("without a token %d requests left, %v", len(got), err)
	}
	if _, err := NewClient(Endpoint{Base: server.URL}, "own", opt, time.Now, nil).Get(t.Context(), Tag{}, User, "1"); err != nil || got[3] != "Bearer own" {
		t.Errorf("with a Secret token: %q, %v", got[3], err)
	}
}
