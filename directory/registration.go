package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o registration_gen.go -io=false -tests=false
//msgp:tag json
//msgp:timezone utc
//msgp:ignore RegistrationEdit

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Password is a client secret of an application (resources/passwordcredential.md). The secret itself is not kept: it is shown
// once, when it is made.
type Password struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Hint        string    `json:"hint"` // its first three characters
	Hash        []byte    `json:"hash"` // SHA-256 of the secret
	Begins      time.Time `json:"startDateTime"`
	Ends        time.Time `json:"endDateTime"`
	OfPrincipal bool      `json:"ofPrincipal,omitempty"` // of the service principal, not of its registration
}

// maxPasswords and maxOwners bound what one object holds.
const (
	maxPasswords = 100
	maxOwners    = 100
)

// registration finds a live registration by its own object id or by its appId.
func (t *txn) registration(id string) (*ServicePrincipal, error) {
	sp, ok, err := load[ServicePrincipal](t, num(t.in(bucketAppIDs).Get(guidKey(id))))
	if err == nil && (!ok || sp.State != Live) {
		err = notFound(id)
	}
	return sp, err
}

// Registration returns an application registration by its own object id or by its appId, whether it has a service principal
// or not.
func (s *Store) Registration(id string) (sp ServicePrincipal, err error) {
	err = s.read(func(t *txn) error {
		p, err := t.registration(id)
		if err == nil {
			sp = *p
		}
		return err
	})
	return sp, err
}

// FilterRegistrations is FilterUsers for application registrations, those without a service principal among them.
func (s *Store) FilterRegistrations(q Query, keep func(*ServicePrincipal) bool) (Page[ServicePrincipal], error) {
	return list(s, q, KindServicePrincipal, keep)
}

// DeletedRegistration returns the registration of a service principal in deleted items by the registration's object id.
func (s *Store) DeletedRegistration(id string) (sp ServicePrincipal, err error) {
	err = s.read(func(t *txn) error {
		_, v, err := t.deletedNum(num(t.in(bucketAppIDs).Get(guidKey(id))))
		if err != nil {
			return err
		}
		p, ok := v.(*ServicePrincipal)
		if !ok || !strings.EqualFold(p.ApplicationID, id) {
			return notFound(id)
		}
		sp = *p
		return nil
	})
	return sp, err
}

// CreateRegistration makes an application registration without a service principal (api/application-post-applications.md).
func (s *Store) CreateRegistration(now time.Time, displayName string, edit RegistrationEdit) (ServicePrincipal, error) {
	sp := ServicePrincipal{AccountEnabled: true}
	sp.Bare = true
	err := s.write("created", func(t *txn) (Object, error) {
		if _, err := apply(KindServicePrincipal, principalTable, &sp, Props{"displayName": displayName}, new(map[string]any), true); err != nil {
			return Object{}, err
		}
		if _, err := t.editRegistration(&sp, edit); err != nil {
			return Object{}, err
		}
		return sp.Object, t.createPrincipal(s, now, &sp)
	})
	return sp, err
}

// RegisterClient makes an application and its service principal for a client that has an appId of its own. It is Conflict when
// the appId is taken, by a deleted application too.
func (s *Store) RegisterClient(now time.Time, appID, displayName string) (ServicePrincipal, error) {
	sp := ServicePrincipal{AppID: strings.ToLower(appID), AccountEnabled: true}
	err := s.write("created", func(t *txn) (Object, error) {
		if guidKey(appID) == nil {
			return Object{}, invalid("appId", "The appId %q is no GUID.", appID)
		}
		if t.in(bucketAppIDs).Get(guidKey(appID)) != nil {
			return Object{}, &Error{Code: Conflict, Property: "appId", Message: "The appId '" + appID + "' is taken."}
		}
		if _, err := apply(KindServicePrincipal, principalTable, &sp, Props{"displayName": displayName}, new(map[string]any), true); err != nil {
			return Object{}, err
		}
		return sp.Object, t.createPrincipal(s, now, &sp)
	})
	return sp, err
}

// AddServicePrincipal gives a registration its service principal, with owners. It is Conflict when it has one
// (api/serviceprincipal-post-serviceprincipals.md).
func (s *Store) AddServicePrincipal(now time.Time, appID string, edit Props, more map[string]any, owners ...string) (ServicePrincipal, error) {
	var out ServicePrincipal
	err := s.write("created", func(t *txn) (Object, error) {
		sp, err := t.registration(appID)
		if err != nil {
			return Object{}, err
		}
		if !sp.Bare {
			return sp.Object, &Error{Code: Conflict, Property: "appId", Message: "The service principal of the application '" + appID + "' exists already."}
		}
		if err := t.leave(sp.Object, sp); err != nil {
			return sp.Object, err
		}
		sp.Bare = false
		if _, err := apply(KindServicePrincipal, principalTable, sp, edit, new(map[string]any), false); err != nil {
			return sp.Object, err
		}
		sp.More, _ = merged(sp.More, more)
		for _, id := range owners {
			if sp.Owners, err = t.withOwner(sp.Owners, id); err != nil {
				return sp.Object, err
			}
		}
		if err := t.enter(sp.Object, sp); err != nil {
			return sp.Object, err
		}
		if err := t.putObject(sp); err != nil {
			return sp.Object, err
		}
		out = *sp
		_, err = t.log(now, change{Op: opCreate, Kind: KindServicePrincipal, Num: sp.Num})
		return sp.Object, err
	})
	return out, err
}

// RegistrationEdit is a change of a registration. Values of More are kept as they are, objects member by member beside what was
// there: whoever writes them has checked them.
type RegistrationEdit struct {
	Props  Props          // what it shares with its service principal
	More   map[string]any // by Graph names; nil removes one
	Roles  []AppRole      // when SetRoles is true
	Owners []string       // added
	// Passwords are added, as NewPassword made them.
	Passwords []Password
	// SetRoles replaces the app roles.
	SetRoles bool
}

func (t *txn) editRegistration(sp *ServicePrincipal, edit RegistrationEdit) (changed []string, err error) {
	if changed, err = apply(KindServicePrincipal, principalTable, sp, edit.Props, new(map[string]any), false); err != nil {
		return nil, err
	}
	if edit.SetRoles {
		if err := checkRoles(edit.Roles); err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(sp.AppRoles, edit.Roles) {
			changed = append(changed, "appRoles")
		}
		sp.AppRoles = edit.Roles
	}
	names := []string(nil)
	sp.Registration, names = merged(sp.Registration, edit.More)
	changed = append(changed, names...)
	if len(sp.Passwords)+len(edit.Passwords) > maxPasswords {
		return nil, tooManyPasswords()
	}
	if len(edit.Passwords) > 0 {
		sp.Passwords = append(slices.Clone(sp.Passwords), edit.Passwords...)
		changed = append(changed, "passwordCredentials")
	}
	for _, id := range edit.Owners {
		if sp.RegistrationOwners, err = t.withOwner(sp.RegistrationOwners, id); err != nil {
			return nil, err
		}
		changed = append(changed, "owners")
	}
	return changed, nil
}

// merged puts values into a copy of a map, objects member by member, and returns the names of those that changed.
func merged(into, edit map[string]any) (out map[string]any, changed []string) {
	out = map[string]any{}
	maps.Copy(out, into)
	for _, name := range sortedKeys(edit) {
		v := edit[name]
		if object, ok := v.(map[string]any); ok {
			before, _ := out[name].(map[string]any)
			v, _ = merged(before, object)
		}
		if !reflect.DeepEqual(out[name], v) {
			changed = append(changed, name)
		}
		if v == nil {
			delete(out, name)
			continue
		}
		out[name] = v
	}
	return out, changed
}

// changePrincipal edits a service principal or its registration, found by find; f returns the names of what it changed.
func (s *Store) changePrincipal(now time.Time, find func(t *txn) (*ServicePrincipal, error), f func(t *txn, sp *ServicePrincipal) ([]string, error)) (ServicePrincipal, error) {
	var out ServicePrincipal
	err := s.write("updated", func(t *txn) (Object, error) {
		sp, err := find(t)
		if err != nil {
			return Object{}, err
		}
		before := *sp
		changed, err := f(t, sp)
		if err != nil {
			return sp.Object, err
		}
		out = *sp
		if len(changed) == 0 {
			return sp.Object, errUnchanged
		}
		if err := t.leave(before.Object, &before); err != nil {
			return sp.Object, err
		}
		if err := t.enter(sp.Object, sp); err != nil {
			return sp.Object, err
		}
		if err := t.putObject(sp); err != nil {
			return sp.Object, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindServicePrincipal, Num: sp.Num, Changed: changed})
		return sp.Object, err
	})
	return out, err
}

func registered(id string) func(t *txn) (*ServicePrincipal, error) {
	return func(t *txn) (*ServicePrincipal, error) { return t.registration(id) }
}

func principal(id string) func(t *txn) (*ServicePrincipal, error) {
	return func(t *txn) (*ServicePrincipal, error) {
		o, err := t.find(id, KindServicePrincipal)
		if err != nil {
			return nil, err
		}
		sp, _, err := load[ServicePrincipal](t, o.Num)
		return sp, err
	}
}

// UpdateRegistration changes a registration, all or nothing; what it shares with its service principal changes there too.
func (s *Store) UpdateRegistration(now time.Time, id string, edit RegistrationEdit) (ServicePrincipal, error) {
	return s.changePrincipal(now, registered(id), func(t *txn, sp *ServicePrincipal) ([]string, error) { return t.editRegistration(sp, edit) })
}

// DeleteRegistration moves a registration without a service principal to deleted items.
func (s *Store) DeleteRegistration(now time.Time, id string) error {
	return s.removeFound(now, func(t *txn) (Object, error) {
		sp, err := t.registration(id)
		if err != nil {
			return Object{}, err
		}
		return sp.Object, nil
	})
}

// Holder names what owners and passwords belong to: a group, a service principal, or a registration.
type Holder struct {
	ID           string
	Registration bool // ID is the object id of a registration
}

func (h Holder) find() func(t *txn) (*ServicePrincipal, error) {
	if h.Registration {
		return registered(h.ID)
	}
	return principal(h.ID)
}

// AddPassword makes a client secret and returns it beside what is kept of it; times that are zero become now and two years
// later (api/application-addpassword.md).
func (s *Store) AddPassword(now time.Time, h Holder, p Password) (Password, string, error) {
	p, secret, err := NewPassword(now, p)
	if err != nil {
		return p, "", err
	}
	p.OfPrincipal = !h.Registration
	_, err = s.changePrincipal(now, h.find(), func(_ *txn, sp *ServicePrincipal) ([]string, error) {
		if len(sp.Passwords) >= maxPasswords {
			return nil, tooManyPasswords()
		}
		sp.Passwords = append(slices.Clone(sp.Passwords), p)
		return []string{"passwordCredentials"}, nil
	})
	return p, secret, err
}

func tooManyPasswords() error {
	return invalid("passwordCredentials", "An application holds at most %d passwords.", maxPasswords)
}

// NewPassword makes a client secret as AddPassword does, for a RegistrationEdit to hold.
func NewPassword(now time.Time, p Password) (Password, string, error) {
	var raw [30]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return p, "", err
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return p, "", err
	}
	secret := base64.RawURLEncoding.EncodeToString(raw[:])
	sum := sha256.Sum256([]byte(secret))
	p.KeyID, p.Hint, p.Hash = id.String(), secret[:3], sum[:]
	if p.Begins.IsZero() {
		p.Begins = now.UTC()
	}
	if p.Ends.IsZero() {
		p.Ends = p.Begins.AddDate(2, 0, 0)
	}
	if !p.Ends.After(p.Begins) {
		return p, "", invalid("endDateTime", "Invalid value specified for property 'endDateTime': it is not behind startDateTime.")
	}
	return p, secret, nil
}

// RemovePassword takes a client secret away by the id of its key (api/application-removepassword.md).
func (s *Store) RemovePassword(now time.Time, h Holder, keyID string) error {
	_, err := s.changePrincipal(now, h.find(), func(_ *txn, sp *ServicePrincipal) ([]string, error) {
		left := slices.DeleteFunc(slices.Clone(sp.Passwords), func(p Password) bool {
			return p.OfPrincipal != h.Registration && strings.EqualFold(p.KeyID, keyID)
		})
		if len(left) == len(sp.Passwords) {
			return nil, invalid("keyId", "No password credential found with keyId '%s'.", keyID)
		}
		sp.Passwords = left
		return []string{"passwordCredentials"}, nil
	})
	return err
}

// Knows reports whether a secret is one of the application's, and good at the time.
func (sp *ServicePrincipal) Knows(secret string, now time.Time) bool {
	sum := sha256.Sum256([]byte(secret))
	ok := false
	for _, p := range sp.Passwords {
		same := subtle.ConstantTimeCompare(sum[:], p.Hash) == 1
		ok = ok || same && !now.Before(p.Begins) && now.Before(p.Ends)
	}
	return ok
}

// withOwner adds an owner, a live user or service principal, to a list.
func (t *txn) withOwner(list []uint64, id string) ([]uint64, error) {
	o, err := t.find(id, KindUser, KindServicePrincipal)
	if err != nil {
		return nil, err
	}
	if slices.Contains(list, o.Num) {
		return nil, &Error{Code: Conflict, Property: "owners",
			Message: "One or more added object references already exist for the following modified properties: 'owners'."}
	}
	if list = t.living(list); len(list) >= maxOwners {
		return nil, invalid("owners", "An object has at most %d owners.", maxOwners)
	}
	return append(list, o.Num), nil
}

// living copies a list of owners without those that are gone for good.
func (t *txn) living(list []uint64) []uint64 {
	return slices.DeleteFunc(slices.Clone(list), func(n uint64) bool {
		data := t.in(bucketObjects).Get(key(n))
		return len(data) < frame || State(data[1]) == Purged
	})
}

func (t *txn) withoutOwner(list []uint64, id string) ([]uint64, error) {
	o, err := t.find(id, KindUser, KindServicePrincipal)
	if err != nil {
		return nil, err
	}
	i := slices.Index(list, o.Num)
	if i < 0 {
		return nil, invalid("owners", "One or more removed object references do not exist for the following modified properties: 'owners'.")
	}
	return slices.Delete(slices.Clone(list), i, i+1), nil
}

// AddOwner gives an object an owner: a user or a service principal (api/group-post-owners.md, api/application-post-owners.md).
func (s *Store) AddOwner(now time.Time, h Holder, owner string) error {
	return s.changeOwners(now, h, func(t *txn, list []uint64, _ bool) ([]uint64, error) { return t.withOwner(list, owner) })
}

// RemoveOwner takes an owner away. The last user that owns a group stays (api/group-delete-owners.md).
func (s *Store) RemoveOwner(now time.Time, h Holder, owner string) error {
	return s.changeOwners(now, h, func(t *txn, list []uint64, group bool) ([]uint64, error) {
		left, err := t.withoutOwner(list, owner)
		if err != nil || !group {
			return left, err
		}
		if o, err := t.find(owner); err != nil || o.Kind != KindUser {
			return left, err
		}
		for _, n := range left {
			if o, ok, err := t.object(n); err != nil || ok && o.State == Live && o.Kind == KindUser {
				return left, err
			}
		}
		return nil, invalid("owners", "The group must have at least one owner, hence this owner cannot be removed.")
	})
}

func (s *Store) changeOwners(now time.Time, h Holder, f func(t *txn, list []uint64, group bool) ([]uint64, error)) error {
	if !h.Registration {
		o, err := s.Object(h.ID)
		if err != nil {
			return err
		}
		if o.Kind == KindGroup {
			return s.changeGroupOwners(now, h.ID, f)
		}
	}
	_, err := s.changePrincipal(now, h.find(), func(t *txn, sp *ServicePrincipal) (_ []string, err error) {
		list := &sp.Owners
		if h.Registration {
			list = &sp.RegistrationOwners
		}
		*list, err = f(t, *list, false)
		return []string{"owners"}, err
	})
	return err
}

func (s *Store) changeGroupOwners(now time.Time, id string, f func(t *txn, list []uint64, group bool) ([]uint64, error)) error {
	return s.write("updated", func(t *txn) (Object, error) {
		o, err := t.find(id, KindGroup)
		if err != nil {
			return o, err
		}
		g, _, err := load[Group](t, o.Num)
		if err != nil {
			return o, err
		}
		if g.Owners, err = f(t, g.Owners, true); err != nil {
			return o, err
		}
		if err := t.putObject(g); err != nil {
			return o, err
		}
		_, err = t.log(now, change{Op: opUpdate, Kind: KindGroup, Num: o.Num, Changed: []string{"owners"}})
		return o, err
	})
}

// Owners lists the live owners of an object.
func (s *Store) Owners(h Holder) (list []Object, err error) {
	err = s.read(func(t *txn) error {
		nums, err := t.ownersOf(h)
		if err != nil {
			return err
		}
		for _, n := range nums {
			o, ok, err := t.object(n)
			if err != nil {
				return err
			}
			if ok && o.State == Live {
				list = append(list, o)
			}
		}
		return nil
	})
	return list, err
}

func (t *txn) ownersOf(h Holder) ([]uint64, error) {
	if h.Registration {
		sp, err := t.registration(h.ID)
		if err != nil {
			return nil, err
		}
		return sp.RegistrationOwners, nil
	}
	o, err := t.find(h.ID, KindGroup, KindServicePrincipal)
	if err != nil {
		return nil, err
	}
	v, err := t.whole(o)
	switch x := v.(type) {
	case *Group:
		return x.Owners, err
	case *ServicePrincipal:
		return x.Owners, err
	}
	return nil, fmt.Errorf("data file: object %d is a %T: %w", o.Num, v, err)
}
