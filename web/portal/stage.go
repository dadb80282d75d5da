package portal

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

// stageView tells one exchange in a plain sentence, to be read from the back of a room.
type stageView struct {
	Base
	Heading, AppName, AppID string
	Say                     template.HTML
	Why, Change             string
	One                     *exchangeView
	Left, Right             []stageObject
	LeftSum, RightSum       string
	Steps                   []stageStep
	First, Back, Next       string // addresses, "" when there is none
	Start                   bool   // provisioning is not started: the next step is to start it
	Live                    bool   // shows the newest exchange, whatever comes
}

// stageObject is a person or a group on one side of the stage.
type stageObject struct {
	Name, Text, Class, Icon string
	On                      bool
}

type stageStep struct{ Title, Text, Class, Icon, URL string }

const (
	stageObjects = 5
	stageSteps   = 5
	// stageScan is how many exchanges around the one shown are looked at for the rest of its cycle.
	stageScan = 400
)

func (p *Portal) stage(c echo.Context) error {
	v := stageView{Base: p.page(c, "Stage view", "stage"), Heading: "Nothing was sent yet"}
	job, err := p.stageJob(c)
	if err != nil {
		return err
	}
	if job == nil {
		v.Say = `There is no application <em>yet</em>.`
		return render(c, 200, "stage", v)
	}
	v.AppName, v.AppID, v.Start = job.ApplicationName, job.ApplicationID, !job.Started()
	v.LeftSum, v.RightSum = plural(v.Counts.Users, "user"), p.targetStation(c, job).Users+" users"
	cycle, at := p.stageCycle(c, *job)
	if at < 0 {
		v.Say = template.HTML(`Nothing was sent to ` + template.HTMLEscapeString(v.AppName) + ` <em>yet</em>.`)
		return render(c, 200, "stage", v)
	}
	views, err := p.exchangeViews(cycle)
	if err != nil {
		return err
	}
	v.Live = c.QueryParam("x") == ""
	v.tell(views, at)
	v.Heading = fmt.Sprintf("%s, cycle %s", v.AppName, number(views[at].Cycle))
	if views[at].Cycle == 0 {
		v.Heading = v.AppName + ", outside of a cycle"
	}
	return render(c, 200, "stage", v)
}

// stageJob is the job that the stage is about: the one that sent last, unless the address names its application.
func (p *Portal) stageJob(c echo.Context) (*sim.Job, error) {
	jobs := p.Service.Jobs()
	if len(jobs) == 0 {
		return nil, nil
	}
	if app := c.QueryParam("application"); app != "" {
		j, err := p.Service.Job(app)
		return &j, err
	}
	for _, x := range p.Service.RecentTraffic(1) {
		for i := range jobs {
			if jobs[i].ID == x.Job {
				return &jobs[i], nil
			}
		}
	}
	return &jobs[0], nil
}

// stageCycle returns the exchanges of one cycle around the one that the address names, or else the newest, oldest first,
// and the place of that one; -1 when there is none.
func (p *Portal) stageCycle(c echo.Context, job sim.Job) (cycle []sim.Exchange, at int) {
	recent := p.Service.RecentTraffic(1)
	if len(recent) == 0 {
		return nil, -1
	}
	id := recent[0].ID
	if n, err := strconv.ParseUint(c.QueryParam("x"), 10, 64); err == nil && n > 0 {
		id = min(id, n)
	}
	after := id - min(id, stageScan)
	around := p.Service.Traffic(after, 2*stageScan).Exchanges
	at = -1
	for _, x := range slices.Backward(around) { // the exchange itself, or the nearest before it of this job
		if x.ID <= id && x.Job == job.ID {
			id, at = x.ID, x.Cycle
			break
		}
	}
	if at < 0 {
		return nil, -1
	}
	number := at
	for _, x := range around {
		if x.Job == job.ID && x.Cycle == number {
			if x.ID == id {
				at = len(cycle)
			}
			cycle = append(cycle, x)
		}
	}
	return cycle, at
}

// tell fills the stage with exchange number at of a cycle.
func (v *stageView) tell(cycle []exchangeView, at int) {
	x := cycle[at]
	deed := deedOf(x)
	v.One, v.Say, v.Why, v.Change = &x, deed.html(), x.Reason, deed.change
	link := func(i int) string {
		if i < 0 || i >= len(cycle) {
			return ""
		}
		return "/stage?application=" + v.AppID + "&x=" + strconv.FormatUint(cycle[i].ID, 10)
	}
	v.Back, v.Next = link(at-1), link(at+1)
	if at > 0 {
		v.First = link(0)
	}
	from := max(0, min(at-stageSteps/2, len(cycle)-stageSteps))
	for i := from; i < min(from+stageSteps, len(cycle)); i++ {
		d := deedOf(cycle[i])
		s := stageStep{Title: d.text(), Icon: "more", Text: "to come", URL: link(i)}
		switch {
		case i == at:
			s.Class, s.Icon, s.Text = "now", "play", fmt.Sprintf("Step %s of %s", number(i+1), number(len(cycle)))
		case i < at:
			s.Class, s.Icon, s.Text = "done", "check", d.outcome
		}
		v.Steps = append(v.Steps, s)
	}
	v.sides(cycle, at)
}

// sides lists the objects around the one that the exchange is about, on both sides.
func (v *stageView) sides(cycle []exchangeView, at int) {
	var order []string
	left, right := map[string]*stageObject{}, map[string]*stageObject{}
	for i, x := range cycle {
		if x.Object == "" {
			continue
		}
		if left[x.Object] == nil {
			order = append(order, x.Object)
			left[x.Object] = &stageObject{Name: x.Name, Text: "Unchanged"}
			right[x.Object] = &stageObject{Name: x.Name, Text: "Not yet", Icon: "more"}
		}
		d, r := deedOf(x), right[x.Object]
		if x.Method != "GET" {
			left[x.Object].Text = d.cause
		}
		switch {
		case i > at:
		case x.Status == 0 || x.Status >= 400:
			r.Text, r.Class, r.Icon = "Refused: "+strconv.Itoa(x.Status), "bad", "cross"
		case x.Method != "GET":
			r.Text, r.Class, r.Icon = d.effect, "ok", "check"
		default:
			r.Text, r.Icon = "Being looked at", "search"
		}
	}
	// The one that the exchange is about stands first, where the line between the sides runs.
	current := max(0, slices.Index(order, cycle[at].Object))
	from := max(0, min(current, len(order)-stageObjects))
	near := order[from:min(from+stageObjects, len(order))]
	for _, id := range append(slices.Clone(near[current-from:]), near[:current-from]...) {
		on := id == cycle[at].Object
		left[id].On, right[id].On = on, on
		v.Left, v.Right = append(v.Left, *left[id]), append(v.Right, *right[id])
	}
}

// deed is what an exchange does, in words: before and after stand around the word that counts.
type deed struct {
	before, word, after string
	change              string // the change itself, as it stands in the request
	cause, effect       string // on the two sides
	outcome             string
}

func (d deed) text() string { return d.before + d.word + d.after }

func (d deed) html() template.HTML {
	e := template.HTMLEscapeString
	return template.HTML(e(d.before) + `<em>` + e(d.word) + `</em>` + e(d.after) + `.`)
}

// deedOf words an exchange.
func deedOf(x exchangeView) deed {
	name := isolated(x.Name)
	d := deed{outcome: strconv.Itoa(x.Status) + ", " + milliseconds(x.DurationMs)}
	if x.Status == 0 {
		d.outcome = "no answer"
	}
	switch x.Method {
	case "GET":
		switch {
		case x.Object == "":
			d.before, d.word = "Ask if the target ", "answers"
		case strings.Contains(x.URL, "filter="):
			d.before, d.word = "Look for ", name
		default:
			d.before, d.word = "Read ", name
		}
	case "POST":
		d.before, d.word, d.cause, d.effect = "Create ", name, "In scope now", "Created"
	case "DELETE":
		d.before, d.word, d.cause, d.effect = "Delete ", name, "Gone", "Deleted"
		if slices.Contains(x.Rules, "S-210") { // a group that is still there
			d.cause = "Left scope"
		}
	default:
		patchDeed(&d, name, x.RequestBody)
	}
	return d
}

// isolated keeps the direction of a name's writing from spilling over into the sentence.
func isolated(name string) string { return "\u2068" + shown(name) + "\u2069" }

// patchDeed words a PATCH by its operations.
func patchDeed(d *deed, name, body string) {
	d.before, d.word, d.cause, d.effect = "Change ", name, "Changed", "Up to date"
	var patch struct {
		Operations []struct {
			Op    string
			Path  string
			Value json.RawMessage
		}
	}
	if json.Unmarshal([]byte(body), &patch) != nil || len(patch.Operations) == 0 {
		return
	}
	o := patch.Operations[0]
	value := strings.Trim(string(o.Value), `"`)
	if o.Path == "" { // the compliant dialect gathers attributes in an object
		var attributes map[string]json.RawMessage
		if json.Unmarshal(o.Value, &attributes) == nil && len(attributes) == 1 {
			for path, v := range attributes {
				o.Path, value = path, strings.Trim(string(v), `"`)
			}
		}
	}
	path := o.Path[strings.LastIndexByte(o.Path, ':')+1:]
	switch {
	case path == "members" || strings.HasPrefix(path, "members["):
		membersDeed(d, name, strings.EqualFold(o.Op, "remove"), max(len(patch.Operations), count(o.Value)))
	case len(patch.Operations) > 1 || path == "":
		d.word, d.after, d.change = plural(max(len(patch.Operations), 2), "attribute"), " of "+name, ""
	case path == "active" && strings.EqualFold(value, "false"):
		d.before, d.word, d.cause, d.effect, d.change = "Set "+name+" to ", "inactive", "Left scope", "Inactive", `active → `+string(o.Value)
	case path == "active":
		d.before, d.word, d.cause, d.effect, d.change = "Set "+name+" to ", "active", "Back in scope", "Active", `active → `+string(o.Value)
	default:
		d.word, d.after, d.change = path, " of "+name, path+" → "+firstRunes(value, 40)
	}
}

func membersDeed(d *deed, name string, remove bool, n int) {
	d.before, d.word, d.after, d.cause = "Add ", plural(n, "member"), " to "+name, "Members changed"
	if remove {
		d.before, d.after = "Take ", " out of "+name
	}
}

// count is the number of elements of a JSON list, 1 of anything else.
func count(value json.RawMessage) int {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		return 1
	}
	return len(list)
}

func firstRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
