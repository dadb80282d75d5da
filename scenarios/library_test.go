package scenarios

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"testing"

	"entrasim/sim"
)

// TestLibrary plays every built-in scenario against the embedded target, twice: it passes both times, and what goes over the
// wire is the same, byte for byte. All of it is about users and groups: no other method, no other endpoint, no pages of a
// match query.
//
// Shows: S-262, W-012, W-028, W-047, W-048
func TestLibrary(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen [2]string
			for i := range seen {
				s, err := Builtin(name)
				if err != nil {
					t.Fatal(err)
				}
				r := Run(t.Context(), s, Target{}, Options{})
				if r.Verdict != Passed {
					t.Errorf("%s %s\n%s", r.Verdict, r.Reason, failures(r))
				}
				if len(s.Warnings)+len(r.Warnings) > 0 {
					t.Errorf("warnings: %v %v", s.Warnings, r.Warnings)
				}
				for _, x := range r.Exchanges() {
					if !ordinary.MatchString(x.Method+" "+x.URL) || strings.Contains(x.URL, "filter=") && paged.MatchString(x.URL) {
						t.Errorf("the service sends no %s %s", x.Method, x.URL)
					}
				}
				seen[i] = trace(r.Exchanges())
			}
			if seen[0] != seen[1] {
				t.Errorf("first\n%s\nthen\n%s", seen[0], seen[1])
			}
			if name != "jobs/not-started" && !strings.Contains(seen[0], "http://target.test/scim/") {
				t.Errorf("the trace names another target:\n%s", seen[0])
			}
		})
	}
}

var (
	ordinary = regexp.MustCompile(`^(GET|POST|PATCH|DELETE) http://target\.test/scim/(Users|Groups)(/[^/?]+)?(\?.*)?$`)
	paged    = regexp.MustCompile(`[?&](startIndex|count|sortBy)=`)
)

// failures lists what was not as expected.
func failures(r Result) string {
	var b strings.Builder
	for _, st := range r.Steps {
		for _, c := range st.Failures() {
			fmt.Fprintf(&b, "step %d, %d:%d %s: %s\n", st.Number, c.At.Line, c.At.Column, c.What, c.Message)
			for _, d := range c.Diff {
				fmt.Fprintf(&b, "    %c %s\n", d.Sign, d.Text)
			}
		}
	}
	return b.String()
}

var page = regexp.MustCompile(`^[a-z0-9/-]+\.md(, ".+")?$|^RFC 7644`)

// TestLibraryIsTold: each scenario has a name of its own, names its page, and expects something.
func TestLibraryIsTold(t *testing.T) {
	names := map[string]string{}
	for _, name := range Names() {
		s, err := Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if !page.MatchString(s.Source) {
			t.Errorf("%s: source %q names no page", name, s.Source)
		}
		if other := names[s.Name]; other != "" {
			t.Errorf("%s and %s have one name", name, other)
		}
		names[s.Name] = name
		if !s.expects() {
			t.Errorf("%s expects nothing", name)
		}
		if strings.HasSuffix(s.Name, ".") || len(s.Name) > 100 {
			t.Errorf("%s: the name %q is no heading", name, s.Name)
		}
		if path.Dir(name) == "." {
			t.Errorf("%s stands in no folder", name)
		}
	}
}

// trace is everything that went over the wire, durations apart.
func trace(list []sim.Exchange) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s %s\n%v\n%s\n%d %s\n%v\n%s\n\n", x.Method, x.URL, x.RequestHeaders, x.RequestBody, x.Status, x.Error, x.ResponseHeaders, x.ResponseBody)
	}
	return b.String()
}
