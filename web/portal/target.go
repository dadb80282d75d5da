package portal

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/target"
)

type targetView struct {
	Base
	Lead       string
	App        *appRow
	Choice     *Drop
	Foreign    bool
	Stats      []Stat
	Note       string // what was left out
	Q          string
	Show       []Choice
	Rows       []targetRow
	Empty      bool // the target holds nothing, and nothing is missing
	Pager      Pager
	One        *targetOne
	Leniencies []target.Leniency
	Keep       []Link
}

// targetRow is an object in the list: one of the target, or one that is missing there.
type targetRow struct {
	Who
	State Status
	On    bool
	rank  int // what needs a look comes first
	key   string
}

// The ranks of a row.
const (
	rankDifferent = iota
	rankMissing
	rankOnly
	rankLeft
	rankSame
)

const (
	// compareLimit is how many objects of each kind are compared on one page.
	compareLimit = 200
	missingLimit = 50
	// missingScan bounds the search for objects that the target lacks.
	missingScan = 5000
)

// target shows the contents of a store beside what the directory says it should hold.
func (p *Portal) target(c echo.Context) error {
	v := targetView{Base: p.page(c, "Target", "target"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	rows, err := p.appRows()
	if err != nil {
		return err
	}
	store := "default"
	v.chooseApp(c, rows)
	if v.App != nil && v.App.Job != nil {
		v.Lead = v.App.URL
		if store = p.storeOf(c, v.App.URL); store == "" {
			v.Foreign = true
			return render(c, http.StatusOK, "target", v)
		}
	}
	if err := p.compare(c, &v, p.Target.Store(store)); err != nil {
		return err
	}
	return render(c, http.StatusOK, "target", v)
}

// chooseApp picks the application whose target is shown: the first one that is started, or else the first one, unless the
// address names another.
func (v *targetView) chooseApp(c echo.Context, rows []appRow) {
	name := c.QueryParam("application")
	for i, r := range rows {
		if r.ID == name || name == "" && (v.App == nil || !v.App.started() && r.started()) {
			v.App = &rows[i]
		}
	}
	if v.App == nil {
		return
	}
	d := Drop{Label: "Application", Current: v.App.Name}
	for _, r := range rows {
		d.Choices = append(d.Choices, Choice{Text: r.Name, URL: "/target?application=" + r.ID, On: r.ID == v.App.ID})
	}
	v.Choice = &d
	v.Keep = []Link{{"application", v.App.ID}, {"show", "all"}}
}

// storeOf names the store behind a tenant URL, "" when it is not one of ours.
func (p *Portal) storeOf(c echo.Context, tenantURL string) string {
	u, err := url.Parse(tenantURL)
	if err != nil {
		return ""
	}
	own, err := url.Parse(p.Service.OwnURL())
	if err != nil || own.Host != u.Host && u.Host != c.Request().Host {
		return ""
	}
	switch parts := strings.Split(strings.Trim(u.Path, "/"), "/"); {
	case len(parts) == 1 && parts[0] == "scim":
		return "default"
	case len(parts) == 3 && parts[0] == "targets" && parts[2] == "scim":
		return parts[1]
	}
	return ""
}

// compare fills in the list, the counts and the opened object.
func (p *Portal) compare(c echo.Context, v *targetView, store *target.Store) error {
	rows, next, err := p.targetRows(c, v, store)
	if err != nil {
		return err
	}
	count := map[int]int{}
	for _, r := range rows {
		count[r.rank]++
	}
	v.Empty = len(rows) == 0
	all := v.Q != "" || c.QueryParam("show") == "all"
	differs := len(rows) - count[rankSame]
	if differs == 0 && c.QueryParam("show") == "" {
		all = true // nothing needs a look: show what there is
	}
	v.Show = []Choice{{"Differences", address(c, "show", "differences", "object", "", "q", ""), !all, ""}, {"All", address(c, "show", "all", "object", "", "q", ""), all, ""}}
	list := func(show string) string { return address(c, "show", show, "object", "", "q", "") }
	v.Stats = []Stat{{count[rankSame], "As wished", "equal", "", list("all")}, {count[rankDifferent], "Different", "differ", "warn", list("differences")},
		{count[rankMissing], "Missing in target", "minus", "warn", list("differences")}, {count[rankOnly] + count[rankLeft], "Only in target", "plus", "", list("differences")}}
	if v.App != nil && v.App.Job != nil {
		if n, known, err := p.Service.Due(v.App.ID); err != nil {
			return err
		} else if known {
			v.Stats = append(v.Stats, Stat{n, "Due in the next cycle", "clock", "", list("differences")})
		}
	}
	if store != nil {
		v.Leniencies = store.Leniencies()
	}
	if next >= 0 {
		v.Note = fmt.Sprintf("The target holds more: %s of each kind are compared on a page.", number(compareLimit))
		v.Pager.Next = address(c, "cursor", strconv.Itoa(next), "object", "")
	}
	if c.QueryParam("cursor") != "" {
		v.Pager.First = address(c, "cursor", "", "object", "")
	}
	v.choose(c, rows, all)
	if v.One, err = p.openTarget(c, v, store); err != nil {
		return err
	}
	return nil
}

// choose keeps the rows that the filters ask for, and marks the opened one: the first, unless the address names another.
func (v *targetView) choose(c echo.Context, rows []targetRow, all bool) {
	q, open := strings.ToLower(v.Q), c.QueryParam("object")
	for _, r := range rows {
		if !all && r.rank == rankSame && r.key != open || q != "" && !strings.Contains(strings.ToLower(r.Name+" "+r.key), q) {
			continue
		}
		r.URL = address(c, "object", r.key)
		r.On = r.key == open
		v.Rows = append(v.Rows, r)
	}
}

func (p *Portal) targetRows(c echo.Context, v *targetView, store *target.Store) (rows []targetRow, next int, err error) {
	position, err := strconv.Atoi("0" + c.QueryParam("cursor"))
	if err != nil {
		return nil, -1, echo.NewHTTPError(http.StatusBadRequest, "cursor is no number.")
	}
	next = -1
	if store != nil {
		for _, kind := range []string{"User", "Group"} {
			list, more := store.List(kind, position, compareLimit)
			next = max(next, more)
			for _, r := range list {
				row, err := p.targetRow(v.App, store, r)
				if err != nil {
					return nil, -1, err
				}
				rows = append(rows, row)
			}
		}
	}
	if v.App != nil && v.App.Job != nil && position == 0 {
		missing, _, err := p.Service.Missing(v.App.ID, missingLimit, missingScan)
		if err != nil {
			return nil, -1, err
		}
		for _, a := range missing {
			rows = append(rows, missingRow(a))
		}
	}
	sort.SliceStable(rows, func(i, k int) bool { return rows[i].rank < rows[k].rank })
	return rows, next, nil
}

func missingRow(a sim.Absent) targetRow {
	r := targetRow{Who: Who{Name: a.Name, Kind: a.Kind, Sub: "in scope, not provisioned yet"}, State: Status{"Missing", "pill", "minus", ""}, rank: rankMissing, key: a.ObjectID}
	if a.Escrow != nil {
		r.Sub, r.State.Class = "refused: "+a.Escrow.Code, "pill bad"
	}
	return r
}

func (p *Portal) targetRow(app *appRow, store *target.Store, r target.Resource) (targetRow, error) {
	row := targetRow{Who: Who{Name: resourceName(r), Kind: r.Kind, Sub: "never managed here"}, State: Status{"Only in target", "pill", "plus", ""}, rank: rankOnly, key: r.ID}
	if app == nil || app.Job == nil {
		return row, nil
	}
	x, err := p.Service.CompareTarget(app.ID, r.Kind, r.ID, r.JSON, store.Members(r.ID))
	if err != nil || !x.Linked {
		return row, err
	}
	row.describe(x)
	return row, nil
}

// describe words a comparison.
func (row *targetRow) describe(x sim.Comparison) {
	var names []string
	for _, d := range x.Differences() {
		names = append(names, d.Name)
	}
	switch {
	case row.Kind == "Group" && !x.InScope && x.State == sim.LinkActive:
		row.State, row.rank, row.Sub = Status{"To be deleted", "pill warn", "trash", ""}, rankDifferent, "left scope"
	case len(names) > 0:
		row.State, row.rank, row.Sub = Status{"Different", "pill warn", "differ", ""}, rankDifferent, strings.Join(names, ", ")
	case x.State == sim.LinkUnmanaged:
		row.State, row.rank, row.Sub = Status{"Left scope", "pill", "off", ""}, rankLeft, "managed no longer"
	default:
		row.State, row.rank, row.Sub = Status{"As wished", "plain ok", "check", ""}, rankSame, strings.ToLower(row.Kind)
	}
}

func resourceName(r target.Resource) string {
	for _, attribute := range []string{"displayName", "userName"} {
		if text, ok := r.Doc[attribute].(string); ok && text != "" {
			return text
		}
	}
	return r.ID
}

// targetOne is the opened object: wish and state side by side.
type targetOne struct {
	targetRow
	Linked               bool
	ObjectURL, Exchanges string // addresses, "" when there is none
	Text                 string
	Differences          string
	Attributes           []attributeRow
	Wish, Held           template.HTML
	StatePath            string
}

type attributeRow struct {
	sim.Compared
	Mapped bool
}

// openTarget shows the object that the address names, or else the first that needs a look.
func (p *Portal) openTarget(c echo.Context, v *targetView, store *target.Store) (*targetOne, error) {
	id := c.QueryParam("object")
	if id == "" && len(v.Rows) > 0 {
		id, v.Rows[0].On = v.Rows[0].key, true
	}
	if id == "" || store == nil && (v.App == nil || v.App.Job == nil) {
		return nil, nil
	}
	if store != nil {
		if r, ok := store.Get(id); ok {
			return p.openResource(v, store, r)
		}
	}
	return p.openMissing(v, id)
}

func (p *Portal) openResource(v *targetView, store *target.Store, r target.Resource) (*targetOne, error) {
	row, err := p.targetRow(v.App, store, r)
	if err != nil {
		return nil, err
	}
	o := &targetOne{targetRow: row, StatePath: "/" + r.Kind + "s/" + r.ID, Held: codeHTML(string(r.JSON))}
	if v.App == nil || v.App.Job == nil {
		o.Text = "No application is configured for this store."
		return o, nil
	}
	x, err := p.Service.CompareTarget(v.App.ID, r.Kind, r.ID, r.JSON, store.Members(r.ID))
	if err != nil {
		return nil, err
	}
	if o.Linked = x.Linked; !o.Linked {
		o.Text = "No user or group of the directory is linked to it: " + v.App.Name + " never managed it."
		return o, nil
	}
	o.Exchanges = "/wire?object=" + x.ObjectID
	if o.ObjectURL, err = p.objectPage(x.ObjectID); err != nil {
		return nil, err
	}
	differ := map[string]bool{}
	for _, a := range x.Attributes {
		o.Attributes = append(o.Attributes, attributeRow{a, true})
		if !a.Same {
			differ[a.Name] = true
		}
	}
	o.Attributes = append(o.Attributes, extras(r, x.Attributes)...)
	o.Wish, o.Held = markHTML(x.Wish, differ), markHTML(string(r.JSON), differ)
	o.Differences, o.Text = plural(len(differ), "difference"), compareText(r.Kind, x, *v.App.Job)
	return o, nil
}

// compareText says what comes of a comparison.
func compareText(kind string, x sim.Comparison, j sim.Job) string {
	next := "The next cycle"
	if !j.NextCycle.IsZero() {
		next += ", at " + j.NextCycle.UTC().Format("15:04") + ","
	}
	switch {
	case x.Error != "":
		return "The mapping gives no result: " + x.Error
	case !x.InScope && x.State == sim.LinkActive && j.Status.Quarantine != nil && j.Status.Quarantine.Reason == sim.QuarantineDeletes:
		return "It left scope, and the deletion threshold holds that back: Allow deletes on the application's overview has it carried out."
	case len(x.Differences()) > 0 && !j.Started():
		return "The directory wishes something else. It is sent when provisioning is started."
	case len(x.Differences()) > 0:
		return next + " sends what differs. A change that was made at the target itself is found when the object is looked at again."
	case kind == "Group" && !x.InScope && x.State == sim.LinkActive:
		return next + " deletes it: a SCIM group can't be switched off."
	case x.State == sim.LinkUnmanaged:
		return "It left scope and the target was told. Nothing is sent about it until it comes back."
	case !x.InScope:
		return "It is out of scope; only what tells the loss of scope is compared."
	}
	return ""
}

// extras lists what the target holds beyond the mappings.
func extras(r target.Resource, mapped []sim.Compared) (rows []attributeRow) {
	known := []string{"schemas", "meta", "id", "members"}
	for _, a := range mapped {
		known = append(known, topMember(a.Name))
	}
	for name, value := range r.Doc {
		if slices.Contains(known, name) {
			continue
		}
		rows = append(rows, attributeRow{Compared: sim.Compared{Name: name, Have: fmt.Sprint(value), Same: true}})
	}
	sort.Slice(rows, func(i, k int) bool { return rows[i].Name < rows[k].Name })
	return rows
}

// topMember is the member of a resource that an attribute's path begins with.
func topMember(path string) string {
	if strings.HasPrefix(path, "urn:") {
		return path[:strings.LastIndexByte(path, ':')]
	}
	if i := strings.IndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return path
}

// objectPage is the address of an object of the directory, "" when it is gone.
func (p *Portal) objectPage(id string) (string, error) {
	o, err := p.dir.Object(id)
	switch directory.CodeOf(err) {
	case "":
		return objectURL(o), err
	case directory.NotFound:
		if _, err := p.dir.DeletedUser(id); err == nil {
			return "/users/" + id, nil
		}
		return "", nil
	}
	return "", err
}

// openMissing shows what an object would become that the target lacks.
func (p *Portal) openMissing(v *targetView, id string) (*targetOne, error) {
	if v.App == nil || v.App.Job == nil {
		return nil, nil
	}
	wish, err := p.Service.Preview(v.App.ID, id)
	if directory.CodeOf(err) == directory.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o := &targetOne{targetRow: targetRow{Who: Who{Name: wish.Name, Kind: wish.Kind}, State: Status{"Missing", "pill", "minus", ""}, rank: rankMissing, key: id}, Linked: true,
		Exchanges: "/wire?object=" + id, Wish: codeHTML(wish.Create), Text: "It is in scope, and the target has no counterpart yet."}
	if o.ObjectURL, err = p.objectPage(id); err != nil {
		return nil, err
	}
	if wish.Error != "" {
		o.Text = "The mapping gives no result: " + wish.Error
	}
	for _, a := range wish.Attributes {
		o.Attributes = append(o.Attributes, attributeRow{sim.Compared{Name: a.Target, Want: a.Text}, true})
	}
	return o, nil
}
