package scenarios

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"entrasim/sim"
)

// Diagnosis names a requirement of Entra that a target breaks, with the exchange that shows it.
type Diagnosis struct {
	ID          string `json:"id"`
	Mistake     string `json:"mistake"`     // what the target does
	Requirement string `json:"requirement"` // what Entra needs
	Step        int    `json:"step"`        // in which it showed
	Exchange    uint64 `json:"exchange"`    // the one that shows it
}

// mistake is a row of the table: what servers often get wrong against Entra, and how the traffic shows it.
type mistake struct {
	id, text, need string
	shows          func(e *evidence) *talk
}

// talk is one exchange taken apart.
type talk struct {
	x        sim.Exchange
	probe    bool
	groups   bool // about groups
	path     string
	filter   string // the query's, "" without one
	request  map[string]any
	ops      []map[string]any
	answer   map[string]any // nil when it is no JSON object
	step     *StepResult
	handle   string
	resource map[string]any // a single resource that was read
}

// evidence is everything that a scenario saw.
type evidence struct {
	s     *Scenario
	talks []*talk
	// known are the user names that the target held before, as they are spelt.
	known []string
}

// diagnose finds the mistakes that explain what went wrong; with a target that is not the embedded one also those that
// did no harm yet. Each is told once.
func diagnose(r *Result, own bool) []Diagnosis {
	if own && r.Verdict == Passed {
		return nil
	}
	e := collect(r)
	var list []Diagnosis
	for _, m := range mistakes {
		if t := m.shows(e); t != nil {
			list = append(list, Diagnosis{m.id, m.text, m.need, t.step.Number, t.x.ID})
		}
	}
	return list
}

func collect(r *Result) *evidence {
	e := &evidence{s: r.Scenario}
	for _, u := range r.Scenario.Target.Users {
		if v, ok := u.Value.Get("userName"); ok {
			name, _ := v.Data.(string)
			e.known = append(e.known, name)
		}
	}
	for i := range r.Steps {
		st := &r.Steps[i]
		for _, s := range st.Sent {
			t := &talk{x: s.Exchange, probe: s.Probe, path: s.Path, step: st, handle: s.Handle, groups: strings.HasPrefix(s.Path, "/Groups")}
			for _, q := range s.query {
				if q.name == "filter" {
					t.filter = q.value
				}
			}
			t.request = object(s.Exchange.RequestBody)
			t.answer = object(s.Exchange.ResponseBody)
			ops, _ := t.request["Operations"].([]any)
			for _, o := range ops {
				if m, ok := o.(map[string]any); ok {
					t.ops = append(t.ops, m)
				}
			}
			switch found, _ := t.answer["Resources"].([]any); {
			case s.Exchange.Status != http.StatusOK || s.Exchange.Method != http.MethodGet:
			case t.filter == "":
				t.resource = t.answer
			case len(found) == 1:
				t.resource, _ = found[0].(map[string]any)
			}
			e.talks = append(e.talks, t)
		}
	}
	return e
}

func object(body string) map[string]any {
	var m map[string]any
	if json.Unmarshal([]byte(body), &m) != nil {
		return nil
	}
	return m
}

// first finds the first exchange for which f holds.
func (e *evidence) first(f func(*talk) bool) *talk {
	i := slices.IndexFunc(e.talks, f)
	if i < 0 {
		return nil
	}
	return e.talks[i]
}

func (t *talk) is(method string) bool { return t.x.Method == method }

func (t *talk) ok() bool { return t.x.Status >= 200 && t.x.Status < 300 }

// refused reports an answer that blames the request.
func (t *talk) refused() bool {
	return t.x.Status >= 400 && t.x.Status != 404 && t.x.Status != 401 && t.x.Status != 429
}

// says reports whether the answer's text holds one of several words.
func (t *talk) says(words ...string) bool {
	text := strings.ToLower(t.x.ResponseBody)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// op finds an operation by its path and, when given, its op in any case.
func (t *talk) op(path, op string) map[string]any {
	for _, o := range t.ops {
		p, _ := o["path"].(string)
		name, _ := o["op"].(string)
		if strings.EqualFold(p, path) && (op == "" || strings.EqualFold(name, op)) {
			return o
		}
	}
	return nil
}

func (t *talk) opPath(f func(path string) bool) map[string]any {
	for _, o := range t.ops {
		if p, _ := o["path"].(string); f(p) {
			return o
		}
	}
	return nil
}

const managerPath = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"

// asked is the attribute that a match query asks for.
func (t *talk) asked() (attribute, value string) {
	attribute, rest, _ := strings.Cut(t.filter, " eq ")
	return attribute, strings.Trim(rest, `"`)
}

// othersWork reports whether other match queries were answered well, so that one that was not is about its attribute or value.
func (e *evidence) othersWork(t *talk, differ func(*talk) bool) bool {
	return e.first(func(o *talk) bool { return o.filter != "" && o.ok() && differ(o) }) != nil
}

// membersWrong finds, in a step where the members of a group were not as expected, the last PATCH of that group that was
// answered well and for which f holds.
func (e *evidence) membersWrong(f func(t *talk, seenNone bool) bool) *talk {
	for i := len(e.talks) - 1; i >= 0; i-- {
		t := e.talks[i]
		if !t.is(http.MethodPatch) || !t.groups || !t.ok() {
			continue
		}
		for _, c := range t.step.Failures() {
			if c.What == "target "+t.handle && strings.HasPrefix(c.Message, "expected members") && f(t, strings.HasSuffix(c.Message, "seen none")) {
				return t
			}
		}
	}
	return nil
}

// later finds the first reading of the object behind a PATCH.
func (e *evidence) later(after *talk) *talk {
	return e.first(func(t *talk) bool {
		return t.x.ID > after.x.ID && t.is(http.MethodGet) && t.x.Object == after.x.Object && t.resource != nil
	})
}

// twice finds an operation that was sent for one object again although it was answered well and nothing else was meant.
func (e *evidence) twice(op string) *talk {
	seen := map[string]bool{}
	for _, t := range e.talks {
		if !t.is(http.MethodPatch) || t.groups || !t.ok() {
			continue
		}
		for _, o := range t.ops {
			name, _ := o["op"].(string)
			p, _ := o["path"].(string)
			if !strings.EqualFold(name, op) || p == "" || p == "active" && op == "replace" || strings.Contains(p, "members") {
				continue
			}
			key := t.x.Object + " " + p + " " + show(o["value"])
			if seen[key] {
				return t
			}
			seen[key] = true
		}
	}
	return nil
}

// typedTwice reports whether a resource has two elements of one type in one list.
func typedTwice(r map[string]any) bool {
	for _, name := range []string{"addresses", "emails", "phoneNumbers"} {
		seen := map[string]bool{}
		list, _ := r[name].([]any)
		for _, x := range list {
			if m, ok := x.(map[string]any); ok {
				kind, _ := m["type"].(string)
				if kind != "" && seen[kind] {
					return true
				}
				seen[kind] = true
			}
		}
	}
	return false
}

func topKey(r map[string]any, f func(k string, v any) bool) bool {
	for k, v := range r {
		if f(k, v) {
			return true
		}
	}
	return false
}

// notApplied finds a PATCH that was answered well and of which the next reading shows nothing.
func (e *evidence) notApplied(which func(*talk) bool) *talk {
	return e.first(func(t *talk) bool {
		if !t.is(http.MethodPatch) || t.groups || !t.ok() || !which(t) {
			return false
		}
		next := e.later(t)
		if next == nil {
			return false
		}
		for _, o := range t.ops {
			p, _ := o["path"].(string)
			want, isText := o["value"].(string)
			if p == "" || strings.ContainsAny(p, ".[:") || !isText {
				continue
			}
			if have, there := next.resource[p]; !there || !strings.EqualFold(strings.Trim(show(have), `"`), want) {
				return true
			}
		}
		return false
	})
}

// capitalsWork reports whether an operation with a capital was carried out somewhere.
func (e *evidence) capitalsWork() bool {
	return e.first(func(t *talk) bool { return t.is(http.MethodPatch) && t.ok() && capitals(t) && e.applied(t) }) != nil
}

// applied reports whether a PATCH that was answered well is not known to have done nothing.
func (e *evidence) applied(t *talk) bool {
	return e.notApplied(func(o *talk) bool { return o == t }) == nil
}

func capitals(t *talk) bool {
	return slices.ContainsFunc(t.ops, func(o map[string]any) bool {
		op, _ := o["op"].(string)
		return op != "" && op != strings.ToLower(op)
	})
}

// stillActive reports whether a step expected somebody to be switched off and saw that they were not.
func stillActive(t *talk) bool {
	return slices.ContainsFunc(t.step.Failures(), func(c Check) bool {
		return c.What == "target "+t.handle && strings.HasPrefix(c.Message, "active:")
	})
}

func contentType(t *talk) string {
	v, _ := header(t.x.ResponseHeaders, "Content-Type")
	return strings.ToLower(v)
}

func html(t *talk) bool {
	body := strings.ToLower(strings.TrimSpace(t.x.ResponseBody))
	return strings.HasPrefix(body, "<!doctype html") || strings.HasPrefix(body, "<html")
}

// special reports signs in a value that query parsers trip over.
func special(value string) bool { return strings.ContainsAny(value, `'"\&+[](){}`) }

// mistakes is the table. What Entra needs is said in use-scim-to-provision-users-and-groups.md and
// application-provisioning-config-problem-scim-compatibility.md, or is known from the requests that servers report.
var mistakes = []mistake{
	{"W-D01", "It answers 404 to a query without hits", "a query answers 200 with an empty list; Test connection asks for a user that can't exist (or the Tenant URL is another one)", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.filter != "" && !t.groups && t.x.Status == http.StatusNotFound })
	}},
	{"W-D02", "It has no /Groups although the group mapping is on", "groups are probed and queried like users; switch the group mapping off for a target without groups", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.filter != "" && t.groups && t.x.Status == http.StatusNotFound })
	}},
	{"W-D03", "It ignores the filter and returns objects that were not asked for", "a query returns the objects that match, and no others", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			list, _ := t.answer["Resources"].([]any)
			return t.probe && t.ok() && len(list) > 0
		})
	}},
	{"W-D04", "It refuses every query", "a blank in a query is written as +, quotes as %22; both have to be read", func(e *evidence) *talk {
		first := e.first(func(t *talk) bool { return t.filter != "" && t.x.Status == http.StatusBadRequest })
		if first == nil || e.first(func(t *talk) bool { return t.filter != "" && t.ok() }) != nil {
			return nil
		}
		return first
	}},
	{"W-D05", "It can't read a filter whose value holds a blank", "values stand in quotes and may hold blanks", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			_, value := t.asked()
			return t.filter != "" && (t.x.Status == 400 || t.x.Status >= 500) && strings.Contains(value, " ") && !special(value) &&
				e.othersWork(t, func(o *talk) bool { _, v := o.asked(); return o.groups == t.groups && !strings.Contains(v, " ") })
		})
	}},
	{"W-D06", "It can't filter by externalId", "whatever attribute matches is asked for in a filter; many customers match by externalId", unfilterable("externalId")},
	{"W-D07", "It can't filter by the work address", `a matching attribute may be emails[type eq "work"].value`, unfilterable(`emails[type eq "work"].value`)},
	{"W-D08", "It compares userName with case", "userName and displayName are matched without regard to case", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			name, _ := t.request["userName"].(string)
			return t.is(http.MethodPost) && t.x.Status == http.StatusConflict &&
				slices.ContainsFunc(e.known, func(k string) bool { return k != name && strings.EqualFold(k, name) })
		})
	}},
	{"W-D09", "It finds nobody in a query and then says that the name is taken", "a query sees every account that uniqueness sees, also those that were not made over SCIM", func(e *evidence) *talk {
		taken := map[string]bool{}
		return e.first(func(t *talk) bool {
			if !t.is(http.MethodPost) || t.x.Status != http.StatusConflict {
				return false
			}
			again := taken[t.x.Object]
			taken[t.x.Object] = true
			return again
		})
	}},
	{"W-D10", "It does not understand an operation that is written with a capital", "the op of a PATCH is compared without case: Add, Replace and Remove come in the older dialect", func(e *evidence) *talk {
		if e.capitalsWork() {
			return nil
		}
		t := e.first(func(t *talk) bool {
			return t.is(http.MethodPatch) && t.refused() && capitals(t) && t.says(`"op"`, "'op'", "op value", "operation", "invalid op") && !t.says("notarget", "multi-valued", "must not be set", "boolean")
		})
		if t == nil {
			t = e.notApplied(func(t *talk) bool { return capitals(t) && t.op("active", "") == nil })
		}
		return t
	}},
	{"W-D11", `It does not take the text "False" for the Boolean false`, "active comes as the text True or False in the older dialect", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			o := t.op("active", "")
			_, isText := o["value"].(string)
			return t.is(http.MethodPatch) && o != nil && isText && (t.refused() || t.ok() && stillActive(t))
		})
	}},
	{"W-D12", "It does not take Add for active", "Add is sent for whatever the target did not return", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.is(http.MethodPatch) && t.refused() && t.op("active", "add") != nil })
	}},
	{"W-D13", "It empties the group when one member is removed by a list of values", "a Remove of members with a list of values removes those and no others", func(e *evidence) *talk {
		return e.membersWrong(func(t *talk, none bool) bool {
			o := t.op("members", "remove")
			return o != nil && o["value"] != nil && none
		})
	}},
	{"W-D14", "It refuses to remove members by a list of values", "the older dialect removes a member with path members and a list that holds its value", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			o := t.op("members", "remove")
			return t.is(http.MethodPatch) && t.refused() && o != nil && o["value"] != nil
		})
	}},
	{"W-D15", "It does not understand a member's removal by a filter in the path", `the compliant dialect removes a member with the path members[value eq "id"]`, func(e *evidence) *talk {
		filtered := func(p string) bool { return strings.HasPrefix(p, "members[") }
		t := e.first(func(t *talk) bool { return t.is(http.MethodPatch) && t.refused() && t.opPath(filtered) != nil })
		if t == nil {
			t = e.membersWrong(func(t *talk, _ bool) bool { return t.opPath(filtered) != nil })
		}
		return t
	}},
	{"W-D16", "It refuses to set a part of an element that is not there yet", "a path with a filter makes the element when there is none, with the filter's value in it", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.is(http.MethodPatch) && t.refused() && t.says("notarget", "no target", "no match") &&
				t.opPath(func(p string) bool {
					return strings.Contains(p, "[") && !strings.HasPrefix(p, "members[") && !strings.Contains(p, "manager")
				}) != nil
		})
	}},
	{"W-D17", "It makes an element of its own for each part of one address", "operations with the same filter in their path belong to one element", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.resource != nil && typedTwice(t.resource) })
	}},
	{"W-D18", "It keeps dotted names as names", "an operation without a path has dotted names such as name.givenName, which mean parts of attributes", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.resource != nil && topKey(t.resource, func(k string, _ any) bool { return strings.Contains(k, ".") && !strings.HasPrefix(k, "urn:") })
		})
	}},
	{"W-D19", "It keeps an extension's path as one name", "a path of URN, colon and attribute means the attribute within the extension's object", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.resource != nil && topKey(t.resource, func(k string, v any) bool {
				_, isObject := v.(map[string]any)
				return strings.HasPrefix(k, "urn:") && !isObject
			})
		})
	}},
	{"W-D20", "It empties the group when only its name changes", "a PATCH changes what it names and nothing else", func(e *evidence) *talk {
		return e.membersWrong(func(t *talk, none bool) bool {
			return none && t.opPath(func(p string) bool { return strings.HasPrefix(p, "members") }) == nil
		})
	}},
	{"W-D21", "It refuses a manager that is written as a text", "the value of manager is the id as a bare text", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			o := t.op(managerPath, "")
			_, isText := o["value"].(string)
			return t.is(http.MethodPatch) && t.refused() && o != nil && isText
		})
	}},
	{"W-D22", "It returns manager as a text", `manager is read as an object: {"value": "id"}`, func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			extension, _ := t.resource[strings.TrimSuffix(managerPath, ":manager")].(map[string]any)
			_, isText := extension["manager"].(string)
			return isText
		})
	}},
	{"W-D23", "It refuses to remove a manager", "the compliant dialect removes a manager by a filter on its value, the older one by a list with its value", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.is(http.MethodPatch) && t.refused() && (t.op(managerPath, "remove") != nil || t.opPath(func(p string) bool { return strings.HasPrefix(p, managerPath+"[") }) != nil)
		})
	}},
	{"W-D25", "It does not return what it was given", "a mapped attribute without a value in the answer is added again each time", func(e *evidence) *talk { return e.twice("add") }},
	{"W-D26", "It returns another value than it was given", "a value that comes back changed is replaced again each time", func(e *evidence) *talk { return e.twice("replace") }},
	{"W-D27", "A disabled user is not found any more", "users with active false are returned like any others, until they are deleted", func(e *evidence) *talk {
		off := map[string]bool{}
		return e.first(func(t *talk) bool {
			if o := t.op("active", ""); t.is(http.MethodPatch) && t.ok() && o != nil {
				off[t.path] = strings.EqualFold(strings.Trim(show(o["value"]), `"`), "false")
			}
			return t.is(http.MethodGet) && off[t.path] && t.x.Status == http.StatusNotFound
		})
	}},
	{"W-D28", "It returns members although they were excluded", "excludedAttributes=members leaves the members out", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			list, _ := t.resource["members"].([]any)
			return t.groups && strings.Contains(t.x.URL, "excludedAttributes=members") && len(list) > 0
		})
	}},
	{"W-D30", "It refuses to add a member that is there already", "adding a member again succeeds; it happens after restarts", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.is(http.MethodPatch) && t.x.Status == http.StatusConflict && t.op("members", "add") != nil
		})
	}},
	{"W-D31", "The answer to a creation has no id that is a text", "the id is read from the body of the answer, as a text", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			id, _ := t.answer["id"].(string)
			return t.is(http.MethodPost) && t.ok() && id == ""
		})
	}},
	{"W-D32", "It refuses the type of the body", "bodies are application/scim+json; charset=utf-8", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.x.Status == http.StatusUnsupportedMediaType })
	}},
	{"W-D33", "It answers with another type than application/scim+json", "answers are application/scim+json; the SCIM Validator stops at others, the service does not", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.ok() && t.x.Status != http.StatusNoContent && t.x.ResponseBody != "" && !strings.HasPrefix(contentType(t), "application/scim+json") && !html(t)
		})
	}},
	{"W-D34", "Something in front of it refuses requests without User-Agent", "requests carry no User-Agent", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.x.Status == http.StatusForbidden && html(t) })
	}},
	{"W-D35", "It does not offer PATCH", "changes are sent with PATCH; PUT is never used", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.is(http.MethodPatch) && (t.x.Status == 405 || t.x.Status == 501) })
	}},
	{"W-D36", "It refuses a schema that it does not know", "schemas names the core and the enterprise extension for every user, whatever the target supports", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.is(http.MethodPost) && t.x.Status == 400 && !custom(t.request) && t.says("schema", "enterprise:2.0")
		})
	}},
	{"W-D37", "It refuses an extension that schemas does not list", "the URNs of custom extensions are not in schemas", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.is(http.MethodPost) && t.x.Status == 400 && custom(t.request) })
	}},
	{"W-D38", "It refuses an attribute that it does not know", "what a target does not support it leaves out", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return t.is(http.MethodPost) && t.x.Status == 400 && t.says("attribute", "property", "unknown", "primary") && !t.says("schema", "required", "unique", "exist", "duplicate")
		})
	}},
	{"W-D39", "An error is not in SCIM's form", "errors are JSON with the schema urn:ietf:params:scim:api:messages:2.0:Error, a status and a detail", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.x.Status >= 400 && t.x.ResponseBody != "" && t.answer == nil })
	}},
	{"W-D40", "It says something else than 409 for a name that is taken", "a value that somebody else has is answered with 409", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			return (t.is(http.MethodPost) || t.is(http.MethodPatch)) && t.refused() && t.x.Status != http.StatusConflict && t.says("already exist", "uniqueness", "duplicate", "already in use", "already taken")
		})
	}},
	{"W-D41", "It answers that a change was made and did not make it", "an answer of 200 or 204 means that the whole PATCH was applied", func(e *evidence) *talk {
		return e.notApplied(func(t *talk) bool { return t.op("active", "") == nil && (!capitals(t) || e.capitalsWork()) })
	}},
	{"W-D42", "It asks for fewer requests", "a target takes at least 25 requests a second", func(e *evidence) *talk {
		return e.first(func(t *talk) bool { return t.x.Status == http.StatusTooManyRequests })
	}},
	{"W-D43", "It can't read a filter whose value holds a sign such as & or '", "values stand in quotes and are encoded; whatever is in them belongs to the value", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			_, value := t.asked()
			return t.filter != "" && (t.x.Status == 400 || t.x.Status >= 500) && special(value) && !strings.Contains(t.filter, "[type eq") &&
				e.othersWork(t, func(o *talk) bool { _, v := o.asked(); return o.groups == t.groups && !special(v) })
		})
	}},
	{"W-D44", "Its list has no Resources, or no totalResults that is a number", "a query answers a ListResponse with the number totalResults and, when there are any, Resources", func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			if t.filter == "" || !t.ok() || t.answer == nil {
				return false
			}
			n, hasTotal := t.answer["totalResults"].(float64)
			_, hasList := t.answer["Resources"].([]any)
			return !hasTotal || n > 0 && !hasList
		})
	}},
}

// unfilterable finds a query for an attribute that is refused while others are answered.
func unfilterable(attribute string) func(e *evidence) *talk {
	return func(e *evidence) *talk {
		return e.first(func(t *talk) bool {
			a, _ := t.asked()
			return strings.EqualFold(a, attribute) && (t.x.Status == 400 || t.x.Status >= 500) &&
				!(t.probe && e.first(func(o *talk) bool { return o.filter != "" && o.ok() }) == nil && len(e.talks) > 2)
		})
	}
}

// custom reports whether a body has an extension that its schemas do not list.
func custom(body map[string]any) bool {
	listed, _ := body["schemas"].([]any)
	for k := range body {
		if strings.HasPrefix(k, "urn:") && !slices.Contains(listed, any(k)) {
			return true
		}
	}
	return false
}
