package portal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"entrasim/scenarios"
)

// library reads the built-in scenarios, once.
var library = sync.OnceValues(func() ([]*scenarios.Scenario, error) { return scenarios.Load("all") })

// topics are the folders of the library in the words of a heading.
var topics = map[string]string{"stories": "Stories", "cycles": "Cycles", "deprovisioning": "Leaving: disable and delete", "faults": "Targets that fail", "groups": "Groups",
	"jobs": "The job: start, pause, restart, quarantine", "mappings": "Attribute mappings", "matching": "Matching", "references": "References: managers and members",
	"ondemand": "Provision on demand", "roles": "App roles", "scope": "Who is in scope", "wire": "What stands on the wire"}

type scenariosView struct {
	Base
	Q       string
	Count   int
	Folders []scenarioFolder
	Own     []scenarioLine
}

type scenarioFolder struct {
	Name, Title string
	Lines       []scenarioLine
}

type scenarioLine struct {
	ID, URL, Name, Narration, Source string
	Steps                            int
}

func lineOf(s *scenarios.Scenario) scenarioLine {
	return scenarioLine{ID: s.ID, URL: "/scenarios/" + s.ID, Name: s.Name, Narration: strings.TrimSpace(s.Narration), Source: s.Source, Steps: len(s.Steps)}
}

func (p *Portal) scenarios(c echo.Context) error {
	v := scenariosView{Base: p.page(c, "Scenarios", "scenarios"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	list, err := library()
	if err != nil {
		return err
	}
	words := strings.Fields(strings.ToLower(v.Q))
	for _, s := range list {
		text := strings.ToLower(s.ID + "\n" + string(s.Text()))
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			continue
		}
		folder := path.Dir(s.ID)
		i := slices.IndexFunc(v.Folders, func(f scenarioFolder) bool { return f.Name == folder })
		if i < 0 {
			i = len(v.Folders)
			v.Folders = append(v.Folders, scenarioFolder{Name: folder, Title: topics[folder]})
			if v.Folders[i].Title == "" {
				v.Folders[i].Title = title(folder)
			}
		}
		v.Folders[i].Lines = append(v.Folders[i].Lines, lineOf(s))
		v.Count++
	}
	slices.SortStableFunc(v.Folders, func(a, b scenarioFolder) int { // stories first: they show how it all hangs together
		return first(b.Name) - first(a.Name)
	})
	for _, o := range p.plays.owned() {
		v.Own = append(v.Own, lineOf(o.scenario))
	}
	return render(c, 200, "scenarios", v)
}

func first(folder string) int {
	if folder == "stories" {
		return 1
	}
	return 0
}

// ownScenario is a file that a reader brought along.
type ownScenario struct {
	id       string
	scenario *scenarios.Scenario
}

const (
	// ownKept is how many files of readers are kept, until the program ends.
	ownKept = 20
	// ownLimit is the longest form: more than a scenario file may have, so that its own message tells.
	ownLimit = 3 << 20
)

func (p *plays) owned() []ownScenario {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.own)
}

// keep puts a reader's file in front of the others; the oldest goes when there are too many.
func (p *plays) keep(o ownScenario) {
	p.discard(o.id)
	p.mu.Lock()
	p.own = slices.Insert(p.own, 0, o)
	var old string
	if len(p.own) > ownKept {
		old = p.own[ownKept].id
	}
	p.mu.Unlock()
	if old != "" {
		p.discard(old)
	}
}

func (p *plays) discard(id string) {
	p.mu.Lock()
	p.own = slices.DeleteFunc(p.own, func(x ownScenario) bool { return x.id == id })
	p.mu.Unlock()
	p.forget("own/" + id)
}

// find returns a scenario by folder and name; those of readers are in the folder own.
func (p *plays) find(folder, name string) (*scenarios.Scenario, error) {
	id := folder + "/" + name
	if folder == "own" {
		for _, o := range p.owned() {
			if o.id == name {
				return o.scenario, nil
			}
		}
		return nil, echo.NewHTTPError(http.StatusNotFound, "This scenario is no longer in memory. Files of your own are kept until the program ends, the newest twenty.")
	}
	list, err := library()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(s *scenarios.Scenario) bool { return s.ID == id }); i >= 0 {
		return list[i], nil
	}
	return nil, echo.NewHTTPError(http.StatusNotFound, "The library has no scenario of this name.")
}

type ownView struct {
	Base
	Source   string
	Problems []scenarios.Problem
	Lines    int
}

// ownPage offers a form for a file of one's own; it begins with a template, or with a scenario that is to be changed.
func (p *Portal) ownPage(c echo.Context) error {
	source := scenarios.Template
	if folder, name, ok := strings.Cut(c.QueryParam("from"), "/"); ok {
		s, err := p.plays.find(folder, name)
		if err != nil {
			return err
		}
		source = string(s.Text())
	}
	return p.ownForm(c, http.StatusOK, source, nil)
}

func (p *Portal) ownForm(c echo.Context, status int, source string, problems []scenarios.Problem) error {
	v := ownView{Base: p.page(c, "Your own scenario", "scenarios", Link{"Scenarios", "/scenarios"}), Source: source, Problems: problems}
	v.Lines = min(28, max(12, strings.Count(source, "\n")+2))
	return render(c, status, "scenarioown", v)
}

// addOwn reads a file that was chosen, or else the text that was typed, and opens it when it is a scenario.
func (p *Portal) addOwn(c echo.Context) error {
	c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, ownLimit)
	name, source, err := sentFile(c)
	if err != nil {
		return err
	}
	source = strings.ReplaceAll(source, "\r\n", "\n") // forms send lines so
	s, err := scenarios.Parse(name, []byte(source))
	var wrong scenarios.Problems
	if errors.As(err, &wrong) {
		return p.ownForm(c, http.StatusUnprocessableEntity, source, wrong)
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(source))
	id := hex.EncodeToString(sum[:8])
	s.ID = "own/" + id
	p.plays.keep(ownScenario{id: id, scenario: s})
	return c.Redirect(http.StatusSeeOther, "/scenarios/"+s.ID)
}

// sentFile is the file of a form, or the text beside it when none was chosen.
func sentFile(c echo.Context) (name, source string, err error) {
	tooLong := func(err error) error {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return echo.NewHTTPError(http.StatusRequestEntityTooLarge, "The file is longer than a scenario can be.")
		}
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	if !strings.HasPrefix(c.Request().Header.Get("Content-Type"), "multipart/") {
		form, err := c.FormParams()
		if err != nil {
			return "", "", tooLong(err)
		}
		return "pasted.yaml", form.Get("source"), nil
	}
	form, err := c.MultipartForm()
	if err != nil {
		return "", "", tooLong(err)
	}
	for _, f := range form.File["file"] {
		if f.Size == 0 && f.Filename == "" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return "", "", err
		}
		defer r.Close()
		data := make([]byte, f.Size)
		for n := 0; n < len(data); {
			k, err := r.Read(data[n:])
			if n += k; err != nil && n < len(data) {
				return "", "", fmt.Errorf("read the file of the form: %w", err)
			}
		}
		return path.Base(f.Filename), string(data), nil
	}
	return "pasted.yaml", c.FormValue("source"), nil
}

func (p *Portal) removeOwn(c echo.Context) error {
	p.plays.discard(c.Param("id"))
	return say(c, "/scenarios", "Removed.")
}

// scenarioFile is the scenario as a file.
func (p *Portal) scenarioFile(c echo.Context) error {
	s, err := p.plays.find(c.Param("folder"), c.Param("name"))
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+strings.TrimSuffix(c.Param("name"), ".yaml")+`.yaml"`)
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "application/yaml; charset=utf-8", s.Text())
}

type scenarioView struct {
	Base
	Line                     scenarioLine
	Own                      bool
	File, Edit               string
	Foreign                  string // the target that the file names, in whose place the embedded one plays
	Step, Steps              int
	Rows                     []scenarioStep
	Back, Next, End, Restart string // addresses; "" where there is nothing to go to
	Verdict                  scenarios.Verdict
	Trouble                  string // why it can't be played
	Now                      *momentView
	Diagnoses                []scenarios.Diagnosis
	Warnings                 []scenarios.Problem
	Source                   []sourceLine
}

type scenarioStep struct {
	Number         int
	Title, Actions string
	URL            string
	On, Played     bool
	Verdict        scenarios.Verdict
}

// scenario shows a scenario at a step. Everything up to it is played when it is asked for.
func (p *Portal) scenario(c echo.Context) error {
	s, err := p.plays.find(c.Param("folder"), c.Param("name"))
	if err != nil {
		return err
	}
	v := scenarioView{Base: p.page(c, s.Name, "scenarios", Link{"Scenarios", "/scenarios"}), Line: lineOf(s), Steps: len(s.Steps), Own: c.Param("folder") == "own", Warnings: s.Warnings}
	here := "/scenarios/" + s.ID
	v.File, v.Edit, v.Foreign = here+"/file", "/scenarios/own?from="+s.ID, s.Target.URL
	step := 0
	switch text := c.QueryParam("step"); text {
	case "", "0":
	case "end":
		step = v.Steps
	default:
		if step, err = strconv.Atoi(text); err != nil || step < 0 || step > v.Steps {
			return echo.NewHTTPError(http.StatusNotFound, fmt.Sprintf("The scenario has %s.", plural(v.Steps, "step")))
		}
	}
	got, err := p.plays.at(s.ID, s, step)
	if err != nil {
		v.Trouble = err.Error()
		return render(c, http.StatusOK, "scenario", v)
	}
	v.fill(got, min(step, len(got.Moments)-1), here)
	return render(c, http.StatusOK, "scenario", v)
}

// fill makes the view of a play that is looked at behind a step.
func (v *scenarioView) fill(got progress, step int, here string) {
	at := func(n int) string { return here + "?step=" + strconv.Itoa(n) }
	v.Step, v.Verdict = step, scenarios.Passed
	for i := range got.Scenario.Steps {
		st := &got.Scenario.Steps[i]
		row := scenarioStep{Number: i + 1, Title: strings.Join(strings.Fields(st.Say), " "), Actions: st.Actions(), URL: at(i + 1), On: i+1 == step}
		if row.Title == "" {
			row.Title, row.Actions = title(row.Actions), ""
		}
		if i < step { // what somebody else has seen of it already is not told yet
			if row.Played, row.Verdict = true, got.Moments[i+1].Verdict; row.Verdict != scenarios.Passed {
				v.Verdict = row.Verdict
			}
		}
		v.Rows = append(v.Rows, row)
	}
	broken := v.Verdict == scenarios.Broken
	if step > 0 {
		v.Back, v.Restart = at(step-1), here
		v.Title = fmt.Sprintf("Step %d of %d: %s", step, v.Steps, got.Scenario.Name)
	}
	if step < v.Steps && !broken {
		v.Next, v.End = at(step+1), here+"?step=end"
	} else {
		v.Diagnoses = got.Result.Diagnoses
	}
	v.Now = momentOf(got, step)
	v.Source = sourceOf(got.Scenario, step)
}
