package sim

import (
	"fmt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// OwnURL is the address of this program's own listener, "" when there is none.
func (s *Service) OwnURL() string { return s.selfURL() }

// Compared is one mapped attribute: what the directory wishes it to be and what the target holds, as text. An attribute of
// which nothing is asked (it applies only during creation, or yields no value) is the Same whatever the target holds.
type Compared struct {
	Name, Want, Have string
	Same             bool
}

// Comparison is a target object beside what the directory wishes it to be.
type Comparison struct {
	Linked     bool
	ObjectID   string
	Name       string // in the directory
	State      LinkState
	InScope    bool
	Attributes []Compared
	Wish       string // JSON of the body that a create would send
	Error      string // why the mapping failed
}

// Differences lists the attributes whose wish and state are not the same.
func (c Comparison) Differences() (list []Compared) {
	for _, a := range c.Attributes {
		if !a.Same {
			list = append(list, a)
		}
	}
	return list
}

// CompareTarget compares an object of a target, given as its JSON, with what an application's mappings want of the object
// that it stands for. Of one that is out of scope only what tells the loss of scope is compared.
func (s *Service) CompareTarget(appID, kind, targetID string, resource []byte, members []string) (out Comparison, err error) {
	j, err := s.job(appID)
	if err != nil {
		return out, err
	}
	k := directory.KindUser
	if kind == "Group" {
		k = directory.KindGroup
	}
	var link *Link
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		n := anchorOwner(b, k, targetID)
		if n == 0 {
			return nil
		}
		o, ok := r.Object(n)
		if !ok {
			return nil
		}
		out.Linked, out.ObjectID = true, o.ID
		link, err = getLink(b, n)
		return err
	})
	if err != nil || link == nil {
		return out, err
	}
	out.State = link.State
	p, err := s.Preview(appID, out.ObjectID)
	if err != nil {
		return out, err
	}
	out.Name, out.InScope, out.Wish, out.Error = p.Name, p.InScope, p.Create, p.Error
	have, err := scim.ParseResource(resourceType(k), resource)
	if err != nil {
		return out, err
	}
	j.mu.Lock()
	m := mappingOf(j.set, k)
	j.mu.Unlock()
	if m == nil || p.Error != "" {
		return out, nil
	}
	for i, a := range m.Attributes {
		if i < len(p.Attributes) {
			asked := p.Attributes[i].Present && !a.CreateOnly && link.State != LinkUnmanaged && (p.InScope || a.ReadsSoftDeleted)
			out.Attributes = append(out.Attributes, compareAttribute(a, p.Attributes[i], have, asked))
		}
	}
	asked := p.InScope && link.State != LinkUnmanaged
	if target := referenceOf(m, "manager"); target != "" {
		out.Attributes = append(out.Attributes, Compared{target, p.Manager, have.Manager(), !asked || p.Manager == have.Manager()})
	}
	if target := referenceOf(m, "members"); target != "" {
		out.Attributes = append(out.Attributes, compareMembers(target, p.Members, members, link.State != LinkUnmanaged))
	}
	return out, nil
}

func compareAttribute(a *mapping.Attribute, want Wanted, have *scim.Resource, asked bool) Compared {
	text, _, equal := scim.Differs(have, want.value, a.CaseExact)
	return Compared{a.Target, want.Text, text, equal || !asked}
}

func compareMembers(target string, want, have []string, asked bool) Compared {
	wanted := make(map[string]bool, len(want))
	for _, id := range want {
		wanted[id] = true
	}
	surplus := 0
	for _, id := range have {
		if !wanted[id] {
			surplus++
		}
	}
	missing := len(want) - (len(have) - surplus)
	c := Compared{target, plural(len(want), "member"), plural(len(have), "member"), missing+surplus == 0 || !asked}
	if !c.Same {
		c.Have = fmt.Sprintf("%s, %d missing, %d more", c.Have, missing, surplus)
	}
	return c
}
