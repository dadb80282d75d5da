// Package portal is the web portal: server-rendered pages under Entra's own page and button names, plain forms and links,
// and one small module that keeps marked regions live (assets/live.js).
//
// Each resource is one file with its view structs and handlers, and one template a page. Handlers decode, call the
// service or the directory, and fill the view; templates hold no logic beyond range and if. A page is rendered to a buffer
// first, so that a broken template is a clean error. Start reading at Register, then page.go for what all pages share.
package portal

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/target"
	"entrasim/web/openapi"
)

//go:embed assets templates
var files embed.FS

// Deps is what the pages stand on.
type Deps struct {
	Service  *sim.Service
	Target   *target.Server
	Reset    func(context.Context) error // puts everything back to what a new file holds
	DataFile string                      // its path, for display
	API      []openapi.Operation         // what scripts may ask
	LogJSON  func(*sim.LogRecord) any    // a log record as Graph shows it
}

// Portal serves the pages.
type Portal struct {
	Deps
	dir     *directory.Store
	plays   *plays
	drafts  drafts
	demands demandRuns
}

// New makes the portal; Register adds its routes. Close it when no request is served any more.
func New(d Deps) *Portal {
	return &Portal{Deps: d, dir: d.Service.Directory(), plays: newPlays(), drafts: drafts{list: map[string]draft{}}}
}

// Close ends the scenarios that are open in browsers, and removes their temporary files.
func (p *Portal) Close() { p.plays.close() }

// shared are the templates that every page is made with.
var shared = []string{"templates/base.html", "templates/sprite.html", "templates/parts.html"}

// templates holds one set for each page, by the name of its file. They are read with the first page that is asked for: most
// processes are commands that show none. A test reads all of them.
var templates = sync.OnceValue(parseTemplates)

func parseTemplates() map[string]*template.Template {
	base := template.Must(template.New("base").Funcs(funcs).ParseFS(files, shared...))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	sets := map[string]*template.Template{}
	for _, name := range names {
		sets[strings.TrimSuffix(path.Base(name), ".html")] = template.Must(template.Must(base.Clone()).ParseFS(files, name))
	}
	return sets
}

// Register adds the pages.
func (p *Portal) Register(e *echo.Echo) {
	e.GET("/assets/*", assets())
	e.GET("/favicon.ico", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	e.GET("/", p.home)
	e.GET("/search", p.search)
	e.GET("/suggest", p.suggest)
	e.GET("/live", p.live)

	e.GET("/users", p.users)
	e.POST("/users", p.usersAction)
	e.GET("/users/new", p.newUser)
	e.POST("/users/new", p.createUser)
	e.GET("/users/:id", p.user)
	e.POST("/users/:id", p.saveUser)
	e.POST("/users/:id/:action", p.userAction)
	e.GET("/groups", p.groups)
	e.GET("/groups/new", p.newGroup)
	e.POST("/groups/new", p.createGroup)
	e.GET("/groups/:id", p.group)
	e.POST("/groups/:id", p.saveGroup)
	e.POST("/groups/:id/:action", p.groupAction)
	e.GET("/deleted", p.deleted)
	e.POST("/deleted/:id/:action", p.deletedAction)

	e.GET("/applications", p.applications)
	e.GET("/applications/new", p.newApplication)
	e.POST("/applications/new", p.createApplication)
	e.GET("/applications/:id", p.application)
	e.POST("/applications/:id", p.saveApplication)
	e.POST("/applications/:id/delete", p.deleteApplication)
	e.GET("/applications/:id/users", p.assignments)
	e.POST("/applications/:id/users/remove", p.unassign)
	e.GET("/applications/:id/users/add", p.assignPage)
	e.POST("/applications/:id/users/add", p.assign)
	e.GET("/applications/:id/provisioning", p.overview)
	e.GET("/applications/:id/provisioning/on-demand", p.onDemand)
	e.POST("/applications/:id/provisioning/on-demand", p.provisionOnDemand)
	e.GET("/applications/:id/provisioning/discovery", p.discovery)
	e.POST("/applications/:id/provisioning/discovery", p.discover)
	e.POST("/applications/:id/provisioning/:action", p.jobAction)
	e.GET("/applications/:id/provisioning/connectivity", p.connectivity)
	e.POST("/applications/:id/provisioning/connectivity", p.saveConnectivity)
	e.GET("/applications/:id/provisioning/settings", p.settings)
	e.POST("/applications/:id/provisioning/settings", p.saveSettings)
	e.GET("/applications/:id/provisioning/mapping", p.mapping)
	e.POST("/applications/:id/provisioning/mapping", p.saveMapping)
	e.POST("/applications/:id/provisioning/mapping/preview", p.previewMapping)
	e.GET("/applications/:id/provisioning/mapping/scope", p.scopeFilter)
	e.POST("/applications/:id/provisioning/mapping/scope", p.saveScope)
	e.POST("/applications/:id/provisioning/mapping/scope/test", p.testScope)

	e.GET("/logs", p.logs)
	e.GET("/logs/download", p.downloadLogs)
	e.GET("/audit", p.audit)
	e.GET("/mails", p.mails)
	e.GET("/wire", p.wire)
	e.GET("/target", p.target)
	e.GET("/faults", p.faults)
	e.POST("/faults", p.addFault)
	e.POST("/faults/remove", p.removeFault)
	e.POST("/faults/clear", p.clearFaults)
	e.GET("/stage", p.stage)
	e.GET("/scenarios", p.scenarios)
	e.GET("/scenarios/own", p.ownPage)
	e.POST("/scenarios/own", p.addOwn)
	e.POST("/scenarios/own/:id/remove", p.removeOwn)
	e.GET("/scenarios/:folder/:name", p.scenario)
	e.GET("/scenarios/:folder/:name/file", p.scenarioFile)
	e.GET("/api", p.api)
	e.GET("/rules", p.rules)
	e.GET("/rules/:id", p.rule)
	e.GET("/clock", p.clock)
	e.POST("/clock", p.moveClock)
	e.POST("/reset", p.reset)
}

// assets serves the stylesheet and the scripts; a browser asks again whether they changed with the program.
func assets() echo.HandlerFunc {
	folder, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	serve := http.StripPrefix("/assets/", http.FileServerFS(folder))
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-cache")
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		serve.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}
