package sim

import (
	"fmt"
	"slices"
	"strings"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// OwnURL is the address of this program's own listener, "" when there is none.
func (s *Service) OwnURL() string { return s.selfURL() }

// Difference is an attribute whose wish and state are not the same.
type Difference struct{ Name, Want, Have string }

// Comparison is a target object beside what the directory wishes it to be.
type Comparison struct {
	Linked      bool
	ObjectID    string
	State       LinkState
	Differences []Difference
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
	have, err := scim.ParseResource(resource)
	if err != nil {
		return out, err
	}
	j.mu.Lock()
	m := mappingOf(j.set, k)
	j.mu.Unlock()
	if m == nil || link.State == LinkUnmanaged {
		return out, nil
	}
	for i, a := range m.Attributes {
		if i >= len(p.Attributes) || !p.Attributes[i].Present || a.CreateOnly || !p.InScope && !a.ReadsSoftDeleted {
			continue
		}
		w := scim.Attribute{Path: a.Target, Type: wireType[a.Type], Multi: a.Multi, Value: p.Attributes[i].Text}
		if len(p.Attributes[i].List) > 0 {
			w.Value = p.Attributes[i].List
		}
		if text, _, equal := scim.Differs(have, w, a.CaseExact); !equal {
			out.Differences = append(out.Differences, Difference{a.Target, p.Attributes[i].Text, text})
		}
	}
	if target := referenceOf(m, "manager"); target != "" && p.InScope && p.Manager != have.Manager() {
		out.Differences = append(out.Differences, Difference{target, p.Manager, have.Manager()})
	}
	if referenceOf(m, "members") != "" {
		missing, surplus := 0, 0
		for _, id := range p.Members {
			if !slices.Contains(members, id) {
				missing++
			}
		}
		for _, id := range members {
			if !slices.Contains(p.Members, id) {
				surplus++
			}
		}
		if missing+surplus > 0 {
			out.Differences = append(out.Differences, Difference{"members", strings.TrimSpace(plural(len(p.Members), "member")), fmt.Sprintf("%s, %d missing, %d more", plural(len(members), "member"), missing, surplus)})
		}
	}
	return out, nil
}
