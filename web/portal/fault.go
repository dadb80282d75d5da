package portal

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim/target"
)

type faultsView struct {
	Base
	Rows    []faultRow
	JSON    string // of all, as /sim/faults takes it
	Presets []Choice
	Which   []Field // to which requests
	What    []Field // what happens
	How     []Field // how often
	Fields  []Field // all of them, for the summary of what needs a change
}

type faultRow struct {
	target.Fault
	What, Which, Often string
	Spent              bool // it has been as often as it should
}

// presets are faults that targets of real life show, to begin with.
var presets = []struct {
	key, text string
	fault     target.Fault
}{
	{"busy", "Too many requests", target.Fault{Status: 429, Headers: map[string]string{"Retry-After": "30"}, Times: times(3)}},
	{"token", "Token refused", target.Fault{Status: 401}},
	{"error", "Server error", target.Fault{Method: "PATCH", Status: 500, Times: times(1)}},
	{"slow", "Slow answers", target.Fault{Delay: target.Delay(45 * time.Second)}},
	{"drop", "Connection dropped", target.Fault{Drop: target.DropConnect, Times: times(1)}},
	{"lost", "Answer lost", target.Fault{Method: "POST", Drop: target.DropAnswer, Times: times(1)}},
	{"broken", "Broken JSON", target.Fault{Method: "GET", Path: "/Users*", Body: text(`{"totalResults": 1, "Resources": [`)}},
	{"html", "HTML instead of JSON", target.Fault{Status: 502, Body: text("<html><body><h1>Bad gateway</h1></body></html>")}},
	{"filter", "Filter overlooked", target.Fault{Method: "GET", Path: "/Users", Ignore: []string{"filter"}}},
	{"members", "Members not left out", target.Fault{Method: "GET", Path: "/Groups/*", Ignore: []string{"excludedAttributes"}}},
	{"twice", "Results twice", target.Fault{Method: "GET", Duplicate: true}},
	{"hidden", "Attribute not returned", target.Fault{Hide: []string{"title"}}},
	{"lower", "Names in lower case", target.Fault{Lower: []string{"userName"}}},
}

func times(n int) *int         { return &n }
func text(body string) *string { return &body }

func (p *Portal) faults(c echo.Context) error {
	begin := target.Fault{}
	if i := slices.IndexFunc(presets, func(x struct {
		key, text string
		fault     target.Fault
	}) bool {
		return x.key == c.QueryParam("preset")
	}); i >= 0 {
		begin = presets[i].fault
	}
	return p.faultsPage(c, faultForm(begin), nil)
}

func (p *Portal) faultsPage(c echo.Context, values map[string]string, wrong map[string]string) error {
	v := faultsView{Base: p.page(c, "Faults", "faults")}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	list := p.Target.Faults()
	for _, f := range list {
		r := faultRow{Fault: f, What: faultWhat(f), Which: faultWhich(f), Often: "For ever"}
		if f.Times != nil {
			r.Often, r.Spent = plural(*f.Times, "time"), f.Hits >= *f.Times
		}
		if f.Probability != nil {
			r.Often += fmt.Sprintf(", %.4g%% of them", *f.Probability*100)
		}
		v.Rows = append(v.Rows, r)
	}
	if len(list) > 0 {
		data, err := json.Marshal(map[string]any{"faults": list})
		if err != nil {
			return err
		}
		v.JSON = string(data)
	}
	for _, x := range presets {
		v.Presets = append(v.Presets, Choice{Text: x.text, URL: "/faults?preset=" + x.key + "#add", On: x.key == c.QueryParam("preset")})
	}
	stores := []Option{{"", "Every store"}}
	for _, s := range p.Target.Stores() {
		stores = append(stores, Option{s, s})
	}
	if s := values["store"]; s != "" && !slices.Contains(p.Target.Stores(), s) {
		stores = append(stores, Option{s, s})
	}
	methods := []Option{{"", "Any"}}
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		methods = append(methods, Option{m, m})
	}
	v.Which = []Field{{Name: "method", Label: "Method", Options: methods},
		{Name: "path", Label: "Path", Placeholder: "/Users/*", Hint: "Behind the base URL; a star stands for anything but a slash.", Optional: true},
		{Name: "object", Label: "Object", Placeholder: "adele.vance@contoso.example", Hint: "Its userName, displayName, externalId or id.", Optional: true},
		{Name: "store", Label: "Store", Options: stores}}
	v.What = []Field{{Name: "status", Label: "Status", Placeholder: "500", Hint: "Answers with it instead of carrying the request out.", Optional: true},
		{Name: "drop", Label: "Connection", Options: []Option{{"", "Stays"}, {target.DropConnect, "Breaks before the request is carried out"}, {target.DropAnswer, "Breaks instead of the answer"}}},
		{Name: "delay", Label: "Delay", Placeholder: "45s", Hint: "On the program's clock.", Optional: true},
		{Name: "ignore", Label: "Query parameters overlooked", Placeholder: "filter, excludedAttributes", Optional: true},
		{Name: "headers", Label: "Headers", Placeholder: "Retry-After: 30", Hint: "One a line.", Rows: 2, Optional: true},
		{Name: "body", Label: "Body", Placeholder: `{"detail": "…"}`, Hint: "Replaces the answer's.", Rows: 2, Optional: true},
		{Name: "hide", Label: "Attributes not returned", Placeholder: "title, name.givenName", Optional: true},
		{Name: "lower", Label: "Attributes in lower case", Placeholder: "userName", Optional: true},
		{Name: "rewrite", Label: "Attributes with another value", Placeholder: "displayName = Somebody", Hint: "One a line.", Rows: 2, Optional: true},
		{Name: "duplicate", Label: "Results of a query", Options: []Option{{"", "Once"}, {"yes", "Each one twice"}}}}
	v.How = []Field{{Name: "times", Label: "Times", Placeholder: "for ever", Optional: true},
		{Name: "probability", Label: "Share of the requests", Placeholder: "100%", Optional: true}}
	for _, group := range [][]Field{v.Which, v.What, v.How} {
		for i := range group {
			group[i].Value, group[i].Error = values[group[i].Name], wrong[group[i].Name]
		}
		v.Fields = append(v.Fields, group...)
	}
	return form(c, "faults", wrong, v)
}

func (p *Portal) addFault(c echo.Context) error {
	f, values, wrong, err := faultOf(c)
	if err != nil {
		return err
	}
	if len(wrong) == 0 {
		added, err := p.Target.AddFault(f)
		if err == nil {
			return say(c, "/faults#fault-list", "Added: "+faultWhat(added)+", for "+strings.Replace(faultWhich(added), "Every", "every", 1)+".")
		}
		wrong = faultField(err)
	}
	return p.faultsPage(c, values, wrong)
}

func (p *Portal) removeFault(c echo.Context) error {
	if !p.Target.RemoveFault(c.FormValue("id")) {
		return complain(c, "/faults", said("This fault is gone already."))
	}
	return say(c, "/faults", "Removed.")
}

func (p *Portal) clearFaults(c echo.Context) error {
	if err := p.Target.SetFaults(nil); err != nil {
		return err
	}
	return say(c, "/faults", "The target does nothing wrong any more.")
}

// faultField says which field a fault's error is about: its text begins with the member.
func faultField(err error) map[string]string {
	text := err.Error()
	name, _, _ := strings.Cut(strings.ReplaceAll(text, ":", " "), " ")
	switch {
	case strings.HasPrefix(text, "a dropped connection"):
		name = "drop"
	case !slices.Contains([]string{"method", "path", "store", "status", "drop", "delay", "times", "probability", "headers"}, name):
		name = "status"
	}
	return map[string]string{name: title(strings.TrimSuffix(text, ".")) + "."}
}

// faultForm is a fault as its form holds it.
func faultForm(f target.Fault) map[string]string {
	values := map[string]string{"method": f.Method, "path": f.Path, "object": f.Object, "store": f.Store, "drop": f.Drop,
		"ignore": strings.Join(f.Ignore, ", "), "hide": strings.Join(f.Hide, ", "), "lower": strings.Join(f.Lower, ", ")}
	if f.Status != 0 {
		values["status"] = strconv.Itoa(f.Status)
	}
	if f.Delay > 0 {
		values["delay"] = time.Duration(f.Delay).String()
	}
	var headers []string
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		headers = append(headers, name+": "+f.Headers[name])
	}
	values["headers"] = strings.Join(headers, "\n")
	if f.Body != nil {
		values["body"] = *f.Body
	}
	if f.Duplicate {
		values["duplicate"] = "yes"
	}
	if f.Times != nil {
		values["times"] = strconv.Itoa(*f.Times)
	}
	return values
}

// faultOf reads the form; wrong names the fields that can't be read.
func faultOf(c echo.Context) (f target.Fault, values, wrong map[string]string, err error) {
	values, wrong = map[string]string{}, map[string]string{}
	sent, err := c.FormParams()
	if err != nil {
		return f, nil, nil, echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	for name := range sent {
		values[name] = strings.TrimSpace(strings.ReplaceAll(sent.Get(name), "\r\n", "\n"))
	}
	f = target.Fault{Method: values["method"], Path: values["path"], Object: values["object"], Store: values["store"], Drop: values["drop"],
		Ignore: listOf(values["ignore"]), Hide: listOf(values["hide"]), Lower: listOf(values["lower"]), Duplicate: values["duplicate"] != ""}
	whole := func(name string) int {
		n, err := strconv.Atoi(values[name])
		if err != nil {
			wrong[name] = fmt.Sprintf("%q is no whole number.", values[name])
		}
		return n
	}
	if values["status"] != "" {
		f.Status = whole("status")
	}
	if values["times"] != "" {
		f.Times = times(whole("times"))
	}
	if t := values["delay"]; t != "" {
		if f.Delay, err = target.ParseDelay(t); err != nil {
			wrong["delay"] = title(err.Error()) + "."
		}
	}
	if t := values["probability"]; t != "" {
		share, percent := strings.CutSuffix(t, "%")
		n, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil {
			wrong["probability"] = fmt.Sprintf("%q is no share; write 25%% or 0.25.", t)
		}
		if percent {
			n /= 100
		}
		f.Probability = &n
	}
	if values["body"] != "" {
		f.Body = text(values["body"])
	}
	if f.Headers, err = pairs(values["headers"], ":"); err != nil {
		wrong["headers"] = err.Error() + "."
	}
	rewrite, err := pairs(values["rewrite"], "=")
	if err != nil {
		wrong["rewrite"] = err.Error() + "."
	}
	for name, value := range rewrite {
		if f.Rewrite == nil {
			f.Rewrite = map[string]any{}
		}
		var v any
		if json.Unmarshal([]byte(value), &v) != nil { // what is no JSON is a text
			v = value
		}
		f.Rewrite[name] = v
	}
	return f, values, wrong, nil
}

func listOf(text string) (list []string) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// pairs reads lines of a name and a value.
func pairs(text, sign string) (map[string]string, error) {
	var m map[string]string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, sign)
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("%q has no %q between a name and a value", line, sign)
		}
		if m == nil {
			m = map[string]string{}
		}
		m[name] = strings.TrimSpace(value)
	}
	return m, nil
}

// faultWhat says what a fault does.
func faultWhat(f target.Fault) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if f.Delay > 0 {
		add("waits %s", time.Duration(f.Delay))
	}
	switch {
	case f.Drop == target.DropConnect:
		add("breaks the connection before the request is carried out")
	case f.Drop == target.DropAnswer:
		add("carries the request out and breaks the connection instead of an answer")
	case f.Status != 0:
		add("answers %d", f.Status)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		add("sends %s: %s", name, f.Headers[name])
	}
	if f.Body != nil {
		add("sends a body of its own")
	}
	if len(f.Ignore) > 0 {
		add("overlooks %s", strings.Join(f.Ignore, ", "))
	}
	if f.Duplicate {
		add("lists each result twice")
	}
	if len(f.Hide) > 0 {
		add("leaves out %s", strings.Join(f.Hide, ", "))
	}
	if len(f.Lower) > 0 {
		add("writes %s in lower case", strings.Join(f.Lower, ", "))
	}
	if len(f.Rewrite) > 0 {
		add("gives %s another value", strings.Join(slices.Sorted(maps.Keys(f.Rewrite)), ", "))
	}
	return title(strings.Join(parts, "; "))
}

// faultWhich says which requests meet a fault.
func faultWhich(f target.Fault) string {
	which := strings.TrimSpace(f.Method + " " + f.Path)
	if which == "" {
		which = "Every request"
	}
	if f.Object != "" {
		which += " about " + f.Object
	}
	if f.Store != "" {
		which += " at the store " + f.Store
	}
	return which
}
