// Package web is the HTTP side of the program on one listener: the portal, the Graph API, the control API under /sim, and
// the embedded target. It turns requests into calls of the service and answers into pages or JSON; it decides nothing.
//
// A local API is attacked from the user's own browser, so that Host is checked on every request and Origin on everything
// that changes state. Start reading at New, whose list of middleware is the order of checks.
package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/target"
	"entrasim/web/control"
	"entrasim/web/graph"
	"entrasim/web/portal"
)

// Deps is what the server stands on.
type Deps struct {
	Service  *sim.Service
	Target   *target.Server
	APIToken string                      // "" asks nobody for a token
	Reset    func(context.Context) error // POST /sim/reset
	DataFile string                      // for display
	// OnDemandFormat and ThrottleOnDemand are Graph's; see graph.Deps.
	OnDemandFormat   graph.OnDemandFormat
	ThrottleOnDemand bool
	Log              *slog.Logger
}

// Server is the HTTP server of the program.
type Server struct {
	deps   Deps
	echo   *echo.Echo
	http   *http.Server
	portal *portal.Portal
	graph  *graph.Graph
}

// New makes the server; Serve starts it.
func New(d Deps) (*Server, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect() // nothing stands in front of us
	s := &Server{deps: d, echo: e}
	e.HTTPErrorHandler = s.fail
	e.Use(
		middleware.RecoverWithConfig(middleware.RecoverConfig{DisableStackAll: true, LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			d.Log.Error("a request broke", "path", c.Path(), "error", err, "stack", string(stack))
			return err
		}}),
		s.checkHost,   // before anything is read
		s.checkOrigin, // before anything is changed
		s.checkToken,
	)
	s.scim()
	s.graph = graph.New(graph.Deps{Service: d.Service, APIToken: d.APIToken, StrictClients: d.APIToken != "", Log: d.Log,
		OnDemandFormat: d.OnDemandFormat, ThrottleOnDemand: d.ThrottleOnDemand})
	s.graph.Register(e)
	reset := func(ctx context.Context) error {
		if err := d.Reset(ctx); err != nil {
			return err
		}
		s.graph.ClearFaults()
		s.portal.Forget()
		return nil
	}
	control.Register(e, control.Deps{Service: d.Service, Target: d.Target, Reset: reset, Told: s.graph.Told})
	s.portal = portal.New(portal.Deps{Service: d.Service, Target: d.Target, Reset: reset, DataFile: d.DataFile, LogJSON: s.graph.LogObject, API: operations()})
	s.portal.Register(e)
	e.GET("/openapi.json", s.openAPI)
	e.GET("/sign-in", s.signInPage)
	e.POST("/sign-in", s.signIn)
	s.http = &http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn)}
	return s, nil
}

// Handler is the server without a listener, for tests.
func (s *Server) Handler() http.Handler { return s.echo }

// Serve answers requests on listeners until ctx ends or one of them fails; requests in flight then get half a second. It is
// called once.
func (s *Server) Serve(ctx context.Context, on ...net.Listener) error {
	ctx, fail := context.WithCancel(ctx)
	defer fail()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		var scenarios sync.WaitGroup
		scenarios.Go(s.portal.Close) // at once: a request may wait for one of their steps
		defer scenarios.Wait()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second/2)
		defer cancel()
		if err := s.http.Shutdown(end); err != nil {
			s.deps.Log.Debug("open requests were cut", "error", errors.Join(err, s.http.Close()))
		}
	})
	// Streams of events end with the program.
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	errs := make([]error, len(on))
	var wg sync.WaitGroup
	for i, l := range on {
		wg.Go(func() {
			if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				errs[i] = err
				fail() // the others end with it
			}
		})
	}
	wg.Wait()
	if !stop() {
		<-ended // requests in flight are answered before what they stand on is closed
	}
	s.portal.Close()
	return errors.Join(errs...)
}

// scim mounts the stores of the embedded target: /scim is the store default.
func (s *Server) scim() {
	serve := func(c echo.Context, store, mount string) error {
		r := c.Request()
		path := strings.TrimPrefix(r.URL.EscapedPath(), mount)
		s.deps.Target.ServeSCIM(c.Response(), r, store, c.Scheme()+"://"+r.Host+mount, path)
		return nil
	}
	s.echo.Any("/scim", func(c echo.Context) error { return serve(c, "default", "/scim") })
	s.echo.Any("/scim/*", func(c echo.Context) error { return serve(c, "default", "/scim") })
	named := func(c echo.Context) error {
		return serve(c, c.Param("store"), "/targets/"+c.Param("store")+"/scim")
	}
	s.echo.Any("/targets/:store/scim", named)
	s.echo.Any("/targets/:store/scim/*", named)
}

// checkHost refuses names that a page elsewhere could have made resolve to this machine.
func (s *Server) checkHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.deps.APIToken != "" || ownHost(c.Request()) {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusForbidden, fmt.Sprintf("The host %q is not this program's. Open it as 127.0.0.1 or localhost.", c.Request().Host))
	}
}

func ownHost(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// checkOrigin refuses changes that another site's page asks for.
func (s *Server) checkOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		origin := r.Header.Get("Origin")
		if r.Method == http.MethodGet || r.Method == http.MethodHead || origin == "" {
			return next(c)
		}
		if u, err := url.Parse(origin); err == nil && u.Host == r.Host {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusForbidden, fmt.Sprintf("The page at %q may not change anything here.", origin))
	}
}

const cookie = "entrasim"

// checkToken asks for the API token, when there is one: as a bearer token, or as the cookie that the portal set once. The
// embedded target has a token of its own; readiness, metrics and the keys of issued tokens have none.
func (s *Server) checkToken(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		path := c.Request().URL.Path
		if s.deps.APIToken == "" || path == "/healthz" || path == "/metrics" || path == "/sign-in" || strings.HasPrefix(path, "/assets/") ||
			strings.HasPrefix(path, "/scim") || strings.HasPrefix(path, "/targets/") {
			return next(c)
		}
		if graph.Owns(c.Path()) || s.signedIn(c) {
			return next(c)
		}
		if isAPI(path) || c.Request().Method != http.MethodGet {
			c.Response().Header().Set("WWW-Authenticate", `Bearer realm="entrasim"`)
			return echo.NewHTTPError(http.StatusUnauthorized, "The API token is missing or wrong. Send it as Authorization: Bearer.")
		}
		return c.Redirect(http.StatusSeeOther, "/sign-in?to="+url.QueryEscape(c.Request().URL.RequestURI()))
	}
}

// signedIn reports whether a request carries the API token, or none is asked for.
func (s *Server) signedIn(c echo.Context) bool {
	if s.deps.APIToken == "" {
		return true
	}
	scheme, token, _ := strings.Cut(c.Request().Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && (equal(strings.TrimSpace(token), s.deps.APIToken) || s.graph.ValidToken(strings.TrimSpace(token))) {
		return true
	}
	k, err := c.Cookie(cookie)
	return err == nil && equal(k.Value, s.cookieValue())
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func isAPI(path string) bool {
	return strings.HasPrefix(path, "/sim/") || strings.HasPrefix(path, "/v1.0") || strings.HasPrefix(path, "/beta")
}

// cookieValue stands for the token without being it.
func (s *Server) cookieValue() string {
	m := hmac.New(sha256.New, []byte(s.deps.APIToken))
	m.Write([]byte("portal"))
	return hex.EncodeToString(m.Sum(nil))
}

func (s *Server) signInPage(c echo.Context) error { return portal.SignIn(c, "") }

func (s *Server) signIn(c echo.Context) error {
	if !equal(strings.TrimSpace(c.FormValue("token")), s.deps.APIToken) || s.deps.APIToken == "" {
		return portal.SignIn(c, "This is not the API token. It is the one that the program was started with (--api-token).")
	}
	c.SetCookie(&http.Cookie{Name: cookie, Value: s.cookieValue(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.IsTLS()})
	to := c.QueryParam("to")
	if !portal.OwnPath(to) {
		to = "/"
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// fail is the one place where an error becomes an answer: JSON for the APIs, a page for everybody else.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, code, message := describe(err)
	if gone := c.Request().Context().Err(); gone != nil && errors.Is(err, gone) {
		// Nobody reads the answer, unless the program itself has ended the request.
		s.deps.Log.Debug("the client did not wait for the answer", "method", c.Request().Method, "path", c.Request().URL.Path)
		status, code, message = describe(sim.ErrEnding)
	} else if status >= 500 && directory.CodeOf(err) != directory.Ending {
		s.deps.Log.Error("request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "error", err)
	}
	var sendErr error
	if isAPI(c.Request().URL.Path) {
		sendErr = c.JSON(status, map[string]any{"error": map[string]any{"code": code, "message": message}})
	} else {
		sendErr = s.portal.Failure(c, status, message, s.signedIn(c))
	}
	if sendErr != nil {
		s.deps.Log.Debug("answer not sent", "error", sendErr)
	}
}

// describe translates the codes of the rooms below.
func describe(err error) (status int, code, message string) {
	var h *echo.HTTPError
	if errors.As(err, &h) {
		return h.Code, strings.ReplaceAll(http.StatusText(h.Code), " ", ""), fmt.Sprint(h.Message)
	}
	switch directory.CodeOf(err) {
	case directory.NotFound:
		return http.StatusNotFound, "NotFound", err.Error()
	case directory.Invalid:
		return http.StatusBadRequest, "BadRequest", err.Error()
	case directory.Conflict:
		return http.StatusConflict, "Conflict", err.Error()
	case directory.Damaged:
		return http.StatusInternalServerError, "InternalServerError", err.Error()
	case directory.Ending:
		return http.StatusServiceUnavailable, "ServiceUnavailable", err.Error()
	}
	return http.StatusInternalServerError, "InternalServerError", "Something went wrong inside the program; its log says what."
}
