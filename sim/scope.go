package sim

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o scope_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:tuple scopeResult
//msgp:ignore source

import (
	"slices"
	"strings"

	"entrasim/directory"
	"entrasim/sim/expr"
	"entrasim/sim/mapping"
)

// scopeResult is the outcome of the four conditions under which an object is provisioned (how-provisioning-works.md,
// "Assignment-based scoping" and "Scoping filters"; the same four stand in the log's scoping step).
type scopeResult struct {
	Active   bool   `json:"a"`             // live and, for a user, not blocked
	Assigned bool   `json:"as"`            // directly, or as an immediate member of an assigned security group
	SyncAll  bool   `json:"all,omitempty"` // assignment is not asked for
	Filter   bool   `json:"f"`             // the scoping filter passed, or there is none
	Filters  string `json:"fj,omitempty"`  // each clause with its result, as JSON text
	Why      string `json:"fw,omitempty"`  // which filters failed on which attributes
	// Blocked assignment: assigned only through groups that are not security-enabled.
	Insecure bool `json:"ins,omitempty"`

	clauses mapping.ClauseResults `json:"-"` // what Filters was made of; not kept
}

// In reports whether the object is in provisioning scope.
func (r scopeResult) In() bool { return r.Active && r.entitled() && r.Filter }

func (r scopeResult) entitled() bool { return r.SyncAll || r.Assigned }

// source is one object of the directory as a cycle reads it, with its scope.
type source struct {
	directory.Object
	UPN     string
	user    *directory.User // nil for a group
	group   *directory.Group
	manager uint64
	scope   scopeResult
	attrs   *mapping.Source
	unread  bool // the mapping's input or category filter drops it right after reading
}

// readSource reads object n and evaluates its scope in job j. ok is false when the directory never had it, or has
// forgotten it.
func readSource(r *directory.Reader, app uint64, all bool, set *mapping.Set, n uint64) (src source, ok bool) {
	// Mostly it is a user: reading it as one saves reading it twice.
	if src.user, ok = r.UserByNum(n); ok {
		src.Object = src.user.Object
		src.UPN, src.manager = src.user.UserPrincipalName, src.user.ManagerNum
		src.scope.Active = src.State == directory.Live && src.user.AccountEnabled
		src.scope.Assigned, src.scope.Insecure = userAssigned(r, app, n)
	} else if src.group, ok = r.GroupByNum(n); ok {
		src.Object = src.group.Object
		src.scope.Active = src.State == directory.Live
		assigned := len(r.Assigned(app, n)) > 0
		src.scope.Assigned = assigned && src.group.SecurityEnabled
		src.scope.Insecure = assigned && !src.group.SecurityEnabled
	} else {
		return source{}, false
	}
	src.scope.SyncAll = all
	m := mappingOf(set, src.Kind)
	if m == nil {
		return src, true
	}
	// The filters see the source attributes; IsSoftDeleted needs the filter's result and is set behind it.
	src.attrs = src.mappingSource(r, app, m)
	src.unread = src.State != directory.Purged && (m.Input != nil && !m.Input.Passes(src.attrs) || m.Category != nil && !m.Category.Passes(src.attrs))
	src.scope.Filter = true
	if m.Scope != nil {
		pass, clauses := m.Scope.Eval(src.attrs)
		src.scope.Filter, src.scope.Filters, src.scope.clauses = pass, clauses.JSON(), clauses
		if !pass {
			src.scope.Why = clauses.Reason()
		}
	}
	src.attrs.SoftDeleted = !src.scope.In()
	return src, true
}

func (src *source) mappingSource(r *directory.Reader, app uint64, m *mapping.ObjectMapping) *mapping.Source {
	var c mapping.Computed
	if m.NeedsRoles {
		c.Roles = appRoles(r, app, src.Num, src.Kind)
	}
	if src.Kind == directory.KindGroup {
		return mapping.GroupSource(src.group, c)
	}
	if src.manager != 0 && m.NeedsManager {
		if boss, ok := r.Object(src.manager); ok && boss.State == directory.Live {
			c.Manager = boss.ID
		}
	}
	return mapping.UserSource(src.user, c)
}

// appRoles lists the roles of the application that an object has, directly or, a user, as an immediate member of an
// assigned group that counts; the oldest assignment comes first. Default access is no role
// (customize-application-attributes.md, "Provisioning a role to a SCIM app").
func appRoles(r *directory.Reader, app, n uint64, kind directory.Kind) []expr.Role {
	grants := r.Grants(app, n)
	if kind == directory.KindUser {
		r.EachGroupOf(n, func(group uint64) bool {
			if of := r.Grants(app, group); len(of) > 0 {
				if g, ok := r.GroupByNum(group); ok && g.State == directory.Live && g.SecurityEnabled {
					grants = append(grants, of...)
				}
			}
			return true
		})
		slices.SortStableFunc(grants, func(a, b directory.Assignment) int { return a.CreatedDateTime.Compare(b.CreatedDateTime) })
	}
	sp, ok := r.ServicePrincipalByNum(app)
	if !ok {
		return nil
	}
	var roles []expr.Role
	for _, g := range grants {
		i := slices.IndexFunc(sp.AppRoles, func(x directory.AppRole) bool { return strings.EqualFold(x.ID, g.RoleID) })
		if i < 0 || slices.ContainsFunc(roles, func(x expr.Role) bool { return x.ID == sp.AppRoles[i].ID }) {
			continue
		}
		role := expr.Role{ID: sp.AppRoles[i].ID, Value: sp.AppRoles[i].Value, DisplayName: sp.AppRoles[i].DisplayName}
		if role.Value == "" { // a role without a value is known by its name
			role.Value = role.DisplayName
		}
		roles = append(roles, role)
	}
	return roles
}

// userAssigned follows the two ways to be assigned: directly, or as an immediate member of a live assigned group that is
// security-enabled. Nested groups are not read (how-provisioning-works.md, "Groups").
func userAssigned(r *directory.Reader, app, user uint64) (assigned, insecure bool) {
	if !r.HasAssignments(app) {
		return false, false
	}
	if len(r.Assigned(app, user)) > 0 {
		return true, false
	}
	r.EachGroupOf(user, func(group uint64) bool {
		if len(r.Assigned(app, group)) == 0 {
			return true
		}
		g, ok := r.GroupByNum(group)
		if !ok || g.State != directory.Live {
			return true
		}
		if g.SecurityEnabled {
			assigned = true
			return false
		}
		insecure = true
		return true
	})
	return assigned, insecure && !assigned
}

func mappingOf(set *mapping.Set, kind directory.Kind) *mapping.ObjectMapping {
	m := set.Users
	if kind == directory.KindGroup {
		m = set.Groups
	}
	if m == nil || !m.Enabled {
		return nil
	}
	return m
}
