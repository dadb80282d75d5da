//go:build browser

package web_test

import (
	"strings"
	"sync"
	"testing"

	"entrasim/sim/clock"
)

// TestScenarioInBrowser plays a scenario by button and by key, and brings one along with a mistake.
func TestScenarioInBrowser(t *testing.T) {
	axe := axeScript(t)
	b := newBrowser(t)
	base := serveWith(t, "", clock.Manual)
	b.open(base + "/scenarios")
	b.press("main", "A joiner, a mover, a leaver")
	b.see("Before the first step")
	b.press(".playbar", "Next step")
	b.see("Step 1 of 5")
	// The focus stays on the button, so that the next press of Enter goes on.
	b.until("the focus on the button", `document.activeElement.dataset.again === "next"`)
	b.see("Passed")
	b.key("ArrowRight")
	b.see("2. Nadia joins Sales, under Viola.")
	b.press("main", "/Users/{nadia-noor}")
	b.see(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"`)
	b.shot("scenario")
	b.press(".playbar", "Run to end")
	b.see("Step 5 of 5")
	b.until("the focus on a button", `"again" in document.activeElement.dataset`)
	b.press(".playbar", "Restart")
	b.see("Before the first step")
	b.key("Escape")
	b.see("Targets that fail")
	b.shot("scenarios")

	b.press("main", "Your own scenario")
	b.fill("#source", "name: x\nsteps:\n  - cycel:\n")
	b.press("main", "Check and open")
	b.see("did you mean cycle?")
	b.press("#faulty", "Line 3, column 5")
	b.until("the place of the mistake", `document.activeElement.id === "source" && document.activeElement.value.slice(document.activeElement.selectionStart).startsWith("cycel")`)
	for _, fault := range evaluate[[]string](b, axe+"; "+axeRun("")) {
		t.Errorf("the page with a mistake: %s", fault)
	}
	b.shot("scenario-mistake")
	b.fill("#source", "name: Failing\ntenant: {users: {ann: {department: Sales}}}\napplication: {assigned: [ann]}\nsteps:\n  - say: One is made.\n    cycle:\n    expect:\n      counts: {create: 2}\n")
	b.press("main", "Check and open")
	b.see("Before the first step")
	own := evaluate[string](b, "location.pathname")
	b.press(".playbar", "Next step")
	b.see("1 of 1 not seen")
	b.shot("scenario-failed")
	if !strings.HasPrefix(own, "/scenarios/own/") {
		t.Fatal(own)
	}
	for _, page := range []string{own + "?step=1", "/scenarios/stories/joiner-mover-leaver?step=3", "/scenarios/stories/joiner-mover-leaver?step=5", "/scenarios/faults/too-many-requests?step=1", "/scenarios/stories/generated-company?step=2"} {
		checkPage(t, b, new(sync.Map), axe, base, page, true)
	}
}

// key presses a key where nothing has the focus.
func (b *browser) key(name string) {
	b.Helper()
	evaluate[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "`+name+`", bubbles: true}))`)
}
