package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Assignment gives a user or a group a role of an application (resources/approleassignment.md).
type Assignment struct {
	ID                   string    `json:"id"`
	SPNum                uint64    `json:"-"`
	PrincipalNum         uint64    `json:"-"`
	SPID                 string    `json:"resourceId"`
	PrincipalID          string    `json:"principalId"`
	PrincipalDisplayName string    `json:"principalDisplayName"`
	PrincipalKind        Kind      `json:"principalKind"`
	ResourceDisplayName  string    `json:"-"`
	RoleID               string    `json:"appRoleId"`
	CreatedDateTime      time.Time `json:"createdDateTime"`
}

// DefaultAccess is the role id of an assignment without a role.
const DefaultAccess = "00000000-0000-0000-0000-000000000000"

// Assign gives a user, a group or a service principal a role of an application. The same role twice is Conflict, an unknown or
// disabled one, or one that is not for this kind of principal, Invalid; no role is default access
// (api/serviceprincipal-post-approleassignedto.md). Service principals are none of those that are provisioned.
func (s *Store) Assign(now time.Time, sp, principal, role string) (Assignment, error) {
	if role = fold(role); role == "" {
		role = DefaultAccess
	}
	var a Assignment
	err := s.write("assigned", func(t *txn) (Object, error) {
		app, err := t.find(sp, KindServicePrincipal)
		if err != nil {
			return app, err
		}
		full, _, err := load[ServicePrincipal](t, app.Num)
		if err != nil {
			return app, err
		}
		p, err := t.find(principal, KindUser, KindGroup, KindServicePrincipal)
		if err != nil {
			return app, err
		}
		if role != DefaultAccess && !slices.ContainsFunc(full.AppRoles, func(r AppRole) bool { return strings.EqualFold(r.ID, role) && r.Enabled && r.allows(p.Kind) }) {
			return app, invalid("appRoleId", "Permission being assigned was not found on application '%s'.", full.AppID)
		}
		k := roleKey(app.Num, p.Num, role)
		if t.in(bucketAssignments).Get(k) != nil {
			return app, &Error{Code: Conflict, Message: "Permission being assigned already exists on the object", Hint: p.DisplayName + " is assigned already."}
		}
		n, err := t.in(bucketAssignments).NextSequence()
		if err != nil {
			return app, err
		}
		a = Assignment{ResourceDisplayName: app.DisplayName, ID: opaqueID(s.seed, "assignment", n), SPNum: app.Num, PrincipalNum: p.Num, SPID: app.ID, PrincipalID: p.ID,
			PrincipalDisplayName: p.DisplayName, PrincipalKind: p.Kind, RoleID: role, CreatedDateTime: now.UTC()}
		if err := t.put(bucketAssignments, k, a); err != nil {
			return app, err
		}
		if err := t.in(bucketAssigned).Put(roleKey(p.Num, app.Num, role), []byte{}); err != nil {
			return app, err
		}
		if err := t.in(bucketGrants).Put([]byte(a.ID), k); err != nil {
			return app, err
		}
		_, err = t.log(now, change{Op: opAssign, Kind: p.Kind, Num: app.Num, Other: p.Num})
		return app, err
	})
	return a, err
}

// allows reports whether principals of a kind can have the role (resources/approle.md, allowedMemberTypes).
func (r AppRole) allows(k Kind) bool {
	if k == KindServicePrincipal {
		return slices.Contains(r.AllowedMemberTypes, "Application")
	}
	return len(r.AllowedMemberTypes) == 0 || slices.Contains(r.AllowedMemberTypes, "User")
}

// Unassign removes an assignment, given by its own id, or all of a principal's, given by its id. A principal that keeps
// another role stays assigned.
func (s *Store) Unassign(now time.Time, sp, id string) error {
	return s.write("unassigned", func(t *txn) (Object, error) {
		app, err := t.find(sp, KindServicePrincipal)
		if err != nil {
			return app, err
		}
		principal, roles := num(t.in(bucketIDs).Get(guidKey(id))), []string(nil)
		if principal != 0 {
			roles = t.roles(app.Num, principal)
		} else if k := t.in(bucketGrants).Get([]byte(id)); k != nil && num(k) == app.Num {
			principal, roles = num(k[8:]), []string{guidText(k[16:])}
		}
		p, ok, err := t.object(principal)
		if err != nil {
			return app, err
		}
		if !ok || p.State != Live || len(roles) == 0 {
			return app, notFound(id)
		}
		for _, role := range roles {
			if err := t.dropAssignment(app.Num, p.Num, role); err != nil {
				return app, err
			}
		}
		op := opUnassign
		if len(t.roles(app.Num, p.Num)) > 0 {
			op = opAssign // a change of roles, for the readers that look at them
		}
		_, err = t.log(now, change{Op: op, Kind: p.Kind, Num: app.Num, Other: p.Num})
		return app, err
	})
}

func (t *txn) dropAssignment(sp, principal uint64, role string) error {
	k := roleKey(sp, principal, role)
	a, ok, err := t.assignment(k)
	if err != nil || !ok {
		return err
	}
	if err := t.in(bucketGrants).Delete([]byte(a.ID)); err != nil {
		return err
	}
	if err := t.in(bucketAssignments).Delete(k); err != nil {
		return err
	}
	return t.in(bucketAssigned).Delete(roleKey(principal, sp, role))
}

// assignment reads an assignment by its key.
func (t *txn) assignment(k []byte) (a Assignment, ok bool, err error) {
	data := t.in(bucketAssignments).Get(k)
	if data == nil {
		return a, false, nil
	}
	if err := Decode(data, &a); err != nil {
		return a, false, fmt.Errorf("data file: assignment %x: %w", k, err)
	}
	a.SPNum, a.PrincipalNum = num(k), num(k[8:])
	return a, true, nil
}

// visible reads an assignment with the present name of its principal; ok is false while either end is deleted.
func (t *txn) visible(k []byte) (a Assignment, ok bool, err error) {
	if a, ok, err = t.assignment(k); err != nil || !ok {
		return a, false, err
	}
	app, ok, err := t.object(a.SPNum)
	if err != nil || !ok || app.State != Live {
		return a, false, err
	}
	p, ok, err := t.object(a.PrincipalNum)
	if err != nil || !ok || p.State != Live {
		return a, false, err
	}
	a.PrincipalDisplayName, a.ResourceDisplayName = p.DisplayName, app.DisplayName
	return a, true, nil
}

// roles lists the roles that a principal has of an application, as 16-byte ids in text.
func (t *txn) roles(sp, principal uint64) []string {
	var list []string
	prefix := key(sp, principal)
	c := t.in(bucketAssignments).Cursor()
	for k, _ := c.Seek(prefix); len(k) >= 16 && num(k) == sp && num(k[8:]) == principal; k, _ = c.Next() {
		list = append(list, guidText(k[16:]))
	}
	return list
}

// Assignment returns an assignment to an application by its id.
func (s *Store) Assignment(sp, id string) (a Assignment, err error) {
	err = s.read(func(t *txn) error {
		app, err := t.find(sp, KindServicePrincipal)
		if err != nil {
			return err
		}
		k := t.in(bucketGrants).Get([]byte(id))
		if k == nil || num(k) != app.Num {
			return notFound(id)
		}
		var ok bool
		if a, ok, err = t.visible(k); err == nil && !ok {
			err = notFound(id)
		}
		return err
	})
	return a, err
}

// AssignmentOf returns an assignment of a user or group by its id.
func (s *Store) AssignmentOf(principal, id string) (a Assignment, err error) {
	err = s.read(func(t *txn) error {
		o, err := t.find(principal)
		if err != nil {
			return err
		}
		k := t.in(bucketGrants).Get([]byte(id))
		if k == nil || num(k[8:]) != o.Num {
			return notFound(id)
		}
		var ok bool
		if a, ok, err = t.visible(k); err == nil && !ok {
			err = notFound(id)
		}
		return err
	})
	return a, err
}

// Assignments lists the assignments of users and groups to an application with the present names of the principals. Deleted
// principals are left out.
func (s *Store) Assignments(sp, cursor string, limit int) (Page[Assignment], error) {
	return s.FilterAssignments(sp, cursor, limit, func(a *Assignment) bool { return a.PrincipalKind != KindServicePrincipal })
}

// FilterAssignments lists those that keep wants, of service principals too; keep must not call the store.
func (s *Store) FilterAssignments(sp, cursor string, limit int, keep func(*Assignment) bool) (Page[Assignment], error) {
	return relatedPage(s, sp, KindServicePrincipal, bucketAssignments, cursor, limit, func(t *txn, k []byte) (Assignment, bool, error) {
		a, ok, err := t.visible(k)
		return a, ok && keep(&a), err
	})
}

// FilterAssignmentsOf lists the assignments of a user or group to applications that keep wants; keep must not call the store.
func (s *Store) FilterAssignmentsOf(principal, cursor string, limit int, keep func(*Assignment) bool) (Page[Assignment], error) {
	return relatedPage(s, principal, 0, bucketAssigned, cursor, limit, func(t *txn, k []byte) (Assignment, bool, error) {
		a, ok, err := t.visible(roleKey(num(k[8:]), num(k), guidText(k[16:])))
		return a, ok && keep(&a), err
	})
}
