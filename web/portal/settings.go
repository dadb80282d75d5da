package portal

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type settingsView struct {
	Base
	Fields, Switches, Faulty []Field
	Changed                  int // switches that differ from their defaults
}

var offOn = []Option{{"false", "Off"}, {"true", "On"}}

// settings is the page of what an application's provisioning goes by beside its credentials and mappings.
func (p *Portal) settings(c echo.Context) error {
	b, app, j, err := p.appPage(c, "settings", "Settings")
	if err != nil {
		return err
	}
	if j == nil {
		return complain(c, "/applications/"+app.ID+"/provisioning", said("Provisioning is not configured yet."))
	}
	set := j.Settings
	typed := map[string]string{"email": set.NotificationEmail, "notify": strconv.FormatBool(set.NotificationEnabled), "prevent": strconv.FormatBool(set.PreventDeletes),
		"deleteThreshold": strconv.Itoa(set.DeleteThreshold), "skip": strconv.FormatBool(set.SkipOutOfScopeDeletions)}
	for name, v := range set.Switches {
		typed[name] = v
	}
	return showSettings(c, settingsView{Base: b, Changed: len(set.Switches)}, typed, nil)
}

func showSettings(c echo.Context, v settingsView, typed, faults map[string]string) error {
	v.Fields = []Field{
		{Name: "email", Label: "Notification email", Type: "email", Optional: true, Hint: "No mail leaves this program: Notification mails shows what would be sent."},
		{Name: "notify", Label: "Send an email notification when a failure occurs", Options: offOn, Hint: "Told of a quarantine, never of single objects."},
		{Name: "prevent", Label: "Prevent accidental deletions", Options: offOn, Hint: "A cycle that would disable or delete more objects than the threshold holds them back, and waits for Allow deletes."},
		{Name: "deleteThreshold", Label: "Accidental deletion threshold", Type: "number", Hint: "So many objects a cycle may disable or delete."},
		{Name: "skip", Label: "Skip out of scope deletions", Options: offOn, Hint: "SkipOutOfScopeDeletions: who leaves scope stays as it is at the target."},
	}
	for _, w := range sim.Switches() {
		f := Field{Name: w.Name, Label: w.Name, Hint: w.Text + " Default: " + w.Default + "."}
		if _, ok := typed[w.Name]; !ok {
			typed[w.Name] = w.Default
		}
		for _, choice := range w.Choices {
			f.Options = append(f.Options, Option{choice, choice})
		}
		v.Switches = append(v.Switches, f)
	}
	for _, list := range [][]Field{v.Fields, v.Switches} {
		for i := range list {
			list[i].Value, list[i].Error = typed[list[i].Name], faults[list[i].Name]
		}
		v.Faulty = append(v.Faulty, faulty(list)...)
	}
	return form(c, "settings", faults, v)
}

// saveSettings writes what was entered; what was typed stays when something of it is refused.
func (p *Portal) saveSettings(c echo.Context) error {
	b, app, j, err := p.appPage(c, "settings", "Settings")
	if err != nil {
		return err
	}
	if j == nil {
		return echo.ErrNotFound
	}
	posted, err := c.FormParams()
	if err != nil {
		return echo.NewHTTPError(400, "The form can't be read.")
	}
	typed := map[string]string{}
	for name := range posted {
		typed[name] = strings.TrimSpace(posted.Get(name))
	}
	v := settingsView{Base: b, Changed: len(j.Settings.Switches)}
	email := typed["email"]
	notify, prevent, skip := typed["notify"] == "true", typed["prevent"] == "true", typed["skip"] == "true"
	edit := sim.SettingsEdit{NotificationEmail: &email, NotificationEnabled: &notify, PreventDeletes: &prevent, SkipOutOfScope: &skip, Switches: map[string]string{}}
	limit, err := strconv.Atoi(typed["deleteThreshold"])
	if err != nil {
		return showSettings(c, v, typed, map[string]string{"deleteThreshold": "Enter a number of objects."})
	}
	edit.DeleteThreshold = &limit
	if notify && email == "" {
		return showSettings(c, v, typed, map[string]string{"email": "Enter whom to notify, or choose Off below."})
	}
	for _, w := range sim.Switches() {
		if value, ok := typed[w.Name]; ok {
			edit.Switches[w.Name] = value
		}
	}
	err = p.Service.UpdateSettings(app.ID, edit)
	if faults := fieldErrors(err, "email"); faults != nil && directory.CodeOf(err) == directory.Invalid {
		return showSettings(c, v, typed, faults)
	}
	if err != nil {
		return err
	}
	return say(c, "/applications/"+app.ID+"/provisioning/settings", "Settings saved.")
}
