package portal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

type logsView struct {
	Base
	Q         string
	Drops     []Drop
	Dates     logDates
	Only      []*Choice // one object, cycle, change or job, with the address that clears it
	Keep      []Link    // parameters that a search keeps
	CSV, JSON string    // addresses of the downloads
	Rows      []logRow
	Pager     Pager
	Aged      bool   // there were records, and all of them are gone
	Looked    string // how far was looked when what is older has not been
	Stats     []Stat // of the records of one cycle
	Record    *recordView
	Close     string
}

// Source and Target are what every record's identity comes from and goes to.
func (logsView) Source() string { return sim.SourceSystem }
func (logsView) Target() string { return sim.TargetSystem }

type logRow struct {
	sim.LogRecord
	URL    string
	On     bool
	Detail string // what stands below the status
}

func (p *Portal) logs(c echo.Context) error {
	v := logsView{Base: p.page(c, "Provisioning logs", "logs"), Q: strings.TrimSpace(c.QueryParam("q")), Close: address(c, "record", "", "tab", "")}
	v.Crumbs = append(v.Crumbs, Link{Text: "Monitoring"})
	var err error
	if v.Drops, err = p.logDrops(c); err != nil {
		return err
	}
	for _, name := range logFilters {
		if value := c.QueryParam(name); value != "" && name != "from" && name != "to" {
			v.Keep = append(v.Keep, Link{name, value})
		}
	}
	for _, one := range []struct{ name, text string }{{"object", "One object"}, {"cycle", "One cycle"}, {"change", "One change"}, {"job", "One job"}} {
		if c.QueryParam(one.name) != "" {
			v.Only = append(v.Only, &Choice{Text: one.text, URL: address(c, one.name, "", "cursor", "", "record", "", "tab", "")})
		}
	}
	download := func(format string) string {
		to := address(c, "format", format, "cursor", "", "record", "", "tab", "")
		return "/logs/download" + to[strings.Index(to, "?"):]
	}
	v.CSV, v.JSON = download("csv"), download("json")
	q, dates := logQuery(c, v.Clock.Now)
	q.Cursor, q.Limit, q.Most = c.QueryParam("cursor"), pageSize, logLooked
	v.Dates = dates
	page, err := p.Service.FindLogs(q)
	if err != nil {
		return err
	}
	if len(page.Items) == 0 {
		v.Aged = slices.ContainsFunc(p.Service.Jobs(), func(j sim.Job) bool { return j.ToDate != sim.Counts{} })
	}
	if page.Next != "" && len(page.Items) < q.Limit {
		v.Looked = fmt.Sprintf("%s were looked at, back to %s UTC.", plural(page.Looked, "record"), when(page.Until, "2 Jan 2006, 15:04"))
	}
	if q.CycleID != "" {
		if v.Stats, err = p.cycleStats(c, q); err != nil {
			return err
		}
	}
	id := c.QueryParam("record")
	for _, r := range page.Items {
		v.Rows = append(v.Rows, logRow{LogRecord: r, URL: address(c, "record", r.ID, "tab", ""), On: r.ID == id, Detail: statusDetail(r)})
	}
	v.Pager = pager(c, page.Next)
	if id != "" {
		r, err := p.Service.LogRecord(id)
		if err != nil {
			return err
		}
		if v.Record, err = p.record(c, r); err != nil {
			return err
		}
	}
	return render(c, 200, "logs", v)
}

// cycleStats counts the records of a cycle by what was done, each with the address of those records.
func (p *Portal) cycleStats(c echo.Context, q sim.LogQuery) ([]Stat, error) {
	found, err := p.Service.CountLogs(sim.LogQuery{ApplicationID: q.ApplicationID, CycleID: q.CycleID, JobID: q.JobID, Most: logLooked})
	if err != nil || len(found.N) == 0 {
		return nil, err
	}
	counts := map[string]int{}
	for k, n := range found.N {
		if k.Status == sim.Success {
			counts[string(k.Action)] += n
		} else {
			counts[string(k.Status)] += n
		}
	}
	at := func(name, value string) string {
		return address(c, "action", "", "status", "", name, value, "cursor", "", "record", "", "tab", "")
	}
	return []Stat{{N: counts["create"], Word: "Created", Icon: "plus", Href: at("action", "create")}, {N: counts["update"], Word: "Updated", Icon: "edit", Href: at("action", "update")},
		{N: counts["disable"], Word: "Disabled", Icon: "off", Href: at("action", "disable")}, {N: counts["delete"], Word: "Deleted", Icon: "trash", Href: at("action", "delete")},
		{N: counts["skipped"], Word: "Skipped", Icon: "skip", Href: at("status", "skipped")}, {N: counts["warning"], Word: "Warnings", Icon: "warn", Class: "warn", Href: at("status", "warning")},
		{N: counts["failure"], Word: "Failed", Icon: "cross", Class: "bad", Href: at("status", "failure")}}, nil
}

func (p *Portal) logDrops(c echo.Context) ([]Drop, error) {
	apps, err := p.Service.Applications()
	if err != nil {
		return nil, err
	}
	var pairs []string
	for _, a := range apps {
		pairs = append(pairs, a.ID, a.DisplayName)
	}
	return []Drop{drop(c, "Application", "application", pairs...),
		drop(c, "Action", "action", "create", "Create", "update", "Update", "disable", "Disable", "delete", "Delete", "stagedDelete", "StagedDelete", "other", "Other"),
		drop(c, "Status", "status", "success", "Success", "failure", "Failure", "skipped", "Skipped", "warning", "Warning"),
		drop(c, "Source system", "source", sim.SourceSystem, sim.SourceSystem), drop(c, "Target system", "target", sim.TargetSystem, sim.TargetSystem)}, nil
}

// statusDetail says in a few words what a record is about, beyond its action and status.
func statusDetail(r sim.LogRecord) string {
	switch {
	case r.Status == sim.Failure || r.Status == sim.Warning:
		return r.ErrorCode
	case r.Status == sim.Skipped:
		return string(r.SkipReason)
	case r.Action == sim.ActionUpdate:
		rest := strings.TrimPrefix(strings.TrimPrefix(r.Sentence, r.DisplayName), " updated in "+sim.TargetSystem)
		return strings.TrimSuffix(strings.TrimPrefix(rest, ": "), " in "+sim.TargetSystem)
	}
	return ""
}

// recordView is an opened record with its four tabs.
type recordView struct {
	sim.LogRecord
	Tab       string
	Tabs      []Choice
	Steps     []stepView
	ObjectURL string // "" when the object is gone
	HasWire   bool   // its exchanges are still in memory
	Written   bool   // the modified properties reached the target
}

type stepView struct {
	sim.Step
	Title, Class, Icon string
	Exchanges          []exchangeView
}

var recordTabs = []struct{ key, text string }{{"steps", "Steps"}, {"troubleshooting", "Troubleshooting & Recommendations"}, {"modified", "Modified Properties"}, {"summary", "Summary"}}

func (p *Portal) record(c echo.Context, r sim.LogRecord) (*recordView, error) {
	v := &recordView{LogRecord: r, Tab: "steps", Written: r.Status == sim.Success}
	for _, t := range recordTabs {
		if t.key == c.QueryParam("tab") {
			v.Tab = t.key
		}
	}
	for _, t := range recordTabs {
		v.Tabs = append(v.Tabs, Choice{Text: t.text, URL: address(c, "record", r.ID, "tab", t.key), On: t.key == v.Tab})
	}
	if o, err := p.dir.Object(r.ObjectID); err == nil {
		v.ObjectURL = objectURL(o)
	} else if _, err := p.dir.DeletedUser(r.ObjectID); err == nil {
		v.ObjectURL = "/users/" + r.ObjectID
	}
	var exchanges []sim.Exchange
	for _, n := range r.Exchanges {
		if x, ok := p.Service.Exchange(n); ok && x.Object == r.ObjectID { // numbers begin anew with the program
			exchanges = append(exchanges, x)
		}
	}
	views, err := p.exchangeViews(exchanges)
	v.HasWire, v.Steps = len(views) > 0, steps(r, views)
	return v, err
}

// steps puts the recorded exchanges under the steps that sent them: reads under the matching, writes under the last.
func steps(r sim.LogRecord, exchanges []exchangeView) []stepView {
	list := make([]stepView, len(r.Steps))
	read, write := -1, len(list)-1
	for i, s := range r.Steps {
		list[i] = stepView{Step: s, Title: stepTitle(s, r.ObjectKind), Icon: "skip"}
		switch s.Status {
		case sim.Success:
			list[i].Class, list[i].Icon = "ok", "check"
		case sim.Failure:
			list[i].Class, list[i].Icon = "bad", "cross"
		case sim.Warning:
			list[i].Class, list[i].Icon = "warn", "warn"
		}
		if s.Type == "matching" && read < 0 {
			read = i
		}
		if s.Type == "export" {
			write = i
		}
	}
	for _, x := range exchanges {
		at := write
		if x.Method == "GET" && read >= 0 {
			at = read
		}
		if at >= 0 {
			list[at].Exchanges = append(list[at].Exchanges, x)
		}
	}
	return list
}

func stepTitle(s sim.Step, kind string) string {
	kind = strings.ToLower(kind)
	switch {
	case s.Type == "import":
		return "Import " + kind
	case s.Type == "scoping":
		return fmt.Sprintf("Determine if %s is in scope", kind)
	case s.Type == "matching" && s.Name == "EntryImport":
		return "Match " + kind
	case s.Type == "matching":
		return "Decide"
	case s.Type == "referenceResolution":
		return "Resolve references"
	}
	return "Perform action"
}
