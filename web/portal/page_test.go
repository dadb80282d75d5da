package portal_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// node is an element of a page; its name is "" for text.
type node struct {
	name, text string
	attr       map[string]string
	up         *node
	kids       []*node
}

type page struct {
	status     int
	path, html string
	root       *node
}

// parse reads a page. Our templates close what they open, so that a reader of XML that knows HTML's void elements will do.
func parse(t testing.TB, what string, body []byte) *node {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	root := &node{attr: map[string]string{}}
	for at := root; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			t.Fatalf("%s is not well formed: %v", what, err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			n := &node{name: e.Name.Local, attr: map[string]string{}, up: at}
			for _, a := range e.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			at.kids = append(at.kids, n)
			at = n
		case xml.EndElement:
			at = at.up
		case xml.CharData:
			at.kids = append(at.kids, &node{text: string(e), up: at})
		}
	}
}

// all lists the elements below n, in order, for which ok holds.
func (n *node) all(ok func(*node) bool) (list []*node) {
	for _, k := range n.kids {
		if k.name != "" && ok(k) {
			list = append(list, k)
		}
		list = append(list, k.all(ok)...)
	}
	return list
}

func (n *node) named(names ...string) []*node {
	return n.all(func(e *node) bool { return slices.Contains(names, e.name) })
}

func (n *node) id(id string) *node {
	if list := n.all(func(e *node) bool { return e.attr["id"] == id }); len(list) > 0 {
		return list[0]
	}
	return nil
}

func (n *node) inside(name string) bool {
	for ; n != nil; n = n.up {
		if n.name == name {
			return true
		}
	}
	return false
}

// words is the text of n with single spaces.
func (n *node) words() string {
	var b strings.Builder
	var walk func(*node)
	walk = func(e *node) {
		b.WriteString(e.text)
		for _, k := range e.kids {
			walk(k)
		}
		if !slices.Contains([]string{"", "b", "strong", "em", "bdi", "span", "a", "svg", "use", "code", "mark"}, e.name) {
			b.WriteByte(' ')
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *page) text() string { return p.root.words() }

// value is what a field of a form holds.
func (p *page) value(field string) string {
	n := p.root.id("f-" + field)
	if n == nil {
		return "no such field"
	}
	if n.name == "select" {
		for _, o := range n.named("option") {
			if _, ok := o.attr["selected"]; ok {
				return o.attr["value"]
			}
		}
		return ""
	}
	return n.attr["value"]
}

// twice is a sentence with two ends.
var twice = regexp.MustCompile(`\S{0,40}[?!.:]\.(\s|$)`)

// faults lists what breaks the rules that hold for every page: one h1, headings in order, a name for everything that can
// be pressed or filled in, ids that are unique and references that lead somewhere, nothing that runs from the page itself.
func (p *page) faults() (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	ids := map[string]bool{}
	labelled := map[string]bool{}
	level, h1 := 0, 0
	for _, e := range p.root.all(func(*node) bool { return true }) {
		if id := e.attr["id"]; id != "" {
			if ids[id] {
				say("id %q twice", id)
			}
			ids[id] = true
		}
		if e.name == "label" && e.words() != "" {
			labelled[e.attr["for"]] = true
		}
		if len(e.name) == 2 && e.name[0] == 'h' && e.name[1] >= '1' && e.name[1] <= '6' && !e.inside("nav") {
			n := int(e.name[1] - '0')
			if n == 1 {
				h1++
			}
			if level > 0 && n > level+1 {
				say("h%d %q follows h%d", n, e.words(), level)
			}
			level = n
		}
		for a := range e.attr {
			if strings.HasPrefix(a, "on") {
				say("%s has %s", e.name, a)
			}
		}
	}
	if h1 != 1 {
		say("%d h1", h1)
	}
	if n := len(p.root.named("main")); n != 1 || !ids["main"] {
		say("%d main", n)
	}
	for _, e := range p.root.all(func(*node) bool { return true }) {
		list = append(list, e.faults(ids, labelled)...)
	}
	for _, e := range p.root.named("p", "li", "span", "h1", "h2", "h3", "td", "dd") {
		if m := twice.FindString(e.words()); m != "" && len(e.named("pre", "code", "table")) == 0 && !e.inside("pre") && !e.inside("code") {
			say("two full stops: %q", m)
		}
	}
	return list
}

func (n *node) faults(ids, labelled map[string]bool) (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, a := range []string{"aria-describedby", "aria-labelledby", "popovertarget", "form", "list"} {
		for to := range strings.FieldsSeq(n.attr[a]) {
			if !ids[to] {
				say("%s of %s names %q, which is not there", a, n.name, to)
			}
		}
	}
	switch n.name {
	case "a", "use":
		if to, ok := strings.CutPrefix(n.attr["href"], "#"); ok && !ids[to] {
			say("%s leads to #%s, which is not there", n.name, to)
		}
	case "input", "select", "textarea":
		if n.attr["type"] != "hidden" && n.attr["aria-label"] == "" && !labelled[n.attr["id"]] && !n.inside("label") {
			say("%s %q has no label", n.name, n.attr["name"])
		}
	case "table":
		if c := n.named("caption"); len(c) != 1 || c[0].words() == "" {
			say("a table has no caption")
		}
	case "th":
		if n.words() == "" {
			say("a table's head is empty")
		}
	case "script", "link", "img":
		if src := n.attr["src"] + n.attr["href"]; !strings.HasPrefix(src, "/assets/") && src != "data:," {
			say("%s of %q", n.name, src)
		}
	case "style":
		say("a style element")
	}
	if _, off := n.attr["disabled"]; off && n.name == "button" && n.attr["title"] == "" {
		say("button %q is off and does not say why", n.words())
	}
	if n.name == "a" || n.name == "button" {
		if n.words() == "" && n.attr["aria-label"] == "" {
			say("%s %q has no name", n.name, n.attr["href"])
		}
	}
	if n.attr["data-live"] != "" && n.attr["id"] == "" {
		say("a live %s without id", n.name)
	}
	return list
}
