package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// frame is what stands before the value of an object: its kind and its state, which are asked for most.
const frame = 2

func encodeObject(v any) ([]byte, error) {
	data, err := Encode(v)
	if err != nil {
		return nil, err
	}
	o := objectOf(v)
	return append([]byte{byte(o.Kind), byte(o.State)}, data...), nil
}

// putObject stores a User, Group or ServicePrincipal.
func (t *txn) putObject(v any) error {
	data, err := encodeObject(v)
	if err != nil {
		return err
	}
	return t.in(bucketObjects).Put(key(objectOf(v).Num), data)
}

// object reads what all kinds have in common.
func (t *txn) object(n uint64) (Object, bool, error) {
	data := t.in(bucketObjects).Get(key(n))
	if len(data) < frame {
		return Object{}, false, nil
	}
	h := head{Object{Num: n}}
	if err := Decode(data[frame:], &h); err != nil {
		return h.Object, false, fmt.Errorf("data file: object %d: %w", n, err)
	}
	return h.Object, true, nil
}

// load reads a whole object into v, which embeds Object.
func load[T any](t *txn, n uint64) (*T, bool, error) {
	data := t.in(bucketObjects).Get(key(n))
	if len(data) < frame {
		return nil, false, nil
	}
	v := new(T)
	if err := Decode(data[frame:], v); err != nil {
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
	if !ok || o.State != Live || o.Bare || len(kinds) > 0 && !slices.Contains(kinds, o.Kind) {
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

// register keeps the counters of registrations.
func (t *txn) register(sp *ServicePrincipal, by int) error {
	if sp.Bare {
		if err := t.add("bare", by); err != nil {
			return err
		}
	}
	return t.add("principals", by)
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
		if err := t.register(x, 1); err != nil {
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
		if err := t.register(x, -1); err != nil {
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
	return t.putObject(v)
}
