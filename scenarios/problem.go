package scenarios

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Problem is a mistake in a file: where, what, and what may be meant.
type Problem struct {
	File    string
	Pos     Pos
	Message string
	Hint    string
	Line    string // the line itself
	Warning bool   // the file can run all the same
}

// String is file:line:column: message, the hint behind it.
func (p Problem) String() string {
	kind := ""
	if p.Warning {
		kind = "warning: "
	}
	text := fmt.Sprintf("%s:%d:%d: %s%s", p.File, p.Pos.Line, p.Pos.Column, kind, p.Message)
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// Snippet is the line with a caret under the place; "" when there is no line. Tabs stay, so that the caret stands right.
func (p Problem) Snippet() string {
	line := strings.TrimRight(p.Line, "\r\n")
	if strings.TrimSpace(line) == "" || utf8.RuneCountInString(line) > 300 {
		return ""
	}
	var b strings.Builder
	n := 1
	for _, r := range line {
		if n >= p.Pos.Column {
			break
		}
		n++
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return line + "\n" + b.String() + "^"
}

// Problems are the mistakes of a file, in its order.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems is how many mistakes are told at once.
const maxProblems = 20

func (d *decoder) problem(n *yaml.Node, message, hint string) { d.at(posOf(n), message, hint) }

func (d *decoder) at(pos Pos, message, hint string) { d.add(pos, message, hint, false) }

func (d *decoder) warn(pos Pos, message, hint string) { d.add(pos, message, hint, true) }

func (d *decoder) add(pos Pos, message, hint string, warning bool) {
	if d.told(warning) >= maxProblems {
		return
	}
	d.problems = append(d.problems, Problem{File: d.file, Pos: pos, Message: message, Hint: hint, Line: lineOf(d.source, pos.Line), Warning: warning})
	sort.SliceStable(d.problems, func(i, k int) bool {
		a, b := d.problems[i].Pos, d.problems[k].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
}

// told counts the mistakes, or the warnings, so far.
func (d *decoder) told(warning bool) (n int) {
	for _, p := range d.problems {
		if p.Warning == warning {
			n++
		}
	}
	return n
}

// failed reports whether something is wrong, warnings apart.
func (d *decoder) failed() bool {
	for _, p := range d.problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

func lineOf(source []byte, line int) string {
	for ; line > 1; line-- {
		i := bytes.IndexByte(source, '\n')
		if i < 0 {
			return ""
		}
		source = source[i+1:]
	}
	if i := bytes.IndexByte(source, '\n'); i >= 0 {
		source = source[:i]
	}
	return string(source)
}

// nearest suggests the known name that is closest to a wrong one, as a question; "" when none is near.
func nearest(name string, known []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, k := range known {
		if n := editDistance(strings.ToLower(name), strings.ToLower(k)); n < distance {
			best, distance = k, n
		}
	}
	if best == "" || best == name {
		return ""
	}
	return "did you mean " + best + "?"
}

// editDistance counts the letters to put in, take out, replace or swap.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 1 << 20
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for k := range rows[0] {
		rows[0][k] = k
	}
	for i := 1; i <= len(x); i++ {
		for k := 1; k <= len(y); k++ {
			cost := 1
			if x[i-1] == y[k-1] {
				cost = 0
			}
			rows[i][k] = min(rows[i-1][k]+1, rows[i][k-1]+1, rows[i-1][k-1]+cost)
			if i > 1 && k > 1 && x[i-1] == y[k-2] && x[i-2] == y[k-1] {
				rows[i][k] = min(rows[i][k], rows[i-2][k-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
