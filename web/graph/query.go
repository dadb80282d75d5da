package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// options are the query options of a request by name, in lower case and without the dollar sign.
type options map[string]string

// knownOptions are the system query options of OData that Graph knows.
var knownOptions = []string{"select", "filter", "orderby", "search", "count", "top", "skip", "expand", "skiptoken", "deltatoken", "format"}

// parseOptions reads a query string. Names may come with an escaped dollar sign, in any case, and without the sign.
func parseOptions(raw string) (options, error) {
	o := options{}
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, badRequest("The query string can't be read at '%s'.", pair)
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, badRequest("The query string can't be read at '%s'.", pair)
		}
		system := strings.HasPrefix(name, "$")
		name = strings.ToLower(strings.TrimPrefix(name, "$"))
		if name == "token" { // how some clients spell the token of a delta query
			name, system = "deltatoken", true
		}
		known := slices.Contains(knownOptions, name)
		if system && !known {
			return nil, badRequest("The query specified in the URI is not valid. The query parameter '$%s' is not supported.", name)
		}
		if _, twice := o[name]; twice && known {
			return nil, badRequest("Query option '$%s' was specified more than once, but it must be specified at most once.", name)
		}
		o[name] = value
	}
	return o, nil
}

// allow refuses system options that a route has no use for.
func (o options) allow(names string) error {
	allowed := strings.Fields(names)
	for _, name := range knownOptions {
		if _, given := o[name]; !given || slices.Contains(allowed, name) || name == "format" {
			continue
		}
		if name == "skip" {
			return refused("'$skip' is not supported by the service.")
		}
		return badRequest("The query option '$%s' is not supported for this resource.", name)
	}
	if f := o["format"]; f != "" && !strings.EqualFold(f, "json") && !strings.HasPrefix(strings.ToLower(f), "application/json") {
		return badRequest("The format '%s' is not supported; answers are JSON.", f)
	}
	return nil
}

// top reads $top.
func (o options) top(standard, most int) (int, error) {
	text, given := o["top"]
	if !given {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest("Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", text)
	}
	if n < 1 || n > most {
		return 0, badRequest("Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", n, most)
	}
	return n, nil
}

// skip reads $skip.
func (o options) skip() (int, error) {
	text, given := o["skip"]
	if !given {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest("Invalid value '%s' for $skip query option found. The $skip query option requires a non-negative integer value.", text)
	}
	return n, nil
}

// count reports whether $count=true was given.
func (o options) count() (bool, error) {
	switch strings.ToLower(o["count"]) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, badRequest("Invalid value '%s' for $count query option found. Valid values are 'true' and 'false'.", o["count"])
}

// list splits an option at its commas outside of parentheses.
func (o options) list(name string) []string { return splitList(o[name], ',') }

func splitList(text string, sep byte) []string {
	var list []string
	depth, begin := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == sep && depth == 0:
			if part := strings.TrimSpace(text[begin:i]); part != "" {
				list = append(list, part)
			}
			begin = i + 1
		case text[i] == '(':
			depth++
		case text[i] == ')':
			depth--
		}
	}
	return list
}

// pageToken is what $skiptoken and $deltatoken hold: where the list goes on, and the options of its first page.
type pageToken struct {
	List    string            `json:"l"`           // the list it belongs to
	Store   string            `json:"i"`           // the store it belongs to
	Cursor  string            `json:"c,omitempty"` // of the directory
	Options map[string]string `json:"o,omitempty"`
	Last    uint64            `json:"n,omitempty"` // number of the last object shown
	Groups  []uint64          `json:"s,omitempty"` // of transitive members: the groups that they are members of
	deltaRound
}

func (t pageToken) String() string {
	data, err := json.Marshal(t)
	if err != nil {
		panic("graph: a page token is no JSON: " + err.Error()) // text and numbers only
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func parseToken(text string) (t pageToken, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || json.Unmarshal(data, &t) != nil || t.List == "" {
		return pageToken{}, false
	}
	return t, true
}

// store names the directory that tokens belong to: one that was emptied is another.
func (g *Graph) store() (string, error) {
	epoch, err := g.dir.Epoch()
	return g.dir.Tenant().ID + " " + strconv.FormatUint(epoch, 10), err
}

// resume reads the page token of a list and puts back the options that its first page had.
func (g *Graph) resume(c *call, list string) (pageToken, error) {
	store, err := g.store()
	if err != nil {
		return pageToken{}, err
	}
	text, given := c.query["skiptoken"]
	if !given {
		return pageToken{List: list, Store: store}, nil
	}
	t, ok := parseToken(text)
	if !ok || t.List != list || t.Store != store {
		return t, expiredPage()
	}
	for name, value := range t.Options {
		if _, again := c.query[name]; !again {
			c.query[name] = value
		}
	}
	return t, nil
}

// next is the address of the next page.
func (c *call) next(t pageToken) string {
	t.Options = map[string]string{}
	var parts []string
	for _, name := range knownOptions {
		if name == "skiptoken" || name == "deltatoken" || name == "skip" {
			continue
		}
		if value, ok := c.query[name]; ok {
			t.Options[name] = value
			parts = append(parts, "$"+name+"="+url.QueryEscape(value))
		}
	}
	parts = append(parts, "$skiptoken="+t.String())
	return c.base + c.address() + "?" + strings.Join(parts, "&")
}

// address is the path of the call behind version and tenant.
func (c *call) address() string { return c.path }
