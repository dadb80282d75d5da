package portal

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type wireView struct {
	Base
	Q, About string
	Kinds    []Choice
	Drops    []Drop
	Only     *Choice // one object, with the address that clears it
	Keep     []Link
	Rows     []exchangeView
	Older    string
	Newest   string // address of the newest ones, while older are shown
	One      *openExchange
	Close    string
}

// exchangeView is an exchange in a list.
type exchangeView struct {
	sim.Exchange
	Name, What string // who it is about; User, Group or ""
	Path, Page string // as it is shown; address of this page with the exchange opened
	On         bool
}

// wireRows is how many exchanges the page shows.
const wireRows = 50

func (p *Portal) wire(c echo.Context) error {
	v := wireView{Base: p.page(c, "Wire", "wire"), Q: strings.TrimSpace(c.QueryParam("q")), Close: address(c, "x", "", "diff", "")}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	if err := p.wireFilters(c, &v); err != nil {
		return err
	}
	rows, older, err := p.exchanges(c, v.Q)
	if err != nil {
		return err
	}
	if v.Rows, err = p.exchangeViews(rows); err != nil {
		return err
	}
	if older > 0 {
		v.Older = address(c, "before", strconv.FormatUint(older, 10), "x", "")
	}
	if c.QueryParam("before") != "" {
		v.Newest = address(c, "before", "", "x", "")
	}
	open := c.QueryParam("x")
	for i := range v.Rows {
		id := strconv.FormatUint(v.Rows[i].ID, 10)
		v.Rows[i].Page, v.Rows[i].On = address(c, "x", id, "diff", ""), id == open
	}
	if open != "" {
		if v.One, err = p.openExchange(c, open); err != nil {
			return err
		}
	}
	return render(c, 200, "wire", v)
}

func (p *Portal) wireFilters(c echo.Context, v *wireView) error {
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	var pairs []string
	for _, a := range apps {
		pairs = append(pairs, a.ID, a.DisplayName)
	}
	v.Drops = []Drop{drop(c, "Application", "application", pairs...)}
	for _, k := range []struct{ key, text string }{{"", "All"}, {"writes", "Writes"}, {"failed", "Failed"}} {
		v.Kinds = append(v.Kinds, Choice{Text: k.text, URL: address(c, "kind", k.key, "before", "", "x", ""), On: c.QueryParam("kind") == k.key})
	}
	for _, name := range []string{"application", "kind", "object"} {
		if value := c.QueryParam(name); value != "" {
			v.Keep = append(v.Keep, Link{name, value})
		}
	}
	if c.QueryParam("object") != "" {
		v.Only = &Choice{Text: "One object", URL: address(c, "object", "", "before", "", "x", "")}
	}
	if last := p.Service.RecentTraffic(1); len(last) > 0 {
		v.About = plural(int(last[0].ID), "exchange")
	}
	return nil
}

// exchanges returns the newest recorded exchanges that match the filters of a page, newest first. older is the number
// before which the next page begins, 0 when there is none.
func (p *Portal) exchanges(c echo.Context, q string) (rows []sim.Exchange, older uint64, err error) {
	match, err := p.exchangeMatcher(c, q)
	if err != nil {
		return nil, 0, err
	}
	before := uint64(1)
	if last := p.Service.RecentTraffic(1); len(last) > 0 {
		before = last[0].ID + 1
	}
	if n, err := strconv.ParseUint(c.QueryParam("before"), 10, 64); err == nil && n > 0 {
		before = min(before, n)
	}
	const chunk = 500
	for before > 1 {
		after := before - 1 - min(chunk, before-1)
		page := p.Service.Traffic(after, int(before-1-after))
		for _, x := range slices.Backward(page.Exchanges) {
			if x.ID >= before || !match(x) {
				continue
			}
			if len(rows) == wireRows {
				return rows, x.ID + 1, nil
			}
			rows = append(rows, x)
		}
		if page.Missed > 0 {
			break // what lies before is gone
		}
		before = after + 1
	}
	return rows, 0, nil
}

func (p *Portal) exchangeMatcher(c echo.Context, q string) (func(sim.Exchange) bool, error) {
	object, kind, job := c.QueryParam("object"), c.QueryParam("kind"), ""
	if app := c.QueryParam("application"); app != "" {
		job = "none"
		if j, err := p.Service.Job(app); err == nil {
			job = j.ID
		}
	}
	q = strings.ToLower(q)
	named, err := p.named(q)
	return func(x sim.Exchange) bool {
		switch {
		case object != "" && x.Object != object, job != "" && x.Job != job, kind == "writes" && x.Method == "GET",
			kind == "failed" && x.Status < 400 && x.Status != 0:
			return false
		case q == "":
			return true
		}
		return named[x.Object] || strconv.Itoa(x.Status) == q || strings.Contains(strings.ToLower(x.URL), q) || slices.ContainsFunc(x.Rules, func(r string) bool { return strings.EqualFold(r, q) }) ||
			strings.Contains(strings.ToLower(x.Reason), q) || strings.Contains(strings.ToLower(x.RequestBody), q) || strings.Contains(strings.ToLower(x.ResponseBody), q)
	}, err
}

// named lists the ids of users and groups whose name, or user principal name, begins with q.
func (p *Portal) named(q string) (map[string]bool, error) {
	ids := map[string]bool{}
	if q == "" {
		return ids, nil
	}
	query := directory.Query{Prefix: q, Limit: 200}
	users, err := p.dir.Users(query)
	if err != nil {
		return nil, err
	}
	for _, u := range users.Items {
		ids[u.ID] = true
	}
	groups, err := p.dir.Groups(query)
	for _, g := range groups.Items {
		ids[g.ID] = true
	}
	return ids, err
}

// exchangeViews adds the names of the objects that exchanges are about.
func (p *Portal) exchangeViews(list []sim.Exchange) ([]exchangeView, error) {
	views := make([]exchangeView, len(list))
	err := p.dir.View(func(r *directory.Reader) error {
		for i, x := range list {
			views[i] = exchangeView{Exchange: x, Path: scimPath(x.URL), Name: "Probe"}
			if x.Object == "" {
				continue
			}
			views[i].Name = x.Object
			if n, ok := r.Num(x.Object); ok {
				if o, ok := r.Object(n); ok {
					views[i].Name, views[i].What = o.DisplayName, o.Kind.String()
				}
			}
		}
		return nil
	})
	return views, err
}

// scimPath is the part of a request's address behind the base URL of its target.
func scimPath(raw string) string {
	for _, at := range []string{"/Users", "/Groups"} {
		if i := strings.LastIndex(raw, at); i >= 0 {
			return raw[i:]
		}
	}
	return raw
}

// openExchange is one exchange in full.
type openExchange struct {
	exchangeView
	Record  string // address of the log record that it belongs to
	Curl    string
	Agent   bool // a User-Agent was sent, as Entra never does
	Diff    any  // of the answer with the read before, as HTML
	HasDiff bool
	Toggle  string // address that shows the diff, or the answer as it is
}

func (p *Portal) openExchange(c echo.Context, text string) (*openExchange, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	x, ok := p.Service.Exchange(id)
	if err != nil || !ok {
		return nil, echo.NewHTTPError(http.StatusNotFound, "This exchange is no longer in memory. The newest 10,000 are kept.")
	}
	views, err := p.exchangeViews([]sim.Exchange{x})
	if err != nil {
		return nil, err
	}
	o := &openExchange{exchangeView: views[0], Curl: curl(x)}
	for _, h := range x.RequestHeaders {
		o.Agent = o.Agent || strings.EqualFold(h.Name, "User-Agent")
	}
	if o.Record, err = p.recordOf(x); err != nil {
		return nil, err
	}
	if before, ok := p.readBefore(x); ok {
		if diff, ok := diffHTML(before.ResponseBody, x.ResponseBody); ok {
			o.HasDiff, o.Toggle = true, address(c, "diff", "off")
			if c.QueryParam("diff") == "off" {
				o.Toggle = address(c, "diff", "")
			} else {
				o.Diff = diff
			}
		}
	}
	return o, nil
}

// recordOf finds the log record that an exchange belongs to, among the newest of its object.
func (p *Portal) recordOf(x sim.Exchange) (string, error) {
	if x.Object == "" {
		return "", nil
	}
	page, err := p.Service.Logs(sim.LogQuery{ObjectID: x.Object, Limit: 50})
	for _, r := range page.Items {
		if r.JobID == x.Job && slices.Contains(r.Exchanges, x.ID) {
			return "/logs?record=" + r.ID, nil
		}
	}
	return "", err
}

// readBefore returns the read of the same object that came before a write, when both were answered with the object.
func (p *Portal) readBefore(x sim.Exchange) (sim.Exchange, bool) {
	if x.Method != "PATCH" || x.Status != http.StatusOK || x.ResponseBody == "" {
		return x, false
	}
	base, _, _ := strings.Cut(x.URL, "?")
	page := p.Service.Traffic(x.ID-min(x.ID, 40), 40)
	for _, y := range slices.Backward(page.Exchanges) {
		at, _, _ := strings.Cut(y.URL, "?")
		if y.ID < x.ID && y.Method == "GET" && y.Object == x.Object && at == base && y.Status == http.StatusOK {
			return y, true
		}
	}
	return x, false
}

// curl is a command that sends an exchange's request again; the token is left to the reader.
func curl(x sim.Exchange) string {
	var b strings.Builder
	b.WriteString("curl -sS -X " + x.Method + " " + quote(x.URL))
	for _, h := range x.RequestHeaders {
		switch strings.ToLower(h.Name) {
		case "authorization":
			b.WriteString(` -H "Authorization: Bearer $TOKEN"`)
		case "host", "content-length":
		default:
			b.WriteString(" -H " + quote(h.Name+": "+h.Value))
		}
	}
	if x.RequestBody != "" {
		b.WriteString(" --data-raw " + quote(x.RequestBody))
	}
	return b.String()
}

// quote makes one word of a shell's command line.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
