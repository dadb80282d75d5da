package graph

import (
	"net/http"

	"entrasim/directory"
)

// getConnection is a link of a job by an id of either side (api/synchronization-objectconnection-get.md of the beta).
func (g *Graph) getConnection(c *call) error {
	j, context, err := g.job(c)
	if err != nil {
		return err
	}
	id := c.params["object"]
	x, err := g.svc.Connection(j.ApplicationID, id)
	switch {
	case directory.CodeOf(err) == directory.NotFound:
		return syncMissing("The object connection '%s' does not exist.", id)
	case err != nil:
		return err
	}
	var name any
	if x.DisplayName != "" {
		name = x.DisplayName
	}
	return c.entity(http.StatusOK, context+"('"+j.ID+"')/objectConnections/$entity", object{{"objectId", id}, {"sourceAnchor", x.SourceAnchor},
		{"targetAnchor", x.TargetAnchor}, {"displayName", name}, {"objectTypeName", x.TypeName}})
}

// listConnections refuses: connections are read one by one (resources/synchronization-objectconnection.md).
func (g *Graph) listConnections(c *call) error {
	if _, _, err := g.job(c); err != nil {
		return err
	}
	return badRequest("Object connections can't be listed. Ask for one by the id of its object in the directory, or at the target.")
}

// deleteConnection forgets a link; one that is not there is gone (api/synchronization-synchronizationjob-delete-objectconnections.md).
func (g *Graph) deleteConnection(c *call) error {
	j, _, err := g.job(c)
	if err != nil {
		return err
	}
	err = g.svc.DeleteConnection(j.ApplicationID, c.params["object"])
	if directory.CodeOf(err) == directory.Conflict {
		return &Error{Status: http.StatusConflict, Code: "Conflict", Message: err.Error()}
	}
	if err != nil {
		return err
	}
	return c.noContent()
}
