package control

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/web/openapi"
)

// route is one row of the table that the router and the OpenAPI document are made from.
type route struct {
	method, path string
	handle       func(c *control, ctx echo.Context) error
	doc          string
	query        []openapi.Param
	body         any    // a value of the type that the body is read into
	answer       any    // a value of the type that is answered
	media        string // of an answer that is no JSON
}

var routes = []route{
	{method: "GET", path: "/healthz", handle: (*control).health, doc: "Readiness", answer: map[string]string{}},
	{method: "GET", path: "/metrics", handle: (*control).metrics, doc: "Prometheus metrics", media: "text/plain"},
	{method: "GET", path: "/sim/clock", handle: (*control).clock, doc: "Read the clock", answer: sim.ClockState{}},
	{method: "POST", path: "/sim/clock", handle: (*control).setClock, doc: "Move or set the clock; answers when what fell due has run", body: clockChange{}, answer: clockAnswer{}},
	{method: "POST", path: "/sim/cycle", handle: (*control).cycle, doc: "Run the next cycle of each started job, or of one", body: cycleRequest{}, answer: cycleList{}},
	{method: "GET", path: "/sim/traffic", handle: (*control).traffic, doc: "Recorded exchanges, oldest first", query: []openapi.Param{{Name: "after", Doc: "The number of the last exchange that is known", Integer: true}, {Name: "limit", Doc: "How many at most, 1000 unless told", Integer: true}}, answer: sim.TrafficPage{}},
	{method: "GET", path: "/sim/traffic.har", handle: (*control).har, doc: "Recorded exchanges as HAR 1.2", answer: sim.HAR{}},
	{method: "GET", path: "/sim/events", handle: (*control).events, doc: "Server-sent events", media: "text/event-stream"},
	{method: "GET", path: "/sim/why", handle: (*control).why, doc: "Why, or why not, an object was provisioned", query: []openapi.Param{{Name: "object", Doc: "The id of a user or group", Required: true}}, answer: whyList{}},
	{method: "GET", path: "/sim/faults", handle: (*control).faults, doc: "Faults that the embedded target injects", answer: faultList{}},
	{method: "PUT", path: "/sim/faults", handle: (*control).setFaults, doc: "Replace the faults", body: faultList{}, answer: faultList{}},
	{method: "DELETE", path: "/sim/faults", handle: (*control).clearFaults, doc: "Take every fault away"},
	{method: "GET", path: "/sim/scenario.schema.json", handle: (*control).scenarioSchema, doc: "JSON Schema of scenario files", media: "application/schema+json"},
	{method: "POST", path: "/sim/reset", handle: (*control).reset, doc: "Back to what a new file holds"},
}

// clockAnswer is what a posted clock answers with: the clock, or where an advance ended and what ran.
type clockAnswer struct {
	sim.ClockState
	Cycles []sim.CycleResult `json:"cycles"`
}

// Operations are the rows of the table.
func Operations() []openapi.Operation {
	var list []openapi.Operation
	for _, r := range routes {
		op := openapi.Operation{Tag: "sim", Method: r.method, Path: r.path, Doc: r.doc, Query: r.query, Status: http.StatusOK, Type: r.media, Error: "simError"}
		if r.body != nil {
			op.Body = openapi.SchemaOf(r.body)
		}
		switch {
		case r.answer != nil:
			op.Answer = openapi.SchemaOf(r.answer)
		case r.media != "":
			op.Answer = openapi.Object{"type": "string"}
		default:
			op.Status = http.StatusNoContent
		}
		list = append(list, op)
	}
	return list
}

// Schemas are the components that the operations refer to.
func Schemas() openapi.Object {
	text := openapi.Object{"type": "string"}
	return openapi.Object{"simError": openapi.Object{"type": "object", "required": []string{"error"}, "properties": openapi.Object{
		"error": openapi.Object{"type": "object", "properties": openapi.Object{"code": text, "message": text}}}}}
}
