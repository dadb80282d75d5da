package portal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"entrasim/sim"
	"entrasim/sim/rules"
)

var funcs = template.FuncMap{
	"icon": func(name string) template.HTML {
		return template.HTML(`<svg class="i" aria-hidden="true"><use href="#i-` + template.HTMLEscapeString(name) + `"/></svg>`)
	},
	"num":      number,
	"initials": initials,
	"full":     func(t time.Time) string { return when(t, "2 Jan 2006, 15:04:05") },
	"short":    func(t time.Time) string { return when(t, "2 Jan, 15:04:05") },
	"hms":      func(t time.Time) string { return when(t, "15:04:05") },
	"bar":      func(t time.Time) string { return when(t, "Mon 2 Jan 2006, 15:04:05") + " UTC" },
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"plural":   plural,
	"status":   statusPill,
	"verb": func(m string) template.HTML {
		return template.HTML(`<span class="verb ` + strings.ToLower(template.HTMLEscapeString(m)) + `">` + template.HTMLEscapeString(m) + `</span>`)
	},
	"code":  codeHTML,
	"title": title,
	"rules": func(ids []string) []rules.Rule { return sim.RulesOf(ids) },
	"deref": func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	},
	"query": url.QueryEscape,
	"list":  func(items ...any) []any { return items },
	"stat":  func(n int, word, icon, class, href string) statView { return statView{n, word, icon, class, href} },
	"pathOf": func(raw string) string {
		if u, err := url.Parse(raw); err == nil {
			return u.RequestURI()
		}
		return raw
	},
}

type statView struct {
	N                       int
	Word, Icon, Class, Href string
}

func when(t time.Time, layout string) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format(layout)
}

// number writes 1,284.
func number(n int) string {
	s := strconv.Itoa(n)
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

func title(s any) string {
	t := fmt.Sprint(s)
	if t == "" {
		return t
	}
	return strings.ToUpper(t[:1]) + t[1:]
}

// statusPill shows an outcome: a success is quiet, a failure stands out.
func statusPill(s sim.Outcome) template.HTML {
	row := map[sim.Outcome][3]string{sim.Success: {"plain ok", "check", "Success"}, sim.Failure: {"pill bad", "cross", "Failure"},
		sim.Skipped: {"plain dim", "skip", "Skipped"}, sim.Warning: {"pill warn", "warn", "Warning"}}[s]
	return template.HTML(`<span class="` + row[0] + `"><svg class="i" aria-hidden="true"><use href="#i-` + row[1] + `"/></svg>` + row[2] + `</span>`)
}

// codeHTML pretty-prints JSON with its keys, texts and other values marked; what is no JSON stays as it is.
func codeHTML(text string) template.HTML {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil || len(text) > 200_000 {
		return template.HTML(template.HTMLEscapeString(text))
	}
	src := b.String()
	var out strings.Builder
	for i := 0; i < len(src); {
		switch c := src[i]; {
		case c == '"':
			k := i + 1
			for k < len(src) && src[k] != '"' {
				if src[k] == '\\' {
					k++
				}
				k++
			}
			k = min(k+1, len(src))
			class := "s"
			if strings.HasPrefix(strings.TrimLeft(src[k:], " "), ":") {
				class = "k"
			}
			out.WriteString(`<span class="` + class + `">` + template.HTMLEscapeString(src[i:k]) + `</span>`)
			i = k
		case strings.IndexByte("{}[]:, \n", c) >= 0:
			out.WriteByte(c)
			i++
		default:
			k := i
			for k < len(src) && strings.IndexByte("{}[]:, \n", src[k]) < 0 {
				k++
			}
			out.WriteString(`<span class="n">` + template.HTMLEscapeString(src[i:k]) + `</span>`)
			i = k
		}
	}
	return template.HTML(out.String())
}
