package directory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// object reads what all kinds have in common.
func (t *txn) object(n uint64) (Object, bool, error) {
	data := t.in(bucketObjects).Get(key(n))
	if data == nil {
		return Object{}, false, nil
	}
	o := Object{Num: n}
	if err := json.Unmarshal(data, &o); err != nil {
		return o, false, fmt.Errorf("data file: object %d: %w", n, err)
	}
	return o, true, nil
}

// load reads a whole object into v, which embeds Object.
func load[T any](t *txn, n uint64) (*T, bool, error) {
	data := t.in(bucketObjects).Get(key(n))
	if data == nil {
		return nil, false, nil
	}
	v := new(T)
	if err := json.Unmarshal(data, v); err != nil {
		return nil, false, fmt.Errorf("data file: object %d: %w", n, err)
	}
	switch o := any(v).(type) {
	case *User:
		o.Num = n
	case *Group:
		o.Num = n
	case *ServicePrincipal:
		o.Num = n
	}
	return v, true, nil
}

// find returns the number of a live object, given by id or, for a user, by userPrincipalName.
func (t *txn) find(id string, kinds ...Kind) (Object, error) {
	n := num(t.in(bucketIDs).Get(guidKey(id)))
	if n == 0 && strings.Contains(id, "@") && (len(kinds) == 0 || slices.Contains(kinds, KindUser)) {
		n = num(t.in(bucketUPN).Get([]byte(fold(id))))
	}
	if n == 0 {
		return Object{}, notFound(id)
	}
	o, ok, err := t.object(n)
	if err != nil {
		return o, err
	}
	if !ok || o.State != Live || len(kinds) > 0 && !slices.Contains(kinds, o.Kind) {
		return o, notFound(id)
	}
	return o, nil
}

// indexes writes or removes the look-ups of a live object.
func (t *txn) index(n uint64, kind Kind, texts []string, add bool) error {
	for _, text := range texts {
		if text == "" {
			continue
		}
		var err error
		if k := nameKey(kind, text, n); add {
			err = t.in(bucketNames).Put(k, nil)
		} else {
			err = t.in(bucketNames).Delete(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var liveBucket = map[Kind][]byte{KindUser: bucketUsers, KindGroup: bucketGroups, KindServicePrincipal: bucketPrincipals}

func (u *User) names() []string             { return []string{u.DisplayName, u.Mail, u.UserPrincipalName} }
func (g *Group) names() []string            { return []string{g.DisplayName, g.Mail} }
func (s *ServicePrincipal) names() []string { return []string{s.DisplayName} }

// tally keeps the counters of a live user.
func (t *txn) tally(u *User, by int) error {
	if err := t.add("users", by); err != nil {
		return err
	}
	if !u.AccountEnabled {
		if err := t.add("disabled", by); err != nil {
			return err
		}
	}
	if u.IsGuest() {
		return t.add("guests", by)
	}
	return nil
}

// enter makes an object live: its place in the lists, its look-ups and its counters.
func (t *txn) enter(o Object, v any) error {
	if err := t.in(liveBucket[o.Kind]).Put(key(o.Num), nil); err != nil {
		return err
	}
	switch x := v.(type) {
	case *User:
		taken := num(t.in(bucketUPN).Get([]byte(fold(x.UserPrincipalName))))
		if taken != 0 && taken != x.Num {
			return &Error{Code: Conflict, Property: "userPrincipalName",
				Message: "Another object with the same value for property userPrincipalName already exists.", Hint: "Choose another user principal name."}
		}
		if err := t.in(bucketUPN).Put([]byte(fold(x.UserPrincipalName)), key(x.Num)); err != nil {
			return err
		}
		if x.ManagerNum != 0 {
			if err := t.in(bucketReports).Put(key(x.ManagerNum, x.Num), nil); err != nil {
				return err
			}
		}
		if err := t.tally(x, 1); err != nil {
			return err
		}
		return t.index(x.Num, KindUser, x.names(), true)
	case *Group:
		if err := t.add("groups", 1); err != nil {
			return err
		}
		return t.index(x.Num, KindGroup, x.names(), true)
	case *ServicePrincipal:
		if err := t.add("principals", 1); err != nil {
			return err
		}
		return t.index(x.Num, KindServicePrincipal, x.names(), true)
	}
	return nil
}

// leave is the inverse of enter.
func (t *txn) leave(o Object, v any) error {
	if err := t.in(liveBucket[o.Kind]).Delete(key(o.Num)); err != nil {
		return err
	}
	switch x := v.(type) {
	case *User:
		if err := t.in(bucketUPN).Delete([]byte(fold(x.UserPrincipalName))); err != nil {
			return err
		}
		if x.ManagerNum != 0 {
			if err := t.in(bucketReports).Delete(key(x.ManagerNum, x.Num)); err != nil {
				return err
			}
		}
		if err := t.tally(x, -1); err != nil {
			return err
		}
		return t.index(x.Num, KindUser, x.names(), false)
	case *Group:
		if err := t.add("groups", -1); err != nil {
			return err
		}
		return t.index(x.Num, KindGroup, x.names(), false)
	case *ServicePrincipal:
		if err := t.add("principals", -1); err != nil {
			return err
		}
		return t.index(x.Num, KindServicePrincipal, x.names(), false)
	}
	return nil
}

// create gives an object its number and id and makes it live; v embeds o.
func (t *txn) create(s *Store, now time.Time, kind Kind, o *Object, v any) error {
	n, err := t.next()
	if err != nil {
		return err
	}
	o.Num, o.Kind, o.State, o.CreatedDateTime = n, kind, Live, now.UTC().Truncate(time.Second)
	if o.ID == "" {
		o.ID = derive(s.seed, "object", n)
	} else if _, err := uuid.Parse(o.ID); err != nil || t.in(bucketIDs).Get(guidKey(o.ID)) != nil {
		return invalid("id", "The id %q is no GUID, or it is taken.", o.ID)
	}
	if err := t.in(bucketIDs).Put(guidKey(o.ID), key(n)); err != nil {
		return err
	}
	if err := t.enter(*o, v); err != nil {
		return err
	}
	return t.put(bucketObjects, key(n), v)
}

// CreateUser makes a user. Required are displayName, mailNickname and userPrincipalName; accountEnabled is true and
// userType Member unless given. The property manager takes an id or userPrincipalName.
func (s *Store) CreateUser(now time.Time, p Props) (User, error) {
	u := User{AccountEnabled: true, UserType: Member}
	err := s.write("created", func(t *txn) (Object, error) {
		changed, err := t.editUser(&u, p, true)
		if err != nil {
			return Object{}, err
		}
		if err := t.create(s, now, KindUser, &u.Object, &u); err != nil {
			return Object{}, err
		}
		_, err = t.log(now, change{Op: opCreate, Kind: KindUser, Num: u.Num, Changed: changed})
		return u.Object, err
	})
	return u, err
}

// editUser applies an edit to u and returns the names of what changed.
func (t *txn) editUser(u *User, p Props, creating bool) ([]string, error) {
	rest := make(Props, len(p))
	managerChanged := false
	for name, v := range p {
		switch name {
		case "manager":
			boss := uint64(0)
			if id, ok := v.(string); ok && id != "" {
				o, err := t.find(id, KindUser)
				if err != nil {
					return nil, &Error{Code: NotFound, Property: "manager", Message: fmt.Sprintf("There is no user %q.", id), Hint: "Give the id or user principal name of a user."}
				}
				boss = o.Num
			} else if v != nil && v != "" {
				return nil, invalid("manager", "manager is the id or user principal name of a user, not %v.", v)
			}
			if boss != 0 && boss == u.Num {
				return nil, invalid("manager", "A user can't be their own manager.")
			}
			managerChanged = boss != u.ManagerNum
			u.ManagerNum = boss
		case "employeeOrgData", "onPremisesExtensionAttributes":
			members, ok := v.(map[string]any)
			if !ok && v != nil {
				return nil, invalid(name, "%s is an object.", name)
			}
			for k, x := range members {
				rest[name+"/"+k] = x
			}
		default:
			rest[name] = v
		}
	}
	changed, err := apply(KindUser, userTable, u, rest, &u.Extensions, creating)
	if err != nil {
		return nil, err
	}
	if managerChanged {
		changed = append(changed, "manager")
	}
	return changed, u.check()
}

// UpdateUser changes properties of a live user, given by id or userPrincipalName. An edit that changes nothing leaves no
// trace in the change feed.
func (s *Store) UpdateUser(now time.Time, id string, edit Props) (User, error) {
	var out User
	err := s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindUser)
		if err != nil {
			return o, err
		}
		u, _, err := load[User](t, o.Num)
		if err != nil {
			return o, err
		}
		before := *u
		if u.Extensions != nil {
			u.Extensions = cloneMap(u.Extensions)
		}
		changed, err := t.editUser(u, edit, false)
		if err != nil {
			return o, err
		}
		out = *u
		if len(changed) == 0 {
			return u.Object, nil
		}
		if err := t.leave(before.Object, &before); err != nil {
			return o, err
		}
		if err := t.enter(u.Object, u); err != nil {
			return o, err
		}
		if err := t.put(bucketObjects, key(u.Num), u); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindUser, Num: u.Num, Changed: changed})
		return u.Object, err
	})
	return out, err
}

func cloneMap(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// SetManager gives a user a manager; an empty one takes it away.
func (s *Store) SetManager(now time.Time, user, manager string) error {
	_, err := s.UpdateUser(now, user, Props{"manager": manager})
	return err
}

// CreateGroup makes a group. Required are displayName and mailNickname; securityEnabled is true unless given.
func (s *Store) CreateGroup(now time.Time, p Props) (Group, error) {
	g := Group{SecurityEnabled: true}
	err := s.write("created", func(t *txn) (Object, error) {
		changed, err := apply(KindGroup, groupTable, &g, p, &g.Extensions, true)
		if err != nil {
			return Object{}, err
		}
		if err := g.check(); err != nil {
			return Object{}, err
		}
		if err := t.create(s, now, KindGroup, &g.Object, &g); err != nil {
			return Object{}, err
		}
		_, err = t.log(now, change{Op: opCreate, Kind: KindGroup, Num: g.Num, Changed: changed})
		return g.Object, err
	})
	return g, err
}

// UpdateGroup changes properties of a live group.
func (s *Store) UpdateGroup(now time.Time, id string, edit Props) (Group, error) {
	var out Group
	err := s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindGroup)
		if err != nil {
			return o, err
		}
		g, _, err := load[Group](t, o.Num)
		if err != nil {
			return o, err
		}
		before := *g
		if g.Extensions != nil {
			g.Extensions = cloneMap(g.Extensions)
		}
		changed, err := apply(KindGroup, groupTable, g, edit, &g.Extensions, false)
		if err != nil {
			return o, err
		}
		if err := g.check(); err != nil {
			return o, err
		}
		out = *g
		if len(changed) == 0 {
			return g.Object, nil
		}
		if err := t.leave(before.Object, &before); err != nil {
			return o, err
		}
		if err := t.enter(g.Object, g); err != nil {
			return o, err
		}
		if err := t.put(bucketObjects, key(g.Num), g); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindGroup, Num: g.Num, Changed: changed})
		return g.Object, err
	})
	return out, err
}

// AddMembers adds users or groups to a group, all or none. A member that is in it already is Conflict.
func (s *Store) AddMembers(now time.Time, group string, members ...string) error {
	return s.write("members", func(t *txn) (Object, error) {
		g, err := t.find(group, KindGroup)
		if err != nil {
			return g, err
		}
		for _, id := range members {
			m, err := t.find(id, KindUser, KindGroup)
			if err != nil {
				return g, err
			}
			switch {
			case m.Num == g.Num:
				return g, invalid("members", "A group can't be a member of itself.")
			case t.in(bucketMembers).Get(key(g.Num, m.Num)) != nil:
				return g, &Error{Code: Conflict, Property: "members",
					Message: "One or more added object references already exist for the following modified properties: 'members'."}
			}
			if err := t.join(now, g.Num, m.Num); err != nil {
				return g, err
			}
		}
		return g, nil
	})
}

func (t *txn) join(now time.Time, group, member uint64) error {
	if err := t.in(bucketMembers).Put(key(group, member), []byte{1}); err != nil {
		return err
	}
	if err := t.in(bucketMemberOf).Put(key(member, group), []byte{1}); err != nil {
		return err
	}
	_, err := t.log(now, change{Op: opJoin, Kind: KindGroup, Num: group, Other: member})
	return err
}

// RemoveMembers takes members out of a group, all or none. One that is not in it is Invalid.
func (s *Store) RemoveMembers(now time.Time, group string, members ...string) error {
	return s.write("members", func(t *txn) (Object, error) {
		g, err := t.find(group, KindGroup)
		if err != nil {
			return g, err
		}
		for _, id := range members {
			m, err := t.find(id, KindUser, KindGroup)
			if err != nil {
				return g, err
			}
			if t.in(bucketMembers).Get(key(g.Num, m.Num)) == nil {
				return g, invalid("members", "One or more removed object references do not exist for the following modified properties: 'members'.")
			}
			if err := t.in(bucketMembers).Delete(key(g.Num, m.Num)); err != nil {
				return g, err
			}
			if err := t.in(bucketMemberOf).Delete(key(m.Num, g.Num)); err != nil {
				return g, err
			}
			if _, err := t.log(now, change{Op: opLeave, Kind: KindGroup, Num: g.Num, Other: m.Num}); err != nil {
				return g, err
			}
		}
		return g, nil
	})
}
