package portal_test

import (
	"fmt"
	"strings"
	"testing"

	"entrasim/sim"
)

// TestEndlessWork: an attribute that the target does not return is named on the overview and in the record, with the cure;
// before it is sent for the third time nothing is.
func TestEndlessWork(t *testing.T) {
	s := newSite(t, 60, "")
	s.cycle()
	id := s.member("Engineering")
	s.fault(`{"faults":[{"hide":["active"]}]}`)
	overview := "/applications/" + s.app + "/provisioning"
	for i := range 3 {
		if p := s.get(overview); p.root.id("endless") != nil {
			t.Fatalf("after %d updates: %s", i, p.text())
		}
		s.post("/users/"+id, "displayName", fmt.Sprintf("<b>Person %d</b>", i))
		s.cycle()
	}
	const found = "active was sent with 3 updates in a row: the target takes it and returns no value of it."
	p := s.get(overview)
	s.sound(p)
	s.see(p, "Comes back in cycle after cycle", found, "W-102", "Let the target store active and return it with GET", "<b>Person 2</b>")
	page, err := s.svc.Logs(sim.LogQuery{ObjectID: id, Limit: 1})
	no(t, err)
	for _, tab := range []string{"steps", "troubleshooting"} {
		p := s.get("/logs?record=" + page.Items[0].ID + "&tab=" + tab)
		s.sound(p)
		s.see(p, found, "W-102")
	}
}

// TestEstimateIsShown: before its first cycle the overview says how long that takes at Microsoft.
func TestEstimateIsShown(t *testing.T) {
	s := newSite(t, 60, "")
	e, known, err := s.svc.Estimate(s.app)
	no(t, err)
	if !known || e.Units < 20 {
		t.Fatalf("%+v", e)
	}
	overview := "/applications/" + s.app + "/provisioning"
	s.see(s.get(overview), "Initial cycle at Microsoft", fmt.Sprintf("%d seconds to", int(e.Least.Seconds()+0.5)))
	s.cycle()
	if strings.Contains(s.get(overview).text(), "Initial cycle at Microsoft") {
		t.Error("the estimate stays behind the first cycle")
	}
}
