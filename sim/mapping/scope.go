package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// Filters lists the scoping filters of a mapping: one title with its clauses each.
func (s *Schema) Filters(kind string) []FilterGroup {
	if m := s.ObjectMapping(kind); m != nil && m.Scope != nil {
		return m.Scope.Groups
	}
	return nil
}

// PutFilter adds a scoping filter, or replaces the one whose title is given, in its place. Clauses are ANDed, filters are
// ORed (define-conditional-rules-for-provisioning-user-accounts.md).
func (s *Schema) PutFilter(kind, replaces string, g FilterGroup) error {
	g.Name = strings.TrimSpace(g.Name)
	switch {
	case g.Name == "":
		return &Problem{Field: "title", Message: "The scoping filter needs a title; it stands in the log when an object does not pass."}
	case len(g.Clauses) == 0:
		return &Problem{Field: "clauses", Message: "The scoping filter has no clause; add one, or delete the filter."}
	}
	return s.editScope(kind, func(f *FilterDocument) error {
		at := -1
		if replaces != "" {
			if at = filterIndex(f.Groups, replaces); at < 0 {
				return noFilter(replaces)
			}
		}
		if other := filterIndex(f.Groups, g.Name); other >= 0 && other != at {
			return &Problem{Field: "title", Message: fmt.Sprintf("There is a scoping filter %q already; choose another title.", g.Name)}
		}
		if at < 0 {
			f.Groups = append(f.Groups, g)
			return nil
		}
		if g.shape.members == nil {
			g.shape = f.Groups[at].shape
		}
		f.Groups[at] = g
		return nil
	})
}

// RemoveFilter deletes a scoping filter. Without filters everybody passes.
func (s *Schema) RemoveFilter(kind, title string) error {
	return s.editScope(kind, func(f *FilterDocument) error {
		at := filterIndex(f.Groups, title)
		if at < 0 {
			return noFilter(title)
		}
		f.Groups = slices.Delete(f.Groups, at, at+1)
		return nil
	})
}

// SetScope replaces the whole filter of a mapping; nil takes it away.
func (s *Schema) SetScope(kind string, f *FilterDocument) error {
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		m.Scope = f
		return nil
	})
}

func filterIndex(groups []FilterGroup, title string) int {
	return slices.IndexFunc(groups, func(g FilterGroup) bool { return g.Name == title })
}

func noFilter(title string) error {
	return &Problem{Field: "title", Message: fmt.Sprintf("There is no scoping filter %q any more; add a new one.", title)}
}

// editScope changes a copy of a mapping's filter. One that holds nothing any more becomes null.
func (s *Schema) editScope(kind string, change func(f *FilterDocument) error) error {
	return s.edit(kind, func(m *ObjectMappingDocument) error {
		f := FilterDocument{}
		if m.Scope != nil {
			f = *m.Scope
			f.Groups = slices.Clone(f.Groups)
		}
		if err := change(&f); err != nil {
			return err
		}
		m.Scope = &f
		if len(f.Groups)+len(f.InputFilterGroups)+len(f.CategoryFilterGroups) == 0 {
			m.Scope = nil
		}
		return nil
	})
}

// FilterAttributes lists the built-in source attributes that scoping filters of a mapping may use.
func FilterAttributes(kind string) (names []string) {
	for _, a := range namesOf(kind).list {
		if !a.multi && a.typ != Reference && a.typ != DateTime && !slices.Contains([]string{"userType", "appRoleAssignments", "members", "manager"}, a.name) {
			names = append(names, a.name)
		}
	}
	return names
}
