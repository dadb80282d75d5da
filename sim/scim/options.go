// Package scim is the SCIM client as Microsoft Entra's provisioning service writes it: URLs, headers, bodies and PATCH
// dialects byte for byte, and what each answer means.
//
// Builders (create.go, patch.go, reference.go, url.go) are plain functions from values to bytes; client.go sends them and
// answer.go classifies what comes back. The package decides nothing and imports no other room. Where Microsoft's
// documentation (use-scim-to-provision-users-and-groups.md, application-provisioning-config-problem-scim-compatibility.md)
// and recorded requests differ, the recordings are followed. Start reading at Client.
package scim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ResourceType is a kind of resource.
type ResourceType int

// The resource types.
const (
	User ResourceType = iota
	Group
)

// Path is the segment of the resource type in a URL.
func (r ResourceType) Path() string {
	if r == Group {
		return "Groups"
	}
	return "Users"
}

func (r ResourceType) String() string {
	if r == Group {
		return "Group"
	}
	return "User"
}

// Dialect is how changes are written. Only the job's template and a flag in the tenant URL decide it.
type Dialect int

// The dialects.
const (
	Legacy       Dialect = iota // since December 2018: capitalised op, one operation an attribute, text values
	Compliant                   // aadOptscim062020: RFC 7644
	CustomAppSSO                // jobs from before December 2018
)

func (d Dialect) String() string { return [...]string{"legacy", "compliant", "customappsso"}[d] }

// Options are the open points of the wire, where the public record is silent or contradicts itself. The zero value is
// not usable; begin with DefaultOptions.
type Options struct {
	OnDemandHonoursFlag bool   // on-demand runs follow aadOptscim062020; documented not to
	StrictTLS           bool   // refuse plain HTTP, allow TLS 1.2 only
	ForwardTenantQuery  bool   // send the tenant URL's own query behind the request's
	EscapeFilterValues  bool   // write " and \ in filter values as \" and \\
	ProbeIdleCycles     bool   // probe in cycles that have nothing to do
	ReferenceCheck      string // users, groups or both: ask for a reference's value before writing it; "" is off
	PostNulls           bool   // send attributes without a value as null
	RolePrimaryString   bool   // primary of roles as the text "True" in a POST
	OpChoice            string // diff (Add when the target returned no value, else Replace), alwaysReplace, alwaysAdd
	NullFlow            string // off, remove, emptyString: what a cleared source value sends
	SinglePathless      bool   // compliant: a single attribute without path too
	ManagerForm         string // string, object or array
	ManagerRemoval      string // remove, emptyString or none, in the legacy dialect
	ManagerRemovalPath  string // urn or bare, in the compliant dialect
	MemberRefNull       bool   // "$ref":null before the value of a member
	MemberBatch         int    // members in one PATCH
	HonourRetryAfter    bool   // wait as long as a 429 asks, and send the request again; off, or without Retry-After, it has failed
	StrictContentType   bool   // refuse answers that are not application/scim+json
	ADSCIMVersion       string // value of the header ADSCIMVersion; "" leaves it out
	Accept              string // value of the header Accept; "" leaves it out
	SingleRoleForm      string // path or json
	SoftDelete          bool   // false: the target has no soft delete, so that DELETE is sent where a disable would be
	RematchMissing      bool   // a linked object that is gone is matched and created anew, instead of InvalidAnchor
	Timeout             time.Duration
	MaxAnswer           int64 // bytes of an answer that are read

	// The rest is not about the wire but about where it leads and who asks; nil everywhere is a target of the network.

	// Bearer gives the bearer token of a job without a Secret token. It is asked before each request.
	Bearer func() (string, error) `json:"-"`
	// PublicToken is a token that is documented and hence none to keep; see masker.
	PublicToken string `json:"-"`

	// Dial connects to the target instead of the network's own dialer; TLS, when the URL asks for it, goes on top.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error) `json:"-"`
	// Guard is asked before a request leaves; its error keeps the request back and counts as no answer.
	Guard func(method, url string) error `json:"-"`
	// StandsStill reports whether virtual time stands still unless the target itself lets some pass. The time limit of a
	// request then counts virtual time as well, so that a target which answers after two virtual minutes has timed out.
	StandsStill func() bool `json:"-"`
	// Pace is called before each request leaves, and waits until it may; nil does not wait.
	Pace func(ctx context.Context) `json:"-"`
	// Wait passes the time that a 429 asks for, in real time when it is nil. Its error ends the request with the 429:
	// ErrTooLong, when it does not wait so long, or that of the end of what the request was sent for.
	Wait func(ctx context.Context, d time.Duration) error `json:"-"`
}

// DefaultOptions are the defaults.
func DefaultOptions() Options {
	return Options{
		ProbeIdleCycles: true, OpChoice: "diff", NullFlow: "off", ManagerForm: "string", ManagerRemoval: "remove", ManagerRemovalPath: "urn",
		MemberBatch: 100, HonourRetryAfter: true, ADSCIMVersion: "5.0", Accept: "application/scim+json", SingleRoleForm: "path", SoftDelete: true,
		Timeout: 100 * time.Second, MaxAnswer: 16 << 20,
	}
}

// Op chooses the operation for a changed attribute: by what the target returned, unless a switch says otherwise.
func (o Options) Op(present bool) Op {
	switch {
	case o.OpChoice == "alwaysReplace":
		return Replace
	case o.OpChoice == "alwaysAdd":
		return Add
	case present:
		return Replace
	}
	return Add
}

// Endpoint is a tenant URL taken apart.
type Endpoint struct {
	Base    string // without query and trailing slash
	Dialect Dialect
	Query   string // the rest of the query, without flags
}

// ParseTenantURL reads a tenant URL. Flags in its query choose the dialect, without regard to case and with or without a
// value: aadOptscim062020 (also AzureAdScimPatch062020) is Compliant, AzureAdScimPatch2017 Legacy.
func ParseTenantURL(raw string) (Endpoint, error) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return Endpoint{}, fmt.Errorf("the Tenant URL is empty; enter the address of the SCIM endpoint, such as https://scim.example/scim")
	case !hasScheme(raw): // before what the parser makes of it: host:port has a scheme for it
		return Endpoint{}, fmt.Errorf("the Tenant URL %q does not begin with https:// or http://; put one of them in front", redactURL(raw))
	case err != nil:
		return Endpoint{}, fmt.Errorf("the Tenant URL %q is no URL: %s; enter an address such as https://scim.example/scim", redactURL(raw), parserWords(err))
	case u.Hostname() == "":
		return Endpoint{}, fmt.Errorf("the Tenant URL %q names no host; enter an address such as https://scim.example/scim", redactURL(raw))
	case len(u.Hostname()) > 253: // RFC 1035, 2.3.4
		return Endpoint{}, fmt.Errorf("the host of the Tenant URL is longer than any name; check the address")
	case !utf8.ValidString(raw) || !utf8.ValidString(u.Hostname()):
		return Endpoint{}, fmt.Errorf("the Tenant URL %q holds bytes that are no text; enter it anew", redactURL(raw))
	case !validPort(u.Port()):
		return Endpoint{}, fmt.Errorf("the port %s of the Tenant URL %q does not exist; ports go from 1 to 65535", u.Port(), redactURL(raw))
	case u.User != nil:
		return Endpoint{}, fmt.Errorf("the Tenant URL holds a user name or password; enter the token as Secret token")
	case strings.Contains(raw, "#"):
		return Endpoint{}, fmt.Errorf("the Tenant URL %q has a fragment (#…), which is never sent; leave it out", redactURL(raw))
	}
	name, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil && net.ParseIP(u.Hostname()) == nil {
		return Endpoint{}, fmt.Errorf("%q in the Tenant URL is no name of a host; enter an address such as https://scim.example/scim", u.Hostname())
	}
	if err == nil && name != u.Hostname() {
		u.Host = name + strings.TrimPrefix(u.Host, u.Hostname())
	}
	ep := Endpoint{}
	var rest []string
	for _, part := range strings.Split(u.RawQuery, "&") {
		name, _, _ := strings.Cut(part, "=")
		switch strings.ToLower(name) {
		case "":
		case "aadoptscim062020", "azureadscimpatch062020":
			ep.Dialect = Compliant
		case "azureadscimpatch2017":
			ep.Dialect = Legacy
		default:
			rest = append(rest, part)
		}
	}
	ep.Query = escapeQuery(strings.Join(rest, "&"))
	u.RawQuery, u.ForceQuery = "", false
	ep.Base = strings.TrimRight(u.String(), "/")
	return ep, nil
}

func hasScheme(raw string) bool {
	scheme, _, ok := strings.Cut(raw, "://")
	return ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// validPort reports whether a port, as it stands in an address, is left out or one that there is.
func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n >= 1 && n <= 65535
}

// parserWords is why an address can't be parsed, without the address, which may hold a password, and without the parser's
// own name.
func parserWords(err error) string {
	var u *url.Error
	if !errors.As(err, &u) {
		return err.Error()
	}
	if strings.Contains(u.Err.Error(), "port") {
		return "what follows the host's colon is no port"
	}
	return u.Err.Error()
}

// CustomAppSSO is the endpoint as a job of the template customappsso has it: the oldest dialect whatever the flags, at an
// address that holds /scim, which such jobs ask for (application-provisioning-config-problem-scim-compatibility.md).
func (ep Endpoint) CustomAppSSO() (Endpoint, error) {
	ep.Dialect = CustomAppSSO
	if _, path, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(ep.Base, "https://"), "http://"), "/"); !strings.Contains(strings.ToLower("/"+path+"/"), "/scim/") {
		return ep, fmt.Errorf("the Tenant URL %q does not hold /scim, as a job of the template customappsso asks for", redactURL(ep.Base))
	}
	return ep, nil
}

func redactURL(raw string) string {
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		raw = raw[:i]
	}
	if at := strings.LastIndexByte(raw, '@'); at >= 0 {
		raw = raw[at+1:]
	}
	return raw
}
