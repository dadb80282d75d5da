package portal_test

import (
	"strings"
	"testing"
)

// TestSettings: what is entered is kept with the application and refused where it can't be meant, and defaults count as
// nothing changed.
func TestSettings(t *testing.T) {
	s := newSite(t, 20, "")
	at := "/applications/" + s.app + "/provisioning/settings"
	p := s.get(at)
	s.see(p, "Prevent accidental deletions", "Accidental deletion threshold", "memberBatch", "quarantineAttempts", "Default: 6h 12h 24h.")
	s.sound(p)
	if p.value("deleteThreshold") != "500" || p.value("prevent") != "false" {
		t.Errorf("threshold %q, prevent %q", p.value("deleteThreshold"), p.value("prevent"))
	}
	s.see(s.post(at, "email", "it@contoso.example", "notify", "true", "prevent", "true", "deleteThreshold", "2", "skip", "false", "memberBatch", "7", "escrowsPercent", "40"), "Settings saved.")
	j, err := s.svc.Job(s.app)
	no(t, err)
	if x := j.Settings; !x.PreventDeletes || x.DeleteThreshold != 2 || x.NotificationEmail != "it@contoso.example" || !x.NotificationEnabled || len(x.Switches) != 1 || x.Switches["memberBatch"] != "7" {
		t.Errorf("%+v", x)
	}
	s.see(s.get(at), "1 changed")
	p = s.post(at, "email", "", "notify", "false", "prevent", "true", "deleteThreshold", "2", "memberBatch", "none")
	s.see(p, "is no whole number from 1 to 10000")
	if p.status != 422 || p.value("memberBatch") != "none" {
		t.Errorf("%d, %q", p.status, p.value("memberBatch"))
	}
	s.see(s.post(at, "email", "", "notify", "true", "deleteThreshold", "2"), "Enter whom to notify")
	s.see(s.post(at, "email", "", "notify", "false", "deleteThreshold", "many"), "Enter a number of objects.")
}

// TestHeldDeletions: the banner names the reason and who is held, and Allow deletes asks before it carries them out.
//
// Shows: S-177
func TestHeldDeletions(t *testing.T) {
	s := newSite(t, 20, "")
	at := "/applications/" + s.app + "/provisioning"
	s.see(s.post(at+"/settings", "email", "it@contoso.example", "notify", "true", "prevent", "true", "deleteThreshold", "1", "skip", "false"), "Settings saved.")
	s.cycle()
	s.see(s.get("/mails"), "No mails")
	page, err := s.svc.Directory().Assignments(s.app, "", 100)
	no(t, err)
	for _, a := range page.Items {
		no(t, s.svc.Unassign(s.app, a.ID))
	}
	s.cycle()
	p := s.get(at)
	s.see(p, "Quarantined: too many deletions", "more than the threshold of 1. None of it was carried out.", "Allow deletes", "View provisioning logs", "TooManyDeletes", "Held deletions", "Reject")
	s.sound(p)
	p = s.get("/target?application=" + s.app)
	s.see(p, "the deletion threshold holds that back")
	if strings.Contains(p.text(), "sends what differs") || strings.Contains(p.text(), "deletes it") {
		t.Error("what is held is promised for the next cycle")
	}
	s.see(s.get("/mails"), "met the threshold for deletions", "it@contoso.example", "azure-noreply@microsoft.com")
	s.see(s.get("/logs?action=stagedDelete"), "StagedDelete", "TooManyDeletes")
	p = s.questioned(at+"/allow", "Allow deletes?")
	s.see(p, "Deletes allowed")
	s.see(s.post("/clock", "do", "cycle", "back", at), "Healthy")
}
