package graph

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// registerPlain adds the routes that are no part of Graph: the control of faults, and what clients ask of the login service: tokens, keys and the documents that lead to them
// (v2-oauth2-client-creds-grant-flow.md, v2-protocols-oidc.md).
func (g *Graph) registerPlain(e *echo.Echo) {
	for _, l := range append(slices.Clone(logins), faultRoutes...) {
		e.Add(l.method, l.path, func(c echo.Context) error { return l.handle(g, c) })
	}
}

// plainRoute is one row of a table of routes that are no part of Graph.
type plainRoute struct {
	method, path string
	handle       func(g *Graph, c echo.Context) error
	doc          string
}

// logins is the table of the login service.
var logins = []plainRoute{
	{"POST", "/:tenant/oauth2/v2.0/token", func(g *Graph, c echo.Context) error { return g.giveToken(c, false) }, "Get a token by client credentials"},
	{"POST", "/:tenant/oauth2/token", func(g *Graph, c echo.Context) error { return g.giveToken(c, true) }, "The same with resource in place of scope"},
	{"GET", "/:tenant/v2.0/.well-known/openid-configuration", func(g *Graph, c echo.Context) error { return g.openID(c, true) }, "OpenID configuration"},
	{"GET", "/:tenant/.well-known/openid-configuration", func(g *Graph, c echo.Context) error { return g.openID(c, false) }, "OpenID configuration of the first version"},
	{"GET", "/:tenant/discovery/v2.0/keys", (*Graph).keys, "Keys that tokens are signed with"},
	{"GET", "/common/discovery/instance", (*Graph).instance, "Instance discovery of MSAL"},
	{"GET", "/metadata/endpoints", (*Graph).cloud, "Endpoints of the cloud, as Terraform asks for them"},
}

func origin(c echo.Context) string {
	scheme := "http"
	if c.Request().TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Request().Host
}

// loginError is an error of the token endpoint (reference-error-codes.md).
type loginError struct {
	status int
	name   string
	code   int
	text   string
}

func (g *Graph) refuse(c echo.Context, e loginError) error {
	trace, correlation := newID(), c.Request().Header.Get("client-request-id")
	if _, err := uuid.Parse(correlation); err != nil {
		correlation = newID()
	}
	now := g.svc.Clock().Now().UTC().Format("2006-01-02 15:04:05Z")
	text := "AADSTS" + strconv.Itoa(e.code) + ": " + e.text + " Trace ID: " + trace + " Correlation ID: " + correlation + " Timestamp: " + now
	return c.JSON(e.status, object{{"error", e.name}, {"error_description", text}, {"error_codes", []int{e.code}},
		{"timestamp", now}, {"trace_id", trace}, {"correlation_id", correlation}})
}

// tenantID resolves the tenant of a login path; any of the names that stand for every tenant will do.
func (g *Graph) tenantID(name string) (string, bool) {
	t := g.dir.Tenant()
	if isTenant(name, t) {
		return t.ID, true
	}
	switch strings.ToLower(name) {
	case "common", "organizations", "consumers":
		return t.ID, true
	}
	return "", false
}

// giveToken is the token endpoint; former is the shape of its first version, with resource in place of scope.
func (g *Graph) giveToken(c echo.Context, former bool) error {
	r := c.Request()
	c.Response().Header().Set("Cache-Control", "no-store, no-cache")
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		return g.refuse(c, loginError{400, "invalid_request", 900144, "The request body can't be read as a form."})
	}
	if _, ok := g.tenantID(c.Param("tenant")); !ok {
		return g.refuse(c, loginError{400, "invalid_request", 90002, "Tenant '" + c.Param("tenant") + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."})
	}
	form := r.PostForm
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := r.BasicAuth(); ok {
		id, secret = unescaped(user), unescaped(password)
	}
	target := "scope"
	if former {
		target = "resource"
	}
	for _, p := range []struct{ name, value string }{{"grant_type", form.Get("grant_type")}, {"client_id", id}, {target, form.Get(target)}} {
		if p.value == "" {
			return g.refuse(c, loginError{400, "invalid_request", 900144, "The request body must contain the following parameter: '" + p.name + "'."})
		}
	}
	if grant := form.Get("grant_type"); grant != "client_credentials" {
		return g.refuse(c, loginError{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + grant + "'."})
	}
	if secret == "" {
		return g.refuse(c, loginError{401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."})
	}
	audience := strings.TrimSuffix(form.Get(target), "/")
	if !former {
		scope, ok := strings.CutSuffix(form.Get("scope"), "/.default")
		if !ok {
			return g.refuse(c, loginError{400, "invalid_scope", 1002012, "The provided value for scope " + form.Get("scope") + " is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."})
		}
		audience = strings.TrimSuffix(scope, "/")
	}
	if e, ok := g.known(id, secret); !ok {
		return g.refuse(c, e)
	}
	token, issued, err := g.grant(id, audience, origin(c)+"/"+g.dir.Tenant().ID+"/")
	if err != nil {
		return err
	}
	if !former {
		return c.JSON(http.StatusOK, object{{"token_type", "Bearer"}, {"expires_in", 3599}, {"ext_expires_in", 3599}, {"access_token", token}})
	}
	return c.JSON(http.StatusOK, object{{"token_type", "Bearer"}, {"expires_in", "3599"}, {"ext_expires_in", "3599"},
		{"expires_on", strconv.FormatInt(issued.Add(tokenLife).Unix(), 10)}, {"not_before", strconv.FormatInt(issued.Unix(), 10)},
		{"resource", form.Get("resource")}, {"access_token", token}})
}

// known reports whether a client may have a token: with the API token as its secret, or with one that was made by addPassword.
// When no token is asked for anyway, any pair will do, so that scripts run unchanged.
func (g *Graph) known(id, secret string) (e loginError, ok bool) {
	if !g.strict || subtle.ConstantTimeCompare([]byte(secret), []byte(g.token)) == 1 {
		return e, true
	}
	app, err := g.dir.Registration(id)
	if err != nil || !strings.EqualFold(app.AppID, id) {
		return loginError{400, "unauthorized_client", 700016, "Application with identifier '" + id + "' was not found in the directory '" +
			g.dir.Tenant().DisplayName + "'. This can happen if the application has not been installed by the administrator of the tenant."}, false
	}
	return loginError{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + id + "'."},
		app.Knows(secret, g.svc.Clock().Now())
}

// unescaped is a part of a Basic header, which RFC 6749 section 2.3.1 wants form-encoded; clients that don't are served too.
func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

func (g *Graph) openID(c echo.Context, second bool) error {
	tenant, ok := g.tenantID(c.Param("tenant"))
	if !ok {
		return g.refuse(c, loginError{400, "invalid_tenant", 90002, "Tenant '" + c.Param("tenant") + "' not found."})
	}
	base := origin(c) + "/" + tenant
	issuer, path := base+"/", "/oauth2/"
	if second {
		issuer, path = base+"/v2.0", "/oauth2/v2.0/"
	}
	return c.JSON(http.StatusOK, object{
		{"token_endpoint", base + path + "token"},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_post", "client_secret_basic"}},
		{"jwks_uri", base + "/discovery/v2.0/keys"},
		{"response_modes_supported", []string{"query", "fragment", "form_post"}},
		{"subject_types_supported", []string{"pairwise"}},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"response_types_supported", []string{"code", "id_token", "code id_token", "id_token token"}},
		{"scopes_supported", []string{"openid", "profile", "email", "offline_access"}},
		{"issuer", issuer},
		{"authorization_endpoint", base + path + "authorize"},
		{"device_authorization_endpoint", base + path + "devicecode"},
		{"tenant_region_scope", nil},
		{"cloud_instance_name", c.Request().Host},
		{"msgraph_host", c.Request().Host},
	})
}

func (g *Graph) keys(c echo.Context) error {
	if _, ok := g.tenantID(c.Param("tenant")); !ok {
		return g.refuse(c, loginError{400, "invalid_tenant", 90002, "Tenant '" + c.Param("tenant") + "' not found."})
	}
	set, err := g.publicKeys()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, set)
}

// instance is what MSAL asks of the authority that it knows.
func (g *Graph) instance(c echo.Context) error {
	host := c.Request().Host
	tenant := g.dir.Tenant().ID
	if u, err := url.Parse(c.QueryParam("authorization_endpoint")); err == nil && u.Host != "" {
		if name, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/"); name != "" {
			tenant = name
		}
	}
	return c.JSON(http.StatusOK, object{
		{"tenant_discovery_endpoint", origin(c) + "/" + tenant + "/v2.0/.well-known/openid-configuration"},
		{"api-version", "1.1"},
		{"metadata", []object{{{"preferred_network", host}, {"preferred_cache", host}, {"aliases", []string{host}}}}},
	})
}

// cloud is the description of a cloud by which Terraform and other tools find Graph and the login service.
func (g *Graph) cloud(c echo.Context) error {
	base := origin(c)
	return c.JSON(http.StatusOK, object{
		{"name", "entrasim"},
		{"portal", base},
		{"resourceManager", base + "/"},
		{"microsoftGraphResourceId", base + "/"},
		{"graph", base + "/"},
		{"graphAudience", base + "/"},
		{"gallery", base + "/"},
		{"authentication", object{{"loginEndpoint", base}, {"audiences", []string{base + "/"}}, {"tenant", "common"}, {"identityProvider", "AAD"}}},
		{"suffixes", object{}},
	})
}
