package scenarios

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"entrasim/sim/scim"
)

// wanted is a name that a scenario is going to use at the target.
type wanted struct{ path, attribute, value string }

// wantedNames lists the names that the file's objects have, so far as they follow from the file.
func (s *Scenario) wantedNames() []wanted {
	var list []wanted
	domain := s.Tenant.Domain
	if domain == "" {
		domain = "contoso.example"
	}
	account := func(o Objects, property string) {
		for _, e := range o {
			name, _ := userDefaults(e.Key, domain)["userPrincipalName"].(string)
			if v, ok := e.Value.Get(property); ok {
				name, _ = v.Data.(string)
			}
			list = append(list, wanted{"/Users", "userName", name})
		}
	}
	team := func(o Objects) {
		for _, e := range o {
			name := displayName(e.Key)
			if v, ok := e.Value.Get("displayName"); ok {
				name, _ = v.Data.(string)
			}
			list = append(list, wanted{"/Groups", "displayName", name})
		}
	}
	account(s.Tenant.Users, "userPrincipalName")
	team(s.Tenant.Groups)
	account(s.Target.Users, "userName")
	team(s.Target.Groups)
	for _, st := range s.Steps {
		if st.Create != nil {
			account(st.Create.Users, "userPrincipalName")
			team(st.Create.Groups)
		}
		if st.Target != nil && st.Target.Create != nil {
			account(st.Target.Create.Users, "userName")
			team(st.Target.Create.Groups)
		}
		for _, e := range st.Update {
			if v, ok := e.Value.Get("userPrincipalName"); ok {
				name, _ := v.Data.(string)
				list = append(list, wanted{"/Users", "userName", name})
			}
			if v, ok := e.Value.Get("displayName"); ok && s.kinds[e.Key] == group {
				name, _ := v.Data.(string)
				list = append(list, wanted{"/Groups", "displayName", name})
			}
		}
	}
	return list
}

// chooseMark decides what stands before names at a foreign target: nothing, unless it has objects of these names already,
// which would then be taken for ours. Another mark gives the run other ids as well.
func (p *Player) chooseMark(ctx context.Context) (string, error) {
	mark := p.opt.Mark
	switch mark {
	case "none":
		return "", nil
	case "", "auto":
		w := &world{base: "http://target.test", token: p.target.Token, client: http.DefaultClient}
		if p.target.URL != "" {
			ep, err := scim.ParseTenantURL(p.target.URL)
			if err != nil {
				return "", err
			}
			w.base = ep.Base
		} else {
			return p.seeded(""), nil // a handler within a test is the test's own to prepare
		}
		free := true
		for _, n := range p.scenario.wantedNames() {
			doc, err := (&Player{world: w}).byName(ctx, n.path, n.attribute, n.value)
			if err != nil {
				return "", fmt.Errorf("the target %s does not answer: %w", w.base, err)
			}
			free = free && doc == nil
		}
		if free {
			return "", nil
		}
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return "", err
		}
		mark = fmt.Sprintf("run%05x.", binary.BigEndian.Uint64(b[:])&0xfffff)
	}
	return p.seeded(mark), nil
}

// seeded gives the run ids of its own when it has a mark.
func (p *Player) seeded(mark string) string {
	for _, r := range mark {
		p.seed = p.seed*31 + int64(r)
	}
	return mark
}

// cleanUp deletes at the target what this run made and nothing else; groups go before their members. It returns what it
// could not delete.
func (p *Player) cleanUp(ctx context.Context) (left []string) {
	paths := sorted(p.made)
	paths = append(paths, p.lost(ctx)...)
	sort.SliceStable(paths, func(i, k int) bool {
		return strings.HasPrefix(paths[i], "/Groups") && !strings.HasPrefix(paths[k], "/Groups")
	})
	for _, path := range paths {
		status, _, err := p.world.call(ctx, http.MethodDelete, escapePath(path), nil, nil)
		switch {
		case err != nil:
			left = append(left, fmt.Sprintf("%s: %v", path, err))
		case status >= 300 && status != http.StatusNotFound && status != http.StatusGone:
			left = append(left, fmt.Sprintf("%s: DELETE answered %d", path, status))
		}
	}
	return left
}

// lost finds what a POST made whose answer did not say the id: under the name that was posted, with the externalId that
// only this run gives.
func (p *Player) lost(ctx context.Context) (paths []string) {
	for _, x := range p.result.Exchanges() {
		if x.Method != http.MethodPost || accountIn(x) != "" || x.Status >= 400 && x.Status < 500 {
			continue
		}
		u, err := url.Parse(x.URL)
		s := p.names.sent(x)
		doc, ok := s.Body.(map[string]any)
		if err != nil || !ok {
			continue
		}
		attribute := "userName"
		if strings.HasSuffix(u.Path, "/Groups") {
			attribute = "displayName"
		}
		name, _ := doc[attribute].(string)
		found, err := p.byName(ctx, s.Path, attribute, p.names.mark+name)
		if err != nil || found == nil {
			continue
		}
		id, _ := found["id"].(string)
		external, _ := found["externalId"].(string)
		if id != "" && !p.made[s.Path+"/"+id] && external != "" && strings.Contains(x.RequestBody, external) {
			paths = append(paths, s.Path+"/"+id)
		}
	}
	return paths
}
