package portal

import (
	"fmt"

	"entrasim/directory"
	"entrasim/sim"
)

// whyView is why an object is, or is not, at the target of one application, with the cure when there is one.
type whyView struct {
	sim.Explanation
	Name       string // of the object
	Class      string // of the verdict: ok, warn or bad
	HasGap     bool   // it is not provisioned
	Assignable bool
	ObjectID   string
}

// why explains an object for each application.
func (p *Portal) why(o directory.Object, deleted bool) ([]whyView, error) {
	list, err := p.Service.Why(o.ID)
	if err != nil {
		return nil, err
	}
	views := make([]whyView, len(list))
	for i, x := range list {
		v := whyView{Explanation: x, Name: o.DisplayName, ObjectID: o.ID, HasGap: !x.InScope && x.Link == nil}
		switch {
		case x.Escrow != nil:
			v.Class = "bad"
		case x.InScope && x.Link != nil && x.Link.State == sim.LinkActive:
			v.Class = "ok"
		case !x.InScope:
			v.Class = "warn"
		}
		for _, check := range x.Checks {
			if check.Name == "Assigned to the application" && !check.Pass && !deleted {
				v.Assignable = true
			}
		}
		views[i] = v
	}
	return views, nil
}

// Question heads the explanation.
func (v whyView) Question() string {
	if v.HasGap {
		return fmt.Sprintf("Why not in %s?", v.ApplicationName)
	}
	return "In " + v.ApplicationName
}
