package portal

import (
	"errors"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/scim"
)

type discoveryView struct {
	Base
	Report *sim.Discovery
	Stats  []Stat
	Shown  []sim.Discovered
	What   string   // of the list shown
	By     []string // rules
}

var discovered = []struct {
	category         sim.Category
	word, icon, text string
}{
	{sim.LocalAccount, "Local accounts", "user", "Nobody in the directory has the value of the matching attribute."},
	{sim.UnassignedUser, "Unassigned users", "link", "A user matches, and is not assigned to the application."},
	{sim.AssignedUser, "Assigned users", "check", "A user matches, and is assigned."},
}

// discovery shows the accounts that the target holds, by category (how-to-account-discovery.md).
func (p *Portal) discovery(c echo.Context) error {
	b, app, j, err := p.appPage(c, "discovery", "Discover identities")
	if err != nil {
		return err
	}
	if j == nil {
		return echo.ErrNotFound
	}
	v := discoveryView{Base: b, By: []string{"S-370", "S-371", "S-373"}}
	if v.Report, err = p.Service.LastDiscovery(app.ID); err != nil {
		return err
	}
	if v.Report == nil {
		return render(c, 200, "discovery", v)
	}
	chosen := sim.Category(c.QueryParam("category"))
	if chosen == "" {
		chosen = sim.LocalAccount
	}
	for _, d := range discovered {
		v.Stats = append(v.Stats, Stat{N: v.Report.Counts[d.category], Word: d.word, Icon: d.icon, Href: address(c, "category", string(d.category))})
		if d.category == chosen {
			v.What = d.word + ". " + d.text
		}
	}
	for _, a := range v.Report.Accounts {
		if a.Category == chosen {
			v.Shown = append(v.Shown, a)
		}
	}
	return render(c, 200, "discovery", v)
}

func (p *Portal) discover(c echo.Context) error {
	to := "/applications/" + c.Param("id") + "/provisioning/discovery"
	d, err := p.Service.Discover(c.Request().Context(), c.Param("id"))
	var failed *scim.Error
	switch {
	case errors.As(err, &failed):
		return complain(c, to, said(failed.Message))
	case err != nil:
		return complain(c, to, err)
	}
	n := d.Counts[sim.LocalAccount] + d.Counts[sim.UnassignedUser] + d.Counts[sim.AssignedUser]
	return say(c, to, plural(n, "account")+" found at the target.")
}
