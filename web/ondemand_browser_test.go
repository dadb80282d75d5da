//go:build browser

package web_test

import (
	"strings"
	"sync"
	"testing"

	"entrasim/sim/clock"
)

// TestOnDemandInBrowser provisions a user and a group with a member by what a person sees and presses, before provisioning is
// started, and looks at each step.
func TestOnDemandInBrowser(t *testing.T) {
	axe := axeScript(t)
	b := newBrowser(t)
	base := serveWith(t, "", clock.Manual)
	b.open(base + "/applications")
	b.press("main", "ConfigCat")
	b.press(".menu", "Provision on demand")
	b.see("Provision one user, or a group with up to five of its members, at once.")
	b.shot("ondemand-choose")
	choose := evaluate[string](b, "location.pathname")
	app := strings.TrimSuffix(choose, "/provisioning/on-demand")

	// A user who is a member of an assigned group.
	b.open(base + app + "/users")
	b.press("main .table-box", "Product")
	b.see("Members")
	name := evaluate[string](b, `[...document.querySelectorAll('main a[href^="/users/"]')].map(a => a.innerText.trim())[1]`)
	b.open(base + choose)
	b.fill(`main input[name=q]`, name)
	b.press("main", "Search")
	b.press(".picklist", name)
	b.see("Selected user")
	b.press("main form", "Provision")
	b.see("4. Perform action")
	b.see(name + " created in customappsso.")
	b.until("no test of the connection", `!document.body.innerText.includes("Test connection")`)
	b.press("#run-steps li:nth-child(4)", "View details")
	b.see("Modified value")
	b.see("userName")
	b.shot("ondemand-user")
	user := evaluate[string](b, "location.pathname + location.search")
	b.press(".panel .tabs", "Scope")
	b.see("User has required role")
	b.shot("ondemand-scope")
	b.press("main .commands", "Retry")
	b.see("The state of the user in both the source and target systems already match.")

	b.press("main .commands", "Provision another object")
	b.fill(`main input[name=q]`, "Product")
	b.press("main", "Search")
	b.press(".picklist", "Product")
	b.see("Select members")
	b.press(".picklist", name)
	b.shot("ondemand-members")
	chosen := evaluate[string](b, "location.pathname + location.search")
	b.press("main form:last-of-type", "Provision")
	b.see("1. Import group")
	b.see("Product created in customappsso.")
	b.press("#run-steps li:nth-child(4)", "View details")
	b.see("members")
	b.shot("ondemand-group")
	group := evaluate[string](b, "location.pathname + location.search")
	for _, page := range []string{choose, chosen, user, group, strings.Replace(user, "step=action", "step=match", 1), choose + "?q=nobody"} {
		checkPage(t, b, new(sync.Map), axe, base, page, true)
	}
}
