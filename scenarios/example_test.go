package scenarios_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"entrasim/scenarios"
	"entrasim/sim/target"
)

// endpoint stands for the SCIM endpoint that you are building.
func endpoint() http.Handler {
	s, err := target.New(target.Options{Token: "secret", Now: time.Now, Seed: 7})
	if err != nil {
		panic(err)
	}
	return s.Handler("default")
}

// A test of your endpoint has three lines, and each scenario becomes a subtest.
func ExampleTest() {
	TestEndpoint := func(t *testing.T) {
		scenarios.Test(t, scenarios.Handler(endpoint(), "/scim", "secret"), "stories/joiner-mover-leaver", "groups")
	}
	// In a file of your own the function above is all; go test calls it.
	fmt.Println(testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "TestEndpoint", F: TestEndpoint}}))
	// Output: true
}

// Without go test a scenario is read, played and looked at.
func ExampleRun() {
	s, err := scenarios.Builtin("deprovisioning/blocked")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := scenarios.Run(context.Background(), s, scenarios.Handler(endpoint(), "/scim", "secret"), scenarios.Options{})
	fmt.Println(s.Name+":", r.Verdict)
	for _, st := range r.Steps {
		fmt.Printf("%d. %s\n", st.Number, st.Step.Actions())
		for _, sent := range st.Sent {
			if !sent.Probe {
				fmt.Println("  ", sent.Line(), sent.Exchange.Status)
			}
		}
	}
	// Output:
	// A blocked user is switched off, not deleted: passed
	// 1. cycle
	//    GET /Users?filter=userName eq "adele@contoso.example" 200
	//    POST /Users 201
	// 2. update adele; cycle
	//    GET /Users/{adele} 200
	//    PATCH /Users/{adele} 200
	// 3. update adele; cycle
	//    GET /Users/{adele} 200
	//    PATCH /Users/{adele} 200
}

// ExamplePlayer goes through a scenario step by step, as a page that shows it does.
func ExamplePlayer() {
	s, err := scenarios.Parse("my.yaml", []byte(scenarios.Template))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	p, err := scenarios.Open(ctx, s, scenarios.Target{}, scenarios.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		st, more := p.Next(ctx)
		if !more {
			break
		}
		held, err := p.Holds(ctx)
		fmt.Println(st.Title, st.Verdict, len(st.Checks), "checks;", len(held), "at the target", err)
	}
	r, err := p.Close(ctx)
	fmt.Println(r.Verdict, err)
	// Output:
	// The first cycle creates the person and the group. passed 3 checks; 2 at the target <nil>
	// Blocked in the directory, the person is switched off at the target forty minutes later. passed 3 checks; 2 at the target <nil>
	// passed <nil>
}

// TestHandler plays stories and groups against a handler of this process, as users of the package do.
func TestHandler(t *testing.T) {
	scenarios.Test(t, scenarios.Handler(endpoint(), "/scim", "secret"), "stories/joiner-mover-leaver", "stories/set-up-guide", "groups")
}
