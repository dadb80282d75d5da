package directory

import (
	"encoding/json"
	"slices"
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
	RoleID               string    `json:"appRoleId"`
	CreatedDateTime      time.Time `json:"createdDateTime"`
}

// DefaultAccess is the role id of an assignment without a role.
const DefaultAccess = "00000000-0000-0000-0000-000000000000"

// CreateServicePrincipal makes an enterprise application with its registration's ids.
func (s *Store) CreateServicePrincipal(now time.Time, displayName, templateID string, roles []AppRole) (ServicePrincipal, error) {
	sp := ServicePrincipal{TemplateID: templateID, AccountEnabled: true, AppRoleAssignmentRequired: true, AppRoles: roles,
		Tags: []string{"WindowsAzureActiveDirectoryCustomSingleSignOnApplication", "WindowsAzureActiveDirectoryIntegratedApp"}}
	err := s.write("created", func(t *txn) (Object, error) {
		if _, err := apply(KindServicePrincipal, principalTable, &sp, Props{"displayName": displayName}, new(map[string]any), true); err != nil {
			return Object{}, err
		}
		n, err := t.next()
		if err != nil {
			return Object{}, err
		}
		sp.AppID, sp.ApplicationID = derive(s.seed, "appId", n), derive(s.seed, "application", n)
		if err := t.create(s, now, KindServicePrincipal, &sp.Object, &sp); err != nil {
			return Object{}, err
		}
		_, err = t.log(now, change{Op: opCreate, Kind: KindServicePrincipal, Num: sp.Num})
		return sp.Object, err
	})
	return sp, err
}

// ServicePrincipal returns a service principal by its object id.
func (s *Store) ServicePrincipal(id string) (ServicePrincipal, error) {
	return get[ServicePrincipal](s, id, KindServicePrincipal)
}

// UpdateServicePrincipal changes properties of a service principal.
func (s *Store) UpdateServicePrincipal(now time.Time, id string, edit Props) (ServicePrincipal, error) {
	var out ServicePrincipal
	err := s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindServicePrincipal)
		if err != nil {
			return o, err
		}
		sp, _, err := load[ServicePrincipal](t, o.Num)
		if err != nil {
			return o, err
		}
		before := *sp
		changed, err := apply(KindServicePrincipal, principalTable, sp, edit, new(map[string]any), false)
		if err != nil {
			return o, err
		}
		out = *sp
		if len(changed) == 0 {
			return o, nil
		}
		if err := t.leave(before.Object, &before); err != nil {
			return o, err
		}
		if err := t.enter(sp.Object, sp); err != nil {
			return o, err
		}
		if err := t.put(bucketObjects, key(o.Num), sp); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindServicePrincipal, Num: o.Num, Changed: changed})
		return o, err
	})
	return out, err
}

// Assign gives a user or group a role of an application. The same role twice is Conflict, an unknown one Invalid; no role
// is default access.
func (s *Store) Assign(now time.Time, sp, principal, role string) (Assignment, error) {
	if role == "" {
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
		if role != DefaultAccess && !slices.ContainsFunc(full.AppRoles, func(r AppRole) bool { return r.ID == role && r.Enabled }) {
			return app, invalid("appRoleId", "Permission being assigned was not found on application '%s'.", full.AppID)
		}
		p, err := t.find(principal, KindUser, KindGroup)
		if err != nil {
			return app, err
		}
		k := roleKey(app.Num, p.Num, role)
		if t.in(bucketAssignments).Get(k) != nil {
			return app, &Error{Code: Conflict, Message: "Permission being assigned already exists on the object", Hint: p.DisplayName + " is assigned already."}
		}
		n, err := t.in(bucketAssignments).NextSequence()
		if err != nil {
			return app, err
		}
		a = Assignment{ID: opaqueID(s.seed, "assignment", n), SPNum: app.Num, PrincipalNum: p.Num, SPID: app.ID, PrincipalID: p.ID,
			PrincipalDisplayName: p.DisplayName, PrincipalKind: p.Kind, RoleID: role, CreatedDateTime: now.UTC()}
		if err := t.put(bucketAssignments, k, a); err != nil {
			return app, err
		}
		if err := t.in(bucketAssigned).Put(roleKey(p.Num, app.Num, role), []byte{1}); err != nil {
			return app, err
		}
		_, err = t.log(now, change{Op: opAssign, Kind: p.Kind, Num: app.Num, Other: p.Num})
		return app, err
	})
	return a, err
}

// Unassign removes an assignment, given by its own id, or all of a principal's, given by its id.
func (s *Store) Unassign(now time.Time, sp, id string) error {
	return s.write("unassigned", func(t *txn) (Object, error) {
		app, err := t.find(sp, KindServicePrincipal)
		if err != nil {
			return app, err
		}
		principal := num(t.in(bucketIDs).Get(guidKey(id)))
		var gone []Assignment
		c := t.in(bucketAssignments).Cursor()
		for k, v := c.Seek(key(app.Num)); k != nil && num(k) == app.Num; k, v = c.Next() {
			if principal != 0 && num(k[8:]) != principal {
				continue
			}
			var a Assignment
			if err := json.Unmarshal(v, &a); err != nil {
				return app, err
			}
			if principal == 0 && a.ID != id {
				continue
			}
			a.SPNum, a.PrincipalNum = app.Num, num(k[8:])
			gone = append(gone, a)
		}
		if len(gone) == 0 {
			return app, notFound(id)
		}
		for _, a := range gone {
			if err := t.dropAssignment(a.SPNum, a.PrincipalNum, a.RoleID); err != nil {
				return app, err
			}
		}
		if len(t.roles(app.Num, gone[0].PrincipalNum)) > 0 {
			return app, nil // assigned by another role still
		}
		_, err = t.log(now, change{Op: opUnassign, Kind: gone[0].PrincipalKind, Num: app.Num, Other: gone[0].PrincipalNum})
		return app, err
	})
}

func (t *txn) dropAssignment(sp, principal uint64, role string) error {
	if err := t.in(bucketAssignments).Delete(roleKey(sp, principal, role)); err != nil {
		return err
	}
	return t.in(bucketAssigned).Delete(roleKey(principal, sp, role))
}

// dropAssignments removes every assignment of a principal or to a service principal.
func (t *txn) dropAssignments(n uint64) error {
	type pair struct {
		a, b uint64
		role []byte
	}
	for _, dir := range [][2][]byte{{bucketAssignments, bucketAssigned}, {bucketAssigned, bucketAssignments}} {
		var gone []pair
		c := t.in(dir[0]).Cursor()
		for k, _ := c.Seek(key(n)); len(k) >= 16 && num(k) == n; k, _ = c.Next() {
			gone = append(gone, pair{n, num(k[8:]), slices.Clone(k[16:])})
		}
		for _, p := range gone {
			if err := t.in(dir[0]).Delete(append(key(p.a, p.b), p.role...)); err != nil {
				return err
			}
			if err := t.in(dir[1]).Delete(append(key(p.b, p.a), p.role...)); err != nil {
				return err
			}
		}
	}
	return nil
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

// Assignments lists the assignments of an application with the present names of the principals. Deleted principals are
// left out.
func (s *Store) Assignments(sp, cursor string, limit int) (Page[Assignment], error) {
	var page Page[Assignment]
	if limit <= 0 {
		limit = 100
	}
	after, err := parseCursor(cursor)
	if err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		app, err := t.find(sp, KindServicePrincipal)
		if err != nil {
			return err
		}
		c := t.in(bucketAssignments).Cursor()
		k, v := c.Seek(key(app.Num))
		if after != nil {
			if k, v = c.Seek(after); k != nil && string(k) == string(after) {
				k, v = c.Next()
			}
		}
		for ; k != nil && num(k) == app.Num; k, v = c.Next() {
			var a Assignment
			if err := json.Unmarshal(v, &a); err != nil {
				return err
			}
			a.SPNum, a.PrincipalNum = app.Num, num(k[8:])
			o, ok, err := t.object(a.PrincipalNum)
			if err != nil {
				return err
			}
			if !ok || o.State != Live {
				continue
			}
			if len(page.Items) == limit {
				return nil
			}
			a.PrincipalDisplayName = o.DisplayName
			page.Items = append(page.Items, a)
			page.Next = makeCursor(k)
		}
		page.Next = ""
		return nil
	})
	return page, err
}
