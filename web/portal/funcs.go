package portal

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"entrasim/directory"
	"entrasim/scenarios"
	"entrasim/sim"
	"entrasim/sim/rules"
)

// funcs are what templates may call. Whatever returns template.HTML escapes what it is given.
var funcs = template.FuncMap{
	"icon": icon, "num": func(n any) string { return grouped(fmt.Sprint(n)) }, "plural": plural, "title": title, "asks": asks, "ms": milliseconds,
	"face": face, "initials": initials, "shown": shown, "told": told,
	"full":   func(t time.Time) template.HTML { return stamp(t, "2 Jan 2006, 15:04:05") },
	"short":  func(t time.Time) template.HTML { return stamp(t, "2 Jan, 15:04:05") },
	"minute": func(t time.Time) template.HTML { return stamp(t, "2 Jan, 15:04") },
	"hms":    func(t time.Time) template.HTML { return stamp(t, "15:04:05") },
	"date":   func(t time.Time) template.HTML { return stamp(t, "2 Jan 2006") },
	"bar":    func(t time.Time) string { return when(t, "Mon 2 Jan 2006, 15:04:05") + " UTC" },
	"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"exact":  func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }, // an instant to be reached, not shown
	"status": outcomePill, "verb": verb, "answer": answer, "code": codeHTML,
	"rules":     func(ids []string) []rules.Rule { return sim.RulesOf(ids) },
	"stageTime": func(t time.Time) string { return when(t, "Mon 2 Jan, 15:04:05") },
	"inc":       func(n int) int { return n + 1 },
	"query":     url.QueryEscape,
	"faulty":    faulty,
	"played":    playedPill,
	"problem":   func(p scenarios.Problem) string { return p.Snippet() },
	"deref": func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	},
}

func icon(name string) template.HTML {
	return template.HTML(`<svg class="i" aria-hidden="true"><use href="#i-` + template.HTMLEscapeString(name) + `"/></svg>`)
}

func when(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format(layout)
}

func stamp(t time.Time, layout string) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + t.UTC().Format(layout) + `</time>`)
}

// in words how long it is until something: "In 11 h 15 min".
func in(d time.Duration) string {
	switch minutes := int(d.Round(time.Minute) / time.Minute); {
	case d <= 0:
		return "Now"
	case minutes < 1:
		return "In less than a minute"
	case minutes < 60:
		return fmt.Sprintf("In %d min", minutes)
	case minutes < 48*60 && minutes%60 == 0:
		return fmt.Sprintf("In %d h", minutes/60)
	case minutes < 48*60:
		return fmt.Sprintf("In %d h %d min", minutes/60, minutes%60)
	default:
		return "In " + plural(minutes/60/24, "day")
	}
}

// milliseconds writes 3 ms, 0.4 ms below one and 0.04 ms below a tenth.
func milliseconds(ms float64) string {
	switch {
	case ms < 0.095:
		return strconv.FormatFloat(ms, 'f', 2, 64) + " ms"
	case ms < 0.95:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return number(int(ms+0.5)) + " ms"
}

// number writes 1,284.
func number(n int) string { return grouped(strconv.Itoa(n)) }

func grouped(s string) string {
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return number(n) + " " + word + "s"
}

func title(s any) string {
	t := fmt.Sprint(s)
	if t == "" {
		return t
	}
	return strings.ToUpper(t[:1]) + t[1:]
}

// face is the round mark in front of a person, square for a group.
func face(name string, kind any) template.HTML {
	class := "face"
	if k := fmt.Sprint(kind); k == "Group" || k == "lg Group" {
		class += " grp"
	}
	if strings.HasPrefix(fmt.Sprint(kind), "lg") {
		class += " lg"
	}
	return template.HTML(`<span class="` + class + `" aria-hidden="true">` + template.HTMLEscapeString(initials(name)) + `</span>`)
}

func initials(name string) string {
	var out []rune
	for _, w := range strings.Fields(name) {
		if r := []rune(w)[0]; unicode.IsLetter(r) || unicode.IsDigit(r) {
			out = append(out, unicode.ToUpper(r))
		}
	}
	switch len(out) {
	case 0:
		return "?"
	case 1:
		return string(out)
	}
	return string([]rune{out[0], out[len(out)-1]})
}

// shown is a name as a link can show it: one without a visible character is told as such.
func shown(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }) {
		return name
	}
	return "(no visible name)"
}

// told sets a name apart within a sentence, so that its direction of writing does not spill over.
func told(sentence, name string) template.HTML {
	before, after, ok := strings.Cut(sentence, name)
	if name == "" || !ok {
		return template.HTML(template.HTMLEscapeString(sentence))
	}
	return template.HTML(template.HTMLEscapeString(before) + `<bdi class="told">` + template.HTMLEscapeString(shown(name)) + `</bdi>` + template.HTMLEscapeString(after))
}

// Who is a person or a group in a list.
type Who struct {
	Name, Kind, URL, Sub string
}

func whoOf(o directory.Object) Who {
	return Who{Name: o.DisplayName, Kind: o.Kind.String(), URL: objectURL(o)}
}

func objectURL(o directory.Object) string {
	switch o.Kind {
	case directory.KindUser:
		return "/users/" + o.ID
	case directory.KindGroup:
		return "/groups/" + o.ID
	}
	return "/applications/" + o.ID + "/provisioning"
}

// Status is a state as a list shows it: a shape, a word and a class.
type Status struct{ Text, Class, Icon, Why string }

// outcomePill shows an outcome: a success is quiet, a failure stands out.
func outcomePill(s sim.Outcome) template.HTML {
	row, ok := map[sim.Outcome][3]string{sim.Success: {"plain ok", "check", "Success"}, sim.Failure: {"pill bad", "cross", "Failure"},
		sim.Skipped: {"plain", "skip", "Skipped"}, sim.Warning: {"pill warn", "warn", "Warning"}}[s]
	if !ok {
		row = [3]string{"plain", "info", template.HTMLEscapeString(title(s))}
	}
	return template.HTML(`<span class="` + row[0] + `">` + string(icon(row[1])) + row[2] + `</span>`)
}

// verb shows a method: reads are outlined, writes tinted, deletions red.
func verb(method string) template.HTML {
	class := "verb w"
	switch method {
	case "GET":
		class = "verb"
	case "DELETE":
		class = "verb d"
	}
	return template.HTML(`<span class="` + class + `">` + template.HTMLEscapeString(method) + `</span>`)
}

// answer shows an HTTP status; 0 is no answer at all.
func answer(status int) template.HTML {
	switch {
	case status == 0:
		return `<span class="st bad">no answer</span>`
	case status >= 400:
		return template.HTML(`<span class="st bad">` + strconv.Itoa(status) + `</span>`)
	}
	return template.HTML(`<span class="st">` + strconv.Itoa(status) + `</span>`)
}

// playedPill shows how a scenario or a part of it ended.
func playedPill(v scenarios.Verdict) template.HTML {
	switch v {
	case scenarios.Passed:
		return `<span class="plain ok">` + icon("check") + `Passed</span>`
	case scenarios.Failed:
		return `<span class="pill bad">` + icon("cross") + `Failed</span>`
	case scenarios.Broken:
		return `<span class="pill bad">` + icon("warn") + `Not carried out</span>`
	}
	return template.HTML(`<span class="plain">` + string(icon("skip")) + template.HTMLEscapeString(title(v)) + `</span>`)
}
