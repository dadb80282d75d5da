package graph

import (
	"net/http"
	"strings"

	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// schemaOf finds the job or the template whose schema the path addresses.
func (g *Graph) schemaOf(c *call) error {
	if c.params["template"] != "" {
		_, _, err := g.syncTemplateID(c)
		return err
	}
	_, _, err := g.job(c)
	return err
}

// listOperators answers the operators of scoping filters (api/synchronization-synchronizationschema-filteroperators.md).
func (g *Graph) listOperators(c *call) error {
	if err := g.schemaOf(c); err != nil {
		return err
	}
	var list []object
	for _, o := range mapping.OperatorTable() {
		arity := "Binary"
		if o.Unary {
			arity = "Unary"
		}
		list = append(list, object{{"id", o.Name}, {"name", o.Name}, {"arity", arity}, {"multivaluedComparisonType", "All"}, {"supportedAttributeTypes", o.Types}})
	}
	return collection(c, "Collection(microsoft.graph.filterOperatorSchema)", list)
}

// listFunctions answers the functions of expressions (api/synchronization-synchronizationschema-functions.md).
func (g *Graph) listFunctions(c *call) error {
	if err := g.schemaOf(c); err != nil {
		return err
	}
	var list []object
	for _, f := range expr.Functions() {
		params := []object{}
		for _, p := range f.Params {
			params = append(params, object{{"allowMultipleOccurrences", p.Repeat}, {"name", p.Name}, {"required", !p.Optional}, {"type", p.Kind.GraphType()}})
		}
		list = append(list, object{{"name", f.Name}, {"parameters", params}})
	}
	return collection(c, "Collection(microsoft.graph.attributeMappingFunctionSchema)", list)
}

// listDirectories answers the two directories of a job's schema, or the one that the path names.
func (g *Graph) listDirectories(c *call) error {
	j, context, err := g.job(c)
	if err != nil {
		return err
	}
	s, err := g.svc.Schema(j.ApplicationID)
	if err != nil {
		return err
	}
	context += "('" + j.ID + "')/schema/directories"
	id := c.params["directory"]
	if id == "" {
		return collection(c, context, s.Directories)
	}
	for _, d := range s.Directories {
		if strings.EqualFold(d.ID, id) {
			return c.json(http.StatusOK, d)
		}
	}
	return syncMissing("The directory '%s' does not exist in the schema.", id)
}
