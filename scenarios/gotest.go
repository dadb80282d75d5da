package scenarios

import (
	"context"
	"net/http"
	"strings"
)

// testingT is the part of *testing.T that Test uses; the package does not import testing, which is no part of the program.
type testingT[T any] interface {
	Helper()
	Context() context.Context
	Run(name string, f func(T)) bool
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
}

// Handler is the target that an http.Handler of the test's own process is: path is the base path that it serves, such as
// /scim/v2, token the bearer token that it wants.
func Handler(h http.Handler, path, token string) Target {
	return Target{Handler: h, Path: path, Token: token}
}

// Endpoint is the target at a Tenant URL.
func Endpoint(url, token string) Target { return Target{URL: url, Token: token} }

// Test plays scenarios against an endpoint under test, each as a subtest: files, folders, built-in scenarios or their
// folders, as the command line names them. A scenario that sees something else than it expects fails with the file's line,
// what was expected against what was seen, the exchange, and the requirement of Entra that the endpoint breaks. One that
// needs faults which only the embedded target plays is skipped.
func Test[T testingT[T]](t T, target Target, names ...string) {
	t.Helper()
	list, err := Load(names...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, s := range list {
		t.Run(s.ID, func(t T) {
			r := Run(t.Context(), s, target, Options{})
			var b strings.Builder
			if err := Print(&b, r, Style{}); err != nil {
				t.Fatalf("%v", err)
			}
			switch r.Verdict {
			case Passed:
				if len(r.Warnings)+len(r.Left)+len(r.Diagnoses) > 0 {
					t.Logf("%s", b.String())
				}
			case Skipped:
				t.Skipf("%s", r.Reason)
			default:
				t.Errorf("%s", b.String())
			}
		})
	}
}
