package scim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// The rules that a request follows, by the ids of the project's table. They are chosen by what really stands in the request:
// its dialect, its attributes, its switches. Why it is sent at all is the caller's to say.

// ruleList gathers ids, each once, in the order in which they are met.
type ruleList []string

func (l *ruleList) add(ids ...string) {
	for _, id := range ids {
		if !slices.Contains(*l, id) {
			*l = append(*l, id)
		}
	}
}

// MatchRules are those of a query by an attribute.
func MatchRules(rt ResourceType, by Attribute) []string {
	l := make(ruleList, 0, 4)
	if rt == Group {
		l.add("W-057", "W-030")
	} else {
		l.add("W-051")
	}
	l.add("W-070")
	_, isBool := parseBool(by.text())
	if by.Type == Boolean && isBool || by.Type == Integer {
		l.add("W-024")
	}
	return l
}

// CreateRules are those of a POST.
func CreateRules(rt ResourceType, d Dialect, attrs []Attribute) []string {
	l := make(ruleList, 0, 8)
	switch {
	case rt == User:
		l.add("W-051", "W-080", "W-081")
	case d == CustomAppSSO:
		l.add("W-057", "W-095")
	default:
		l.add("W-057", "W-094")
	}
	for _, a := range attrs {
		p := parsePath(a.Path)
		if a.Type == Boolean {
			l.add("W-085")
		}
		switch {
		case strings.EqualFold(p.urn, enterpriseUser):
			l.add("W-083")
		case p.urn != "":
			l.add("W-082")
		}
		switch roles, whole := a.Value.(Roles); {
		case a.Value == nil:
			l.add("W-086")
		case whole && len(roles.List) == 0:
			l.add("W-087")
		case whole:
			l.add("W-092")
		case p.filter && strings.EqualFold(p.name, "roles"):
			l.add("W-091")
		case p.filter:
			l.add("W-088")
		case p.name == "name" && p.sub != "":
			l.add("W-090")
		}
	}
	return l
}

// PatchRules are those of a PATCH of attributes.
func PatchRules(rt ResourceType, d Dialect, opt Options, changes []Change) []string {
	l := make(ruleList, 0, 8)
	if opt.OpChoice == "" || opt.OpChoice == "diff" {
		l.add("W-102")
	}
	if len(changes) > 1 {
		l.add("W-101")
	}
	plain := [...]int{Add: 0, Replace: 0, Remove: 0}
	alone := false // the only plain attribute of its op is active, which has a rule of its own
	for _, c := range changes {
		p := parsePath(c.Path)
		roles, whole := c.Value.(Roles)
		active := p.name == "active" && p.urn == "" && p.sub == "" && !p.filter
		switch {
		case c.Op == Remove:
			l.add("W-103")
		case whole && roles.Form == RolesAssertive:
			l.add("W-127")
			continue
		case whole:
			l.add("W-126")
			continue
		case c.Role != nil && strings.EqualFold(p.name, "roles"):
			l.add("W-125")
		case active && d == Compliant:
			l.add("W-111")
		case active:
			l.add("W-110")
		case d == Compliant && (c.Type == Boolean || c.Type == Integer):
			l.add("W-120")
		case c.Type == Boolean || c.Type == Integer || c.Type == DateTime:
			l.add("W-116")
		case c.text() == "":
			l.add("W-103")
		}
		if active && c.Op == Add {
			l.add("W-113")
		}
		switch {
		case d == CustomAppSSO && c.Op != Remove:
			l.add("W-007")
		case d != Compliant && !active:
			l.add("W-115")
		}
		if d == Compliant && !strings.Contains(c.Path, "[") && c.Op != Remove {
			plain[c.Op]++
			alone = active
		}
		if p.urn != "" {
			l.add("W-122")
		}
		if p.filter {
			l.add("W-106")
		}
		if _, several := c.Value.([]string); several {
			l.add("W-123")
		}
		switch {
		case p.name == "externalId" && p.urn == "":
			l.add("W-124")
		case rt == Group && p.name == "displayName" && p.urn == "":
			l.add("W-152")
		}
	}
	if plain[Replace] > 1 {
		l.add("W-117")
	}
	if plain[Add] > 1 {
		l.add("W-118")
	}
	if (plain[Replace] == 1 || plain[Add] == 1) && !(alone && plain[Replace]+plain[Add] == 1) {
		l.add("W-119")
	}
	slices.Sort(l)
	return l
}

// ManagerRules are those of a PATCH that sets or removes a manager.
func ManagerRules(d Dialect, opt Options, op Op) []string {
	switch {
	case op == Remove && d == Compliant:
		return []string{"W-137"}
	case op == Remove:
		return []string{"W-138"}
	}
	l := ruleList{"W-061"}
	switch {
	case d == CustomAppSSO:
		l.add("W-133")
	case opt.ManagerForm == "object":
		l.add("W-130", "W-134")
	case opt.ManagerForm == "array":
		l.add("W-130", "W-133")
	case d == Legacy:
		l.add("W-130", "W-131", "W-132")
	default:
		l.add("W-130", "W-131")
	}
	if op == Replace {
		l.add("W-135")
	}
	return l
}

// MemberRules are those of a PATCH that adds or removes a number of members.
func MemberRules(d Dialect, opt Options, op Op, members int) []string {
	var l ruleList
	switch {
	case op == Remove && d == Compliant:
		l.add("W-144")
	case op == Remove:
		l.add("W-143")
	case d == Compliant:
		l.add("W-142")
	default:
		l.add("W-140")
	}
	if (opt.MemberRefNull || d == CustomAppSSO) && !(op == Remove && d == Compliant) {
		l.add("W-141")
	}
	if members > 1 {
		l.add("W-145")
	}
	return l
}

// refusalRule is the rule of an answer with an unwanted status.
func refusalRule(op operation, status int) string {
	switch {
	case op == opProbe:
		return "W-045"
	case status == http.StatusUnauthorized:
		return "W-185"
	case status == http.StatusForbidden, status == http.StatusMethodNotAllowed:
		return "W-186"
	case status == http.StatusTooManyRequests:
		return "W-188"
	case status == http.StatusNotImplemented:
		return "W-190"
	case status >= 500 && op == opMatch:
		return "W-173"
	case status >= 500:
		return "W-189"
	case status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity:
		return "W-187"
	case status >= 300 && status < 400:
		return "W-019"
	}
	switch op {
	case opMatch:
		if status == http.StatusNotFound {
			return "W-171"
		}
		return "W-172"
	case opCreate:
		if status == http.StatusConflict {
			return "W-179"
		}
		return "W-197"
	case opPatch:
		switch status {
		case http.StatusNotFound:
			return "W-183"
		case http.StatusConflict:
			return "W-184"
		}
		return "W-182"
	case opDelete:
		return "W-196"
	}
	return "W-175"
}

// unreadRule is the rule of an answer that came with success and can't be read.
func unreadRule(op operation, a *answer, err error) string {
	var wrong *mistyped
	switch {
	case op == opProbe:
		return "W-045"
	case looksLikeHTML(a):
		return "W-192"
	case errors.As(err, &wrong):
		return "W-076"
	case op == opMatch:
		return "W-079"
	case op == opCreate:
		return "W-178"
	case op == opPatch:
		return "W-181"
	}
	return "W-076"
}
