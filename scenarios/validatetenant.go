package scenarios

import (
	"fmt"
	"slices"
	"strings"
)

// find looks for the handles of the company that a seed makes.
func (c *checker) find(seed int64) {
	if len(c.s.Tenant.Handles) == 0 || c.s.Tenant.Generate == nil {
		return
	}
	users, groups := c.s.generated(seed)
	var people, teams []string
	for _, u := range users {
		people = append(people, u.UserPrincipalName, u.DisplayName)
	}
	for _, g := range groups {
		teams = append(teams, g.DisplayName)
	}
	for _, h := range c.s.Tenant.Handles {
		if u := h.Value.User; u != "" && !slices.Contains(people, u) {
			c.at(c.under(h.Value.At, "user"), fmt.Sprintf("the generated company has no user %q", u), nearest(u, people))
		}
		if g := h.Value.Group; g != "" && !slices.Contains(teams, g) {
			c.at(c.under(h.Value.At, "group"), fmt.Sprintf("the generated company has no group %q", g), nearest(g, teams))
		}
	}
}

// Lacks lists the handles that mean nobody in the company that a run's seed makes.
func (s *Scenario) Lacks(seed int64) Problems {
	c := &checker{decoder: &decoder{file: s.Path, source: s.source}, s: s}
	c.find(seed)
	return c.problems
}

// unique checks that no two users have one user principal name.
func (c *checker) unique(users Objects) {
	first := map[string]string{}
	for _, e := range users {
		name, _ := userDefaults(e.Key, c.s.domain())["userPrincipalName"].(string)
		at := e.At
		if v, ok := e.Value.Get("userPrincipalName"); ok {
			name, _ = v.Data.(string)
			at = v.At
		}
		key := strings.ToLower(name)
		if other := first[key]; other != "" && key != "" {
			c.at(at, fmt.Sprintf("%s and %s have one userPrincipalName, %s", other, e.Key, name), "")
		}
		first[key] = e.Key
	}
}
