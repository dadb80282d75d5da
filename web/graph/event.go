package graph

import (
	"entrasim/directory"
	"entrasim/sim"
)

// Told is the data of one of the service's events as the GET that matches its topic answers it under base, such as
// http://127.0.0.1:8480/v1.0: a provisioning log record, a job, or the object that changed in the directory. What became of
// a directory object stands in front of it as op and kind; one in deleted items is shown as those are, and of one that is
// gone for good there is the id. A job that is gone is marked deleted. Other data is returned as it is.
func (g *Graph) Told(base string, data any) (any, error) {
	c := &call{base: base}
	entity := func(context string, o object) object { return o.with(member{"@odata.context", c.context(context)}) }
	switch x := data.(type) {
	case sim.LogRecord:
		return entity("auditLogs/provisioning/$entity", g.logObject(&x)), nil
	case sim.Job:
		o := entity("servicePrincipals('"+x.ApplicationID+"')/synchronization/jobs/$entity", jobObject(x))
		if x.Deleted {
			o = append(o, member{"deleted", true})
		}
		return o, nil
	case directory.Event:
		front := []member{{"op", x.Op}, {"kind", x.Kind}}
		context, o, err := g.present(c, x)
		if isMissing(err) {
			context, o, err = "directoryObjects/$entity", nil, nil
			if o, err = g.deletedObject(x.ID, nil); isMissing(err) {
				return object{{"id", x.ID}}.with(front...), nil
			}
		}
		if err != nil {
			return nil, err
		}
		return entity(context, o).with(front...), nil
	}
	return data, nil
}

// present shows the live object that an event is about, and names its context.
func (g *Graph) present(c *call, e directory.Event) (context string, o object, err error) {
	switch e.Kind {
	case directory.KindUser.String():
		u, err := g.dir.User(e.ID)
		if err != nil {
			return "", nil, err
		}
		o, err = g.users().show(c, &u, nil)
		return userKind.context(nil, true), o, err
	case directory.KindGroup.String():
		v, err := g.dir.Group(e.ID)
		if err != nil {
			return "", nil, err
		}
		o, err = g.groups().show(c, &v, nil)
		return groupKind.context(nil, true), o, err
	}
	sp, err := g.dir.ServicePrincipal(e.ID)
	if err != nil {
		return "", nil, err
	}
	o, err = g.principals().show(c, &sp, nil)
	return principalKind.context(nil, true), o, err
}
