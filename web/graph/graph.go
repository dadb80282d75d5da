// Package graph is the Microsoft Graph subset under /v1.0 and /beta, with the token endpoint and the discovery documents
// that its clients ask for. Scripts, SDKs and Terraform written for Microsoft Graph run against it with another base URL.
//
// route.go is the one table of what is supported: the router is made from it. A request is read by path.go and
// query.go, its body by body.go; handlers call the directory or the provisioning service and answer through call.go;
// error.go turns whatever went wrong into Graph's envelope. It decides nothing about provisioning. Start reading at
// Register.
package graph

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

// Deps is what the routes stand on.
type Deps struct {
	Service  *sim.Service
	APIToken string // "": nobody is asked for a token
	// StrictClients lets the token endpoint accept only the API token and the passwords of applications as client secrets;
	// otherwise any pair of id and secret gets a token, so that scripts run unchanged.
	StrictClients bool
	// OnDemandFormat is the form in which provisionOnDemand answers for one subject; "" is OnDemandReference.
	OnDemandFormat OnDemandFormat
	// ThrottleOnDemand enforces the documented rate of provisionOnDemand.
	ThrottleOnDemand bool
	Log              *slog.Logger
}

// Graph answers for Microsoft Graph. It is safe for concurrent use.
type Graph struct {
	svc    *sim.Service
	dir    *directory.Store
	token  string
	strict bool
	log    *slog.Logger
	router *router
	faults faults

	onDemandFormat   OnDemandFormat
	throttleOnDemand bool
	onDemandMu       sync.Mutex
	onDemandAt       []time.Time // when requests came lately

	keyMu sync.Mutex
	key   *signingKey // made when it is first needed
}

// New makes the API.
func New(d Deps) *Graph {
	return &Graph{svc: d.Service, dir: d.Service.Directory(), token: d.APIToken, strict: d.StrictClients, log: d.Log, router: newRouter(routes()),
		onDemandFormat: d.OnDemandFormat, throttleOnDemand: d.ThrottleOnDemand}
}

// versions begin the paths of Graph, in the ways that scripts write them.
var versions = []string{"/v1.0", "/V1.0", "/beta", "/Beta", "/BETA"}

// Register adds the routes to a server: both versions of the API, tokens and discovery.
func (g *Graph) Register(e *echo.Echo) {
	api := func(c echo.Context) error {
		g.ServeHTTP(c.Response(), c.Request())
		return nil
	}
	for _, version := range versions {
		e.Any(version, api)
		e.Any(version+"/*", api)
	}
	g.registerPlain(e)
}

// Owns reports whether a route of the server, given by its pattern, is one that this package authenticates, or leaves
// open, by itself.
func Owns(pattern string) bool {
	if pattern == "/common/discovery/instance" || pattern == "/metadata/endpoints" || slices.Contains(versions, strings.TrimSuffix(pattern, "/*")) {
		return true
	}
	return strings.HasPrefix(pattern, "/:tenant/")
}

// ServeHTTP answers one request to /v1.0 or /beta.
func (g *Graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.newCall(w, r)
	if err := g.serve(c, false); err != nil {
		g.fail(c, err)
	}
}

// serve finds the route of a call and runs its handler. inBatch is true for the items of a batch.
func (g *Graph) serve(c *call, inBatch bool) error {
	if !inBatch {
		if err := g.authenticate(c); err != nil {
			return err
		}
	}
	rest, err := c.route(g.dir.Tenant())
	if err != nil {
		return err
	}
	if err := g.fault(c); err != nil {
		return err
	}
	if c.query, err = parseOptions(c.r.URL.RawQuery); err != nil {
		return err
	}
	found, params, err := g.router.find(c.r.Method, rest)
	if err != nil {
		return err
	}
	c.params = params
	if found.handle == nil {
		return notImplemented(c.r.Method + " " + found.path)
	}
	if inBatch && found.path == "/$batch" {
		return badRequest("A $batch inside a $batch is not allowed.")
	}
	if err := c.query.allow(found.options); err != nil {
		return err
	}
	return found.handle(g, c)
}

// newID makes a request id. It is no part of anything that has to be reproducible.
func newID() string {
	id, err := uuid.NewRandomFromReader(rand.Reader)
	if err != nil {
		return uuid.Nil.String()
	}
	return id.String()
}
