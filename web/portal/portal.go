// Package portal is the web portal: server-rendered pages under Entra's own page and button names, plain forms and links,
// and one small module that keeps marked regions live (assets/live.js).
//
// Each page is one file with its view struct and its handler, and one template of the same name. Handlers decode, call the
// service or the directory, and fill the view; templates hold no logic beyond range and if. A page is rendered to a buffer
// first, so that a broken template is a clean error. Start reading at Register.
package portal

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

//go:embed assets templates
var files embed.FS

// Deps is what the pages stand on.
type Deps struct {
	Service  *sim.Service
	Target   *target.Server
	DataFile string
}

// Portal serves the pages.
type Portal struct {
	Deps
	dir *directory.Store
}

var pages = []string{"home", "users", "user", "usernew", "groups", "group", "groupnew", "deleted", "apps", "appnew", "app", "assignments", "assign",
	"overview", "connectivity", "mapping", "logs", "audit", "wire", "target", "rules", "clock", "failure", "signin", "search"}

var templates = map[string]*template.Template{}

func init() {
	base := template.Must(template.New("base").Funcs(funcs).ParseFS(files, "templates/base.html", "templates/sprite.html", "templates/parts.html"))
	for _, name := range pages {
		templates[name] = template.Must(template.Must(base.Clone()).ParseFS(files, "templates/"+name+".html"))
	}
}

// New checks that everything is there.
func New(d Deps) (*Portal, error) {
	return &Portal{Deps: d, dir: d.Service.Directory()}, nil
}

// Register adds the pages.
func (p *Portal) Register(e *echo.Echo) {
	assets, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the folder is embedded
	}
	e.GET("/assets/*", echo.WrapHandler(http.StripPrefix("/assets/", http.FileServerFS(assets))))
	e.GET("/favicon.ico", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	e.GET("/", p.home)
	e.GET("/search", p.search)
	e.GET("/users", p.users)
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
	e.GET("/applications", p.apps)
	e.GET("/applications/new", p.newApp)
	e.POST("/applications/new", p.createApp)
	e.GET("/applications/:id", p.app)
	e.POST("/applications/:id", p.saveApp)
	e.POST("/applications/:id/delete", p.deleteApp)
	e.GET("/applications/:id/users", p.assignments)
	e.POST("/applications/:id/users/remove", p.unassign)
	e.GET("/applications/:id/users/add", p.assignPage)
	e.POST("/applications/:id/users/add", p.assign)
	e.GET("/applications/:id/provisioning", p.overview)
	e.POST("/applications/:id/provisioning/:action", p.jobAction)
	e.GET("/applications/:id/provisioning/connectivity", p.connectivity)
	e.POST("/applications/:id/provisioning/connectivity", p.saveConnectivity)
	e.GET("/applications/:id/provisioning/mapping", p.mapping)
	e.POST("/applications/:id/provisioning/mapping", p.saveMapping)
	e.POST("/applications/:id/provisioning/mapping/preview", p.previewMapping)
	e.GET("/logs", p.logs)
	e.GET("/audit", p.audit)
	e.GET("/wire", p.wire)
	e.GET("/target", p.target)
	e.GET("/rules", p.rules)
	e.GET("/clock", p.clock)
	e.POST("/clock", p.moveClock)
}

// Base is what every page shows around its own content.
type Base struct {
	Title  string
	Nav    string // the place in the navigation
	Tenant directory.Tenant
	Counts directory.Counts
	Clock  ClockView
	Crumbs []Link
	Toast  string
	Bad    string // a failure that stays until it is closed
	Back   string // where a posted clock returns to
	App    *AppMenu
	Events uint64 // number of the newest event when the page was made: the stream goes on from there
}

// Link is a name with an address.
type Link struct{ Text, URL string }

// AppMenu is the second menu of an application's pages.
type AppMenu struct {
	ID, Name, Here string
	HasJob         bool
}

// ClockView is the clock of the top bar.
type ClockView struct {
	Now    time.Time
	Millis int64
	Rate   float64
	Line   string // mode and what is due next
	Button string // what the main button does
	Can    bool
}

func (p *Portal) base(c echo.Context, title, nav string, crumbs ...Link) Base {
	// The number comes first: what happens while the page is made is told again, rather than missed.
	b := Base{Events: p.Service.Events().Last(), Title: title, Nav: nav, Tenant: p.dir.Tenant(), Counts: p.dir.Counts(), Clock: p.clockView(),
		Crumbs: append([]Link{{"Home", "/"}}, crumbs...), Back: c.Request().URL.RequestURI()}
	b.Toast, b.Bad = takeFlash(c)
	return b
}

func (p *Portal) clockView() ClockView {
	st := p.Service.ClockState()
	v := ClockView{Now: st.Now, Millis: st.Now.UnixMilli(), Rate: st.Rate, Button: "Run next cycle"}
	mode := map[clock.Mode]string{clock.Real: "Real time", clock.Manual: "Manual", clock.Rate: fmt.Sprintf("%g× faster", st.Rate)}[st.Mode]
	next, running, quarantined := time.Time{}, false, false
	for _, j := range p.Service.Jobs() {
		v.Can = v.Can || j.Started()
		running = running || j.Progress != nil
		if !j.NextCycle.IsZero() && (next.IsZero() || j.NextCycle.Before(next)) {
			next, quarantined = j.NextCycle, j.Status.Quarantine != nil
		}
	}
	due := "no cycle scheduled"
	switch {
	case running:
		due = "a cycle is running"
	case !next.IsZero() && !next.After(st.Now):
		due = "a cycle is due now"
	case !next.IsZero():
		due = "next cycle " + clockTime(next, st.Now)
	}
	if quarantined {
		v.Button = "Next attempt"
	}
	v.Line = mode + " · " + due
	return v
}

func clockTime(t, now time.Time) string {
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04")
	}
	return t.Format("2 Jan, 15:04")
}

// render writes a page. Everything comes from the own origin.
func render(c echo.Context, status int, name string, view any) error {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "base", view); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	return c.HTMLBlob(status, b.Bytes())
}

const flashCookie = "entrasim-said"

// say leaves a message for the next page, and goes there.
func say(c echo.Context, to, message string) error {
	c.SetCookie(&http.Cookie{Name: flashCookie, Value: url.QueryEscape("+" + message), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 30})
	return c.Redirect(http.StatusSeeOther, to)
}

// said is an error in words for a page.
type said string

func (s said) Error() string { return string(s) }

// complain is say for what did not work.
func complain(c echo.Context, to string, err error) error {
	c.SetCookie(&http.Cookie{Name: flashCookie, Value: url.QueryEscape("-" + err.Error()), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 30})
	return c.Redirect(http.StatusSeeOther, to)
}

func takeFlash(c echo.Context) (toast, bad string) {
	if c.Request().Header.Get("X-Live") != "" {
		return "", ""
	}
	k, err := c.Cookie(flashCookie)
	if err != nil || k.Value == "" {
		return "", ""
	}
	c.SetCookie(&http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1})
	text, err := url.QueryUnescape(k.Value)
	if err != nil || text == "" {
		return "", ""
	}
	if text[0] == '-' {
		return "", text[1:]
	}
	return text[1:], ""
}

// back returns the page that a form was posted from, if it is one of ours.
func back(c echo.Context, otherwise string) string {
	if to := c.FormValue("back"); OwnPath(to) {
		return to
	}
	return otherwise
}

// OwnPath reports whether an address is a page of this program. Browsers read a backslash as a slash and pass over tabs and
// line ends, so that none of them may be there: two slashes in front name another host.
func OwnPath(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f })
}

type simpleView struct {
	Base
	Heading, Message string
	Error            string
}

// Failure is the page of an error.
func Failure(c echo.Context, status int, message string) error {
	v := simpleView{Base: Base{Title: http.StatusText(status)}, Heading: http.StatusText(status), Message: message}
	if status == http.StatusNotFound {
		v.Heading = "There is nothing here"
	}
	return render(c, status, "failure", v)
}

// SignIn asks for the API token.
func SignIn(c echo.Context, message string) error {
	status := http.StatusOK
	if message != "" {
		status = http.StatusUnauthorized
	}
	return render(c, status, "signin", simpleView{Base: Base{Title: "Sign in", Back: c.Request().URL.RequestURI()}, Error: message})
}
