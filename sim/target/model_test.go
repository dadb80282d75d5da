package target

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainUser is a user of the model: what the filters below ask for, in plain Go.
type plainUser struct {
	UserName   string      `json:"userName"`
	ExternalID string      `json:"externalId,omitempty"`
	Title      string      `json:"title,omitempty"`
	Active     *bool       `json:"active,omitempty"`
	Emails     []plainMail `json:"emails,omitempty"`
}

type plainMail struct {
	Type  string `json:"type,omitempty"`
	Value string `json:"value,omitempty"`
}

var words = []string{"a", "A", "ab", "Ab", "b", "é", "É", `q"q`, `b\s`, "x y"}

func drawUser(r *rapid.T, i int) plainUser {
	u := plainUser{UserName: fmt.Sprintf("%s%d", rapid.SampledFrom(words).Draw(r, "userName"), i)}
	word := rapid.SampledFrom(append([]string{""}, words...))
	u.ExternalID, u.Title = word.Draw(r, "externalId"), word.Draw(r, "title")
	if rapid.Bool().Draw(r, "has active") {
		b := rapid.Bool().Draw(r, "active")
		u.Active = &b
	}
	for range rapid.IntRange(0, 3).Draw(r, "emails") {
		m := plainMail{rapid.SampledFrom([]string{"work", "home", ""}).Draw(r, "type"), rapid.SampledFrom(words).Draw(r, "value")}
		if !slices.Contains(u.Emails, m) {
			u.Emails = append(u.Emails, m)
		}
	}
	return u
}

// wish is a random filter: its text, and what it means for a user of the model.
type wish struct {
	text string
	fits func(u plainUser) bool
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// compareText is the standard's meaning of an operator for texts, without regard to case unless exact.
func compareText(op, have, want string, exact bool) bool {
	if !exact {
		have, want = strings.ToLower(have), strings.ToLower(want)
	}
	switch op {
	case "eq":
		return have == want
	case "ne":
		return have != want
	case "co":
		return strings.Contains(have, want)
	case "sw":
		return strings.HasPrefix(have, want)
	case "ew":
		return strings.HasSuffix(have, want)
	case "gt":
		return have > want
	case "ge":
		return have >= want
	case "lt":
		return have < want
	}
	return have <= want
}

var operators = []string{"eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"}

func anyOf(values []string, op, want string, exact bool) bool {
	for _, v := range values {
		if compareText(op, v, want, exact) {
			return true
		}
	}
	return len(values) == 0 && op == "ne"
}

func drawWish(r *rapid.T, depth int) wish {
	kinds := []string{"userName", "externalId", "title", "active", "present", "mail", "mail part", "value path", "filtered part"}
	if depth > 0 {
		kinds = append(kinds, "and", "and", "or", "not")
	}
	op, word := rapid.SampledFrom(operators).Draw(r, "op"), rapid.SampledFrom(words).Draw(r, "word")
	compare := func(path string, exact bool, values func(plainUser) []string) wish {
		return wish{path + " " + op + " " + quote(word), func(u plainUser) bool { return anyOf(values(u), op, word, exact) }}
	}
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	kind := rapid.SampledFrom([]string{"work", "home"}).Draw(r, "type")
	mails := func(u plainUser, typ string) (list []string) {
		for _, m := range u.Emails {
			if m.Value != "" && (typ == "" || m.Type == typ) {
				list = append(list, m.Value)
			}
		}
		return list
	}
	switch rapid.SampledFrom(kinds).Draw(r, "kind") {
	case "userName":
		return compare("userName", false, func(u plainUser) []string { return one(u.UserName) })
	case "externalId":
		return compare("EXTERNALID", true, func(u plainUser) []string { return one(u.ExternalID) })
	case "title":
		return compare(urnUser+":title", false, func(u plainUser) []string { return one(u.Title) })
	case "active":
		b := rapid.Bool().Draw(r, "wanted")
		return wish{fmt.Sprintf("active eq %v", b), func(u plainUser) bool { return u.Active != nil && *u.Active == b }}
	case "present":
		return wish{"title pr", func(u plainUser) bool { return u.Title != "" }}
	case "mail":
		return compare("emails", false, func(u plainUser) []string { return mails(u, "") })
	case "mail part":
		return compare("emails.value", false, func(u plainUser) []string { return mails(u, "") })
	case "value path":
		return wish{`emails[type eq "` + kind + `" and value ` + op + " " + quote(word) + "]", func(u plainUser) bool {
			return slices.ContainsFunc(u.Emails, func(m plainMail) bool { return m.Type == kind && compareText(op, m.Value, word, false) })
		}}
	case "filtered part":
		return wish{`emails[type eq "` + kind + `"].value ` + op + " " + quote(word), func(u plainUser) bool {
			return slices.ContainsFunc(u.Emails, func(m plainMail) bool { return m.Type == kind && compareText(op, m.Value, word, false) })
		}}
	case "not":
		a := drawWish(r, depth-1)
		return wish{"not (" + a.text + ")", func(u plainUser) bool { return !a.fits(u) }}
	case "or":
		a, b := drawWish(r, depth-1), drawWish(r, depth-1)
		return wish{"(" + a.text + " or " + b.text + ")", func(u plainUser) bool { return a.fits(u) || b.fits(u) }}
	}
	a, b := drawWish(r, depth-1), drawWish(r, depth-1)
	return wish{a.text + " and " + b.text, func(u plainUser) bool { return a.fits(u) && b.fits(u) }}
}

// TestFilterModel: a random filter finds whom its meaning in plain Go finds, in order of creation, with indexes and without,
// before and after some users changed.
func TestFilterModel(t *testing.T) {
	for _, indexed := range []int{0, 1 << 30} {
		withWorthIndexing(t, indexed)
		rapid.Check(t, func(r *rapid.T) {
			s := newServer(t, nil)
			var people []plainUser
			var ids []string
			check := func(when string) {
				for range 4 {
					w := drawWish(r, 2)
					var want []string
					for _, u := range people {
						if w.fits(u) {
							want = append(want, u.UserName)
						}
					}
					got, a := searchFor(t, s, "/Users", "filter", w.text)
					if !slices.Equal(got, want) && len(got)+len(want) > 0 || a.json["totalResults"] != float64(len(want)) {
						r.Fatalf("%s, %s: got %q, want %q\n%+v", when, w.text, got, want, people)
					}
				}
			}
			for i := range rapid.IntRange(1, 8).Draw(r, "users") {
				people = append(people, drawUser(r, i))
				ids = append(ids, create(t, s, "Users", strings.Trim(quoteAll(people[i]), "{}")))
			}
			check("at first")
			for i := range people {
				if rapid.Bool().Draw(r, "change") {
					people[i] = drawUser(r, i)
					must(t, s, 200, "PUT", "/Users/"+ids[i], "{"+userSchema+","+strings.Trim(quoteAll(people[i]), "{}")+"}")
				}
			}
			check("after changes")
		})
	}
}

func quoteAll(u plainUser) string {
	b, err := json.Marshal(u)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestPatchModel: random operations on e-mail addresses leave what the same operations on a plain list leave, and a PATCH
// that changes nothing leaves the version alone.
func TestPatchModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newServer(t, nil)
		id := create(t, s, "Users", `"userName":"ann"`)
		var list []plainMail
		version := `W/"1"`
		for range rapid.IntRange(1, 10).Draw(r, "steps") {
			m := plainMail{rapid.SampledFrom([]string{"work", "home", "other"}).Draw(r, "type"), rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "value")}
			before := slices.Clone(list)
			var op string
			switch rapid.SampledFrom([]string{"add", "replace all", "remove all", "set by type", "remove by type", "remove by value", "remove value of type"}).Draw(r, "kind") {
			case "add":
				op = `{"op":"add","path":"emails","value":[` + mailJSON(m) + `]}`
				if !slices.Contains(list, m) {
					list = append(list, m)
				}
			case "replace all":
				op = `{"op":"replace","path":"emails","value":[` + mailJSON(m) + `]}`
				list = []plainMail{m}
			case "remove all":
				op, list = `{"op":"remove","path":"emails"}`, nil
			case "set by type":
				op = `{"op":"` + rapid.SampledFrom([]string{"add", "Replace"}).Draw(r, "op") + `","path":"emails[type eq \"` + m.Type + `\"].value","value":"` + m.Value + `"}`
				hit := false
				for i := range list {
					if list[i].Type == m.Type {
						list[i].Value, hit = m.Value, true
					}
				}
				if !hit {
					list = append(list, m)
				}
			case "remove by type":
				op = `{"op":"remove","path":"emails[type eq \"` + m.Type + `\"]"}`
				list = slices.DeleteFunc(list, func(x plainMail) bool { return x.Type == m.Type })
			case "remove by value":
				op = `{"op":"Remove","path":"emails","value":[{"value":"` + m.Value + `"}]}`
				list = slices.DeleteFunc(list, func(x plainMail) bool { return x.Value == m.Value })
			case "remove value of type":
				op = `{"op":"remove","path":"emails[type eq \"` + m.Type + `\"].value"}`
				for i := range list {
					if list[i].Type == m.Type {
						list[i].Value = ""
					}
				}
			}
			a := must(t, s, 200, "PATCH", "/Users/"+id, patchBody(op))
			var got struct {
				Emails []plainMail
				Meta   struct{ Version string }
			}
			if err := json.Unmarshal([]byte(a.text), &got); err != nil {
				r.Fatal(err)
			}
			if !slices.Equal(got.Emails, list) {
				r.Fatalf("after %s: %v, want %v", op, got.Emails, list)
			}
			if changed := got.Meta.Version != version; changed == slices.Equal(before, list) {
				r.Fatalf("%s: from %v to %v the version went from %s to %s", op, before, list, version, got.Meta.Version)
			}
			version = got.Meta.Version
		}
	})
}

func mailJSON(m plainMail) string { return `{"type":"` + m.Type + `","value":"` + m.Value + `"}` }

// TestPagesAndProjections: pages of any size add up to the whole, in any order; and what attributes gives and what
// excludedAttributes leaves add up to the resource.
func TestPagesAndProjections(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newServer(t, nil)
		for i := range rapid.IntRange(0, 12).Draw(r, "users") {
			id := create(t, s, "Users", strings.Trim(quoteAll(drawUser(r, i)), "{}"))
			if rapid.IntRange(0, 3).Draw(r, "delete") == 0 {
				must(t, s, 204, "DELETE", "/Users/"+id, "")
			}
		}
		q := url.Values{}
		if rapid.Bool().Draw(r, "filtered") {
			q.Set("filter", drawWish(r, 1).text)
		}
		if rapid.Bool().Draw(r, "sorted") {
			q.Set("sortBy", rapid.SampledFrom([]string{"title", "userName", "active", "emails.value", "id"}).Draw(r, "by"))
			q.Set("sortOrder", rapid.SampledFrom([]string{"ascending", "descending"}).Draw(r, "order"))
		}
		whole := namesOf(must(t, s, 200, "GET", "/Users?"+q.Encode(), ""))
		var parts []string
		size := rapid.IntRange(1, 5).Draw(r, "size")
		for start := 1; start <= len(whole); start += size {
			q.Set("startIndex", fmt.Sprint(start))
			q.Set("count", fmt.Sprint(size))
			parts = append(parts, namesOf(must(t, s, 200, "GET", "/Users?"+q.Encode(), ""))...)
		}
		if !slices.Equal(parts, whole) && len(parts)+len(whole) > 0 {
			r.Fatalf("%v: pages of %d give %v, the whole is %v", q, size, parts, whole)
		}
		list, _ := s.Store("default").List("User", 0, 1)
		if len(list) == 0 {
			return
		}
		names := rapid.SampledFrom([]string{"userName", "emails", "title,active", "meta,externalId", "meta.created", "nothing"}).Draw(r, "names")
		all := must(t, s, 200, "GET", "/Users/"+list[0].ID, "").json
		with := must(t, s, 200, "GET", "/Users/"+list[0].ID+"?attributes="+names, "").json
		without := must(t, s, 200, "GET", "/Users/"+list[0].ID+"?excludedAttributes="+names, "").json
		if got := merge(with, without); quoteAny(got) != quoteAny(all) {
			r.Fatalf("%s: with %s and without %s make\n%s, not\n%s", names, quoteAny(with), quoteAny(without), quoteAny(got), quoteAny(all))
		}
	})
}

// merge puts two halves of a JSON value together again.
func merge(a, b any) any {
	switch x := a.(type) {
	case map[string]any:
		y, _ := b.(map[string]any)
		out := map[string]any{}
		for k, v := range x {
			out[k] = merge(v, y[k])
		}
		for k, v := range y {
			if _, ok := x[k]; !ok {
				out[k] = v
			}
		}
		return out
	case []any:
		y, _ := b.([]any)
		if len(y) != len(x) {
			return x
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = merge(x[i], y[i])
		}
		return out
	case nil:
		return b
	}
	return a
}

func quoteAny(v any) string { return string(appendJSON(nil, v)) }
