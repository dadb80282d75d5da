package graph

import (
	"errors"
	"net/http"

	"entrasim/sim/expr"
)

// The codes of errors in an answer of parseExpression; the names are this program's own.
const (
	codeExpressionSyntax = "ExpressionParsingError"
	codeExpressionValue  = "ExpressionEvaluationError"
)

// parseExpression is api/synchronization-synchronizationschema-parseexpression.md: an expression as a tree, and what it
// yields for the attributes of the test object, when there is one. What is wrong with the expression stands in an answer 200.
func (g *Graph) parseExpression(c *call) error {
	var body struct {
		Expression *string `json:"expression"`
		Test       *struct {
			Definition any `json:"definition"`
			Properties []struct {
				Key   string `json:"key"`
				Value any    `json:"value"`
			} `json:"properties"`
		} `json:"testInputObject"`
		Target any `json:"targetAttributeDefinition"`
	}
	if err := g.schemaOf(c); err != nil {
		return err
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	if body.Expression == nil {
		return badRequest("A value is required for parameter 'expression'.")
	}
	answer := func(failed any, parsed bool, tree any, evaluated bool, result []string) error {
		return c.entity(http.StatusOK, "microsoft.graph.parseExpressionResponse", object{{"error", failed}, {"evaluationResult", result},
			{"evaluationSucceeded", evaluated}, {"parsedExpression", tree}, {"parsingSucceeded", parsed}})
	}
	e, err := expr.Parse(*body.Expression)
	if err != nil {
		return answer(expressionError(codeExpressionSyntax, err), false, nil, false, []string{})
	}
	if body.Test == nil {
		return answer(nil, true, e.Tree(), false, []string{})
	}
	input := expr.Attributes{}
	for _, p := range body.Test.Properties {
		v, ok := attributeValue(p.Value)
		if !ok {
			return badRequest("Invalid value specified for property 'testInputObject/properties': '%s' is neither text, a Boolean, a number nor a list of text.", p.Key)
		}
		input[p.Key] = v
	}
	env := &expr.Env{Attribute: input.Attribute, Now: g.svc.Clock().Now(), DefaultDomain: g.dir.Tenant().DefaultDomain}
	r, err := e.Eval(env)
	if err != nil {
		return answer(expressionError(codeExpressionValue, err), true, e.Tree(), false, []string{})
	}
	result := []string{}
	switch {
	case r.IgnoreFlow || r.IgnoreObject || r.Value.IsNull():
	case r.Value.IsList():
		result = append(result, r.Value.List()...)
	default:
		result = append(result, r.Value.Text())
	}
	return answer(nil, true, e.Tree(), true, result)
}

func expressionError(code string, err error) object {
	message := err.Error()
	if e := (*expr.Error)(nil); errors.As(err, &e) {
		message = e.Error()
	}
	return object{{"code", code}, {"message", message}, {"tenantActionable", true}}
}

// attributeValue makes an attribute of a JSON value.
func attributeValue(v any) (expr.Value, bool) {
	switch x := v.(type) {
	case nil, string, bool, float64:
		return expr.Of(v), true
	case []any:
		list := []string{}
		for _, e := range x {
			s, ok := e.(string)
			if !ok {
				return expr.Null, false
			}
			list = append(list, s)
		}
		return expr.List(list), true
	}
	return expr.Null, false
}
