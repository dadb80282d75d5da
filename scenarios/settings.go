package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"entrasim/sim"
)

// switches are the settings of a file that the service knows under the same name, as texts.
func (s *Settings) switches() map[string]string {
	list := map[string]string{}
	for _, f := range fieldsOf(s).all {
		if f.value.IsNil() || !sim.IsSwitch(f.name) {
			continue
		}
		switch v := f.value.Elem(); v.Kind() {
		case reflect.String:
			list[f.name] = v.String()
		default:
			list[f.name] = fmt.Sprint(v.Interface())
		}
		if (f.name == "adscimVersion" || f.name == "accept") && list[f.name] == "" {
			list[f.name] = "none"
		}
	}
	return list
}

// edit is what a file sets, in the service's terms.
func (s *Settings) edit() (e sim.SettingsEdit, err error) {
	e.Switches, e.SkipOutOfScope, e.NotificationEmail = s.switches(), s.SkipOutOfScopeDeletions, s.NotificationEmail
	if s.NotificationEmail != nil {
		on := *s.NotificationEmail != ""
		e.NotificationEnabled = &on
	}
	if s.PreventDeletions == nil {
		return e, nil
	}
	on := *s.PreventDeletions != "off"
	e.PreventDeletes = &on
	if on {
		n, err := strconv.Atoi(*s.PreventDeletions)
		if err != nil || n < 0 {
			return e, fmt.Errorf("preventDeletions is %q; expected a number of objects, or off", *s.PreventDeletions)
		}
		e.DeleteThreshold = &n
	}
	return e, nil
}

// settings checks the settings of a file.
func (c *checker) settings(s *Settings) {
	if _, err := s.edit(); err != nil {
		c.at(c.under(s.At, "preventDeletions"), err.Error(), "")
	}
	for name, v := range s.switches() {
		if err := sim.CheckSwitch(name, v); err != nil {
			c.at(c.under(s.At, name), name+": "+strings.TrimPrefix(err.Error(), name+": "), "")
		}
	}
}

// texts compares texts with patterns, one for one: each holds its pattern.
func (p *Player) texts(what string, e *Texts, seen []string) Check {
	c := Check{At: e.At, What: what, Verdict: Passed}
	ok := len(e.List) == len(seen)
	for i := 0; ok && i < len(seen); i++ {
		ok = strings.Contains(seen[i], p.match.fill(e.List[i]))
	}
	if !ok {
		c.differs(listed(e.List), listed(seen))
	}
	return c
}

// told is what the service had written into its mails and its audit log when a step began.
type told struct{ mails, audit string }

// newest notes the newest mail and audit record.
func (p *Player) newest() (t told, err error) {
	mails, err := p.world.svc.Mails("", 1)
	if err != nil {
		return t, err
	}
	audit, err := p.world.svc.Audit("", 1)
	if err != nil {
		return t, err
	}
	if len(mails.Items) > 0 {
		t.mails = mails.Items[0].ID
	}
	if len(audit.Items) > 0 {
		t.audit = audit.Items[0].ID
	}
	return t, nil
}

// mails are the notifications that the step brought, oldest first.
func (p *Player) mails() (list []string, err error) {
	page, err := p.world.svc.Mails("", 1000)
	for _, m := range page.Items {
		if m.ID == p.told.mails {
			break
		}
		list = append(list, p.names.text(m.Subject+"\n"+m.Body+"\nto "+m.To))
	}
	slices.Reverse(list)
	return list, err
}

// audited are the records of the step that the service itself wrote into the audit log, oldest first.
func (p *Player) audited() (list []string, err error) {
	page, err := p.world.svc.Audit("", 1000)
	for _, a := range page.Items {
		if a.ID == p.told.audit {
			break
		}
		if a.InitiatedBy != "Administrator" {
			list = append(list, p.names.text(a.Activity+": "+a.Detail))
		}
	}
	slices.Reverse(list)
	return list, err
}

// why compares the answer to why (not) this object? with texts that it must hold.
func (p *Player) why(e Map[string]) (checks []Check, err error) {
	for _, x := range e {
		list, err := p.world.svc.Why(p.names.objects[x.Key])
		if err != nil {
			return checks, err
		}
		c := Check{At: x.At, What: "why " + x.Key, Verdict: Passed}
		var said []string
		for _, w := range list {
			said = append(said, w.Verdict)
			for _, check := range append(slices.Clone(w.Checks), w.Steps...) {
				said = append(said, check.Text)
			}
		}
		if text := p.names.text(strings.Join(said, " ")); !strings.Contains(text, p.match.fill(x.Value)) {
			c.differs(x.Value, text)
		}
		checks = append(checks, c)
	}
	return checks, nil
}
