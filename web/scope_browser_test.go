//go:build browser

package web_test

import (
	"strings"
	"sync"
	"testing"

	"entrasim/sim/clock"
)

// TestScopeInBrowser makes a scoping filter by hand; the test of somebody follows what is typed.
func TestScopeInBrowser(t *testing.T) {
	axe := axeScript(t)
	b := newBrowser(t)
	base := serveWith(t, "", clock.Manual)
	b.open(strings.TrimSuffix(base+startApp(t, base), "/") + "/mapping")
	b.press("main", "All records")
	b.see("All records are in scope")
	b.press(".commands", "Add scoping filter")
	b.see("Scoping filter 1")
	b.fill("#f-title-0", "Sales")
	b.fill("#f-attribute-0-0", "department")
	b.fill("#f-value-0-0", "Nobody's department")
	b.see("does not pass")
	b.press("main", "Add New Scoping Clause")
	b.until("a second clause", `document.querySelector("#f-attribute-0-1") && document.querySelector("#f-value-0-0").value === "Nobody's department"`)
	b.press(".commands", "Save")
	b.see("names no attribute")
	for _, theme := range []string{"light", "dark"} {
		b.theme(theme)
		for _, fault := range evaluate[[]string](b, axe+"; "+axeRun("")) {
			t.Errorf("with a mistake, %s: %s", theme, fault)
		}
	}
	b.shot("scope")
	b.press("main", "Delete clause 2 of filter 1")
	b.until("one clause", `!document.querySelector("#f-attribute-0-1")`)
	b.press(".commands", "Save")
	b.see("Scope saved.")
	checkPage(t, b, new(sync.Map), axe, "", evaluate[string](b, "location.href"), true)
}
