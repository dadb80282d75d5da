package expr

import (
	"encoding/json"
	"strings"
)

// Role is one assignment of an application role: only those to the application that is provisioned count
// (customize-application-attributes.md, "Provisioning a role to a SCIM app").
type Role struct {
	ID          string `json:"id"` // of the app role
	Value       string `json:"value"`
	DisplayName string `json:"displayName"`
}

// JSON is the text of an assignment in the complex forms, where text is asked for: what an update of roles sends, and what
// functions that read text find (the page prints an update; vendors search it for the names of roles).
func (r Role) JSON() string {
	b := make([]byte, 0, 64+len(r.ID)+len(r.Value)+len(r.DisplayName))
	b = appendJSON(append(b, `{"id":`...), r.ID)
	b = appendJSON(append(b, `,"value":`...), r.Value)
	b = appendJSON(append(b, `,"displayName":`...), r.DisplayName)
	return string(append(b, '}'))
}

func appendJSON(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil { // a string can always be written
		return append(b, `""`...)
	}
	return append(b, text...)
}

// text is the text form of one role of a value.
func (v Value) roleText(r Role) string {
	if RoleForm(v.num) == RolesPlain {
		return r.DisplayName
	}
	return r.JSON()
}

// RoleForm is how role assignments are written to a target.
type RoleForm uint8

// The forms of roles.
const (
	RolesPlain     RoleForm = iota // the source attribute itself, which must not be mapped directly
	RolesComplex                   // AppRoleAssignmentsComplex: updates add
	RolesAssertive                 // AssertiveAppRoleAssignmentsComplex: updates replace
)

// RoleType is the type of a role in both complex forms.
const RoleType = "WindowsAzureActiveDirectoryRole"

// Roles makes the value of the attribute appRoleAssignments; the oldest assignment comes first. It keeps the slice. No
// roles: null.
func Roles(list []Role) Value {
	if len(list) == 0 {
		return Null
	}
	return Value{kind: KindRoles, num: int64(RolesPlain), multi: &multi{roles: list}}
}

// Roles returns the role assignments of a value and their form; nil when the value holds none.
func (v Value) Roles() ([]Role, RoleForm) {
	if v.kind != KindRoles {
		return nil, RolesPlain
	}
	return v.multi.roles, RoleForm(v.num)
}

// complexRole and assertiveRole differ in one key, as the page prints them.
type (
	complexRole struct {
		Primary     bool   `json:"primary"`
		Type        string `json:"type"`
		DisplayName string `json:"displayName"`
		Value       string `json:"value"`
	}
	assertiveRole struct {
		Primary bool   `json:"primary"`
		Type    string `json:"type"`
		Display string `json:"display"`
		Value   string `json:"value"`
	}
)

// roleObjects are the objects that JSON shows for roles.
func (v Value) roleObjects() any {
	roles, form := v.Roles()
	switch form {
	case RolesComplex:
		out := make([]complexRole, len(roles))
		for i, r := range roles {
			out[i] = complexRole{Type: RoleType, DisplayName: r.DisplayName, Value: r.Value}
		}
		return out
	case RolesAssertive:
		out := make([]assertiveRole, len(roles))
		for i, r := range roles {
			out[i] = assertiveRole{Type: RoleType, Display: r.DisplayName, Value: r.Value}
		}
		return out
	}
	return roles
}

// rolesOf reads role assignments from an argument. Where they come as text, as in the test objects that Graph's
// parseExpression takes, each text is the name of a role.
func (c call) rolesOf(i int) ([]Role, *Error) {
	v := c.args[i]
	switch v.kind {
	case KindRoles:
		return v.multi.roles, nil
	case KindList, KindString:
		roles := make([]Role, 0, 1)
		for _, s := range v.List() {
			if s != "" {
				roles = append(roles, Role{Value: s, DisplayName: s})
			}
		}
		return roles, nil
	}
	return nil, c.failAt(i, ErrType, "the argument is %s; expected [appRoleAssignments]", describe(v))
}

// singleRole takes the oldest of several roles, the public pages leaving open which.
func singleRole(c call) (Value, *Error) {
	roles, bad := c.rolesOf(0)
	if bad != nil || len(roles) == 0 {
		return Null, bad
	}
	if len(roles) > 1 {
		c.env.state.warnings = append(c.env.state.warnings, Warning{
			Message:  "the object has several roles, of which SingleAppRoleAssignment takes one; Entra leaves open which, here it is the oldest",
			Position: c.node.Position, Function: c.node.Name,
		})
	}
	return String(roles[0].DisplayName), nil
}

func roleNames(c call) (Value, *Error) {
	roles, bad := c.rolesOf(0)
	if bad != nil || len(roles) == 0 {
		return Null, bad
	}
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.DisplayName
	}
	return String(strings.Join(names, ",")), nil
}

func rolesAs(form RoleForm) func(call) (Value, *Error) {
	return func(c call) (Value, *Error) {
		roles, bad := c.rolesOf(0)
		if bad != nil || len(roles) == 0 {
			return Null, bad
		}
		v := Roles(roles)
		v.num = int64(form)
		return v, nil
	}
}
