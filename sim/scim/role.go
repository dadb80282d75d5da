package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// Role is one app role that is provisioned (customize-application-attributes.md, "Provisioning a role to a SCIM app").
type Role struct{ ID, Value, DisplayName string }

// RoleForm is how the attribute roles is written.
type RoleForm int

// The forms of roles.
const (
	RolesComplex   RoleForm = iota // AppRoleAssignmentsComplex: updates add, nothing is removed
	RolesAssertive                 // AssertiveAppRoleAssignmentsComplex: updates replace
)

// Roles is the value of the attribute roles as a whole.
type Roles struct {
	Form RoleForm
	List []Role
}

// roleType is the type of every role that is created.
const roleType = "WindowsAzureActiveDirectoryRole"

// names are the display names, as logs show them.
func (r Roles) names() string {
	out := make([]string, len(r.List))
	for i, x := range r.List {
		out[i] = x.DisplayName
	}
	return strings.Join(out, ", ")
}

// appendRoles writes roles as whole objects: primary, type, the name under a key, value.
func appendRoles(b []byte, opt Options, list []Role, key string) []byte {
	b = append(b, '[')
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"primary":`...)
		if opt.RolePrimaryString {
			b = appendString(b, "False")
		} else {
			b = append(b, "false"...)
		}
		b = appendString(append(b, `,"type":`...), roleType)
		b = appendString(append(appendString(append(b, ','), key), ':'), x.DisplayName)
		b = append(appendString(append(b, `,"value":`...), x.Value), '}')
	}
	return append(b, ']')
}

// createKey is the key of a role's name in a POST, as the page prints it. In a PATCH it is display whatever the form.
func (r Roles) createKey() string {
	if r.Form == RolesAssertive {
		return "display"
	}
	return "displayName"
}

// appendRoleTexts writes roles as the older dialects add them: each one a value whose text is JSON again.
func appendRoleTexts(b []byte, list []Role) []byte {
	b = append(b, '[')
	for i, x := range list {
		if i > 0 {
			b = append(b, ',')
		}
		text := appendString([]byte(`{"id":`), x.ID)
		text = appendString(append(text, `,"value":`...), x.Value)
		text = append(appendString(append(text, `,"displayName":`...), x.DisplayName), '}')
		b = append(appendString(append(b, `{"value":`...), string(text)), '}')
	}
	return append(b, ']')
}

// rolesOperation writes the operation that brings roles to a target; ok is false when the change is none of roles as a whole.
// The non-assertive form is only ever added: in the older dialects as JSON text, in the compliant one as objects with
// display (recorded in https://learn.microsoft.com/en-us/answers/questions/671361). The assertive one replaces, with full
// objects and a lower-case op in every dialect, as the page prints it.
func rolesOperation(b []byte, d Dialect, opt Options, c Change) (_ []byte, ok bool) {
	roles, whole := c.Value.(Roles)
	single := !whole && c.Role != nil && opt.SingleRoleForm == "json" && strings.EqualFold(parsePath(c.Path).name, "roles")
	if !whole && !single {
		return b, false
	}
	op, path := Add.word(d), c.Path
	if whole && roles.Form == RolesAssertive {
		op = Replace.word(Compliant)
	}
	if single {
		path = "roles"
	}
	b = appendString(append(b, `{"op":`...), op)
	b = append(appendString(append(b, `,"path":`...), patchPath(path, d)), `,"value":`...)
	switch {
	case single && d == Compliant: // as in a POST
		b = append(b, `[{"primary":`...)
		if opt.RolePrimaryString {
			b = appendString(b, "True")
		} else {
			b = append(b, "true"...)
		}
		b = appendString(append(b, `,"type":`...), roleType)
		b = append(appendString(append(b, `,"value":`...), c.text()), "}]"...)
	case single:
		b = appendRoleTexts(b, []Role{*c.Role})
	case d == Compliant || roles.Form == RolesAssertive:
		b = appendRoles(b, opt, roles.List, "display")
	default:
		b = appendRoleTexts(b, roles.List)
	}
	return append(b, '}'), true
}

// heldRole is an element of roles that a target returned.
type heldRole struct{ id, value, display string }

// roles reads what a resource holds as roles; a value that is JSON text, as the older dialects wrote it, is taken apart.
func (r *Resource) roles() []heldRole {
	var out []heldRole
	for _, e := range list(r.members["roles"]) {
		o, ok := e.(map[string]any)
		if !ok {
			continue
		}
		h := heldRole{value: text(o["value"]), display: text(o["display"])}
		if h.display == "" {
			h.display = text(o["displayname"])
		}
		if strings.HasPrefix(h.value, "{") {
			var inner struct{ ID, Value, DisplayName string }
			if json.Unmarshal([]byte(h.value), &inner) == nil {
				h = heldRole{inner.ID, inner.Value, inner.DisplayName}
			}
		}
		if h != (heldRole{}) {
			out = append(out, h)
		}
	}
	return out
}

func (h heldRole) is(x Role, same func(a, b string) bool) bool {
	if h.value != "" {
		return same(h.value, x.Value)
	}
	if h.id != "" {
		return strings.EqualFold(h.id, x.ID)
	}
	return same(h.display, x.DisplayName)
}

// rolesDiffer compares roles with what a resource holds. The non-assertive form wants each role to be there and leaves
// others alone; what is missing is what an update adds.
func rolesDiffer(r *Resource, want Roles, same func(a, b string) bool) (have string, present, equal bool) {
	held := r.roles()
	names := make([]string, len(held))
	for i, h := range held {
		if names[i] = h.display; names[i] == "" {
			names[i] = h.value
		}
	}
	equal = len(missingRoles(held, want.List, same)) == 0
	if want.Form == RolesAssertive {
		for _, h := range held {
			equal = equal && slices.ContainsFunc(want.List, func(x Role) bool { return h.is(x, same) })
		}
	}
	return strings.Join(names, ", "), len(held) > 0, equal
}

func missingRoles(held []heldRole, want []Role, same func(a, b string) bool) []Role {
	var out []Role
	for _, x := range want {
		if !slices.ContainsFunc(held, func(h heldRole) bool { return h.is(x, same) }) {
			out = append(out, x)
		}
	}
	return out
}

// Missing is the part of a multi-valued value that a resource does not hold: values of a list, or roles. A single value is
// missing as a whole or not at all. ok is false when nothing is missing.
func Missing(r *Resource, a Attribute, caseExact bool) (part Attribute, ok bool) {
	same := sameText(caseExact)
	switch v := a.Value.(type) {
	case Roles:
		v.List = missingRoles(r.roles(), v.List, same)
		a.Value = v
		return a, len(v.List) > 0
	case []string:
		held := r.values(a.Path)
		var out []string
		for _, w := range v {
			if !slices.ContainsFunc(held, func(h string) bool { return same(h, w) }) {
				out = append(out, w)
			}
		}
		a.Value = out
		return a, len(out) > 0
	}
	_, _, equal := Differs(r, a, caseExact)
	return a, !equal
}

func sameText(caseExact bool) func(a, b string) bool {
	if caseExact {
		return func(a, b string) bool { return a == b }
	}
	return strings.EqualFold
}
