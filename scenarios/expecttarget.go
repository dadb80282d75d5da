package scenarios

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// held compares what the target holds.
func (p *Player) held(ctx context.Context, e Held) ([]Check, error) {
	var checks []Check
	for _, x := range e {
		c := Check{At: x.Value.At, What: "target " + x.Key, Verdict: Passed}
		var err error
		switch {
		case x.Key == "users" || x.Key == "groups":
			err = p.heldCount(ctx, x, &c)
		default:
			err = p.heldObject(ctx, x, &c)
		}
		if err != nil {
			return checks, fmt.Errorf("target %s: %w", x.Key, err)
		}
		checks = append(checks, c)
	}
	return checks, nil
}

// heldCount compares how many there are: all of the embedded target, what this run made elsewhere.
func (p *Player) heldCount(ctx context.Context, x Entry[Value], c *Check) error {
	want, _ := x.Value.Data.(float64)
	have := 0
	if p.world.target != nil {
		users, groups := p.world.target.Store(embeddedStore).Counts()
		have = map[string]int{"users": users, "groups": groups}[x.Key]
	} else {
		prefix := "/" + capital(x.Key) + "/"
		for _, path := range sorted(p.made) {
			if !strings.HasPrefix(path, prefix) {
				continue
			}
			status, _, err := p.world.call(ctx, http.MethodGet, escapePath(path), nil, nil)
			if err != nil {
				return err
			}
			if status == http.StatusOK {
				have++
			}
		}
	}
	if have != int(want) {
		c.differs(fmt.Sprintf("%d %s", int(want), x.Key), strconv.Itoa(have))
		c.fix = func() []edit { return []edit{replace(x.Value.node, strconv.Itoa(have))} }
	}
	return nil
}

func escapePath(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:i+1] + url.PathEscape(path[i+1:])
}

// heldObject compares one account or group.
func (p *Player) heldObject(ctx context.Context, x Entry[Value], c *Check) error {
	doc, err := p.lookUp(ctx, x.Key)
	if err != nil {
		return err
	}
	if x.Value.Data == "absent" {
		if doc != nil {
			c.differs(x.Key+" to be absent", show(p.names.value(doc, "")))
		}
		return nil
	}
	if doc == nil {
		c.differs(x.Key+" to be there", "nothing")
		c.fix = func() []edit { return []edit{replace(x.Value.node, "absent")} }
		return nil
	}
	seen, _ := p.names.value(doc, "").(map[string]any)
	want, _ := x.Value.Data.(map[string]any)
	rest := map[string]any{}
	for k, v := range want {
		if k != "members" {
			rest[k] = v
		}
	}
	if list := p.match.subset(rest, seen, false, "", maxPlaces+1); len(list) > 0 {
		c.Verdict, c.Message = Failed, list[0].String()
		for i, d := range list {
			if i == maxPlaces {
				c.Diff = append(c.Diff, Delta{' ', "… and more"})
				break
			}
			c.Diff = append(c.Diff, Delta{'-', d.path + ": " + d.want}, Delta{'+', d.path + ": " + d.seen})
		}
		c.fix = func() []edit { return p.match.fixValues(x.Value.node, seen) }
	}
	if members, ok := want["members"]; ok {
		p.heldMembers(handlesIn(members), seen, x, c)
	}
	return nil
}

// heldMembers compares the members of a group, in whatever order.
func (p *Player) heldMembers(want []string, seen map[string]any, x Entry[Value], c *Check) {
	var have, expected []string
	list, _ := seen["members"].([]any)
	for _, m := range list {
		if o, ok := m.(map[string]any); ok {
			text, _ := o["value"].(string)
			have = append(have, strings.Trim(text, "{}"))
		}
	}
	for _, h := range want {
		text, _ := p.resolve(h)
		if text == "" {
			text = h
		}
		expected = append(expected, strings.Trim(text, "{}"))
	}
	slices.Sort(have)
	slices.Sort(expected)
	if !slices.Equal(have, expected) {
		before := *c
		c.differs("members "+listed(expected), listed(have))
		if before.Verdict == Failed { // attributes differ as well
			c.Message, c.Diff = before.Message, append(before.Diff, c.Diff...)
		}
		for _, e := range x.Value.node.Content {
			if e.Value == "members" {
				c.At = posOf(e)
			}
		}
		c.fix = func() []edit {
			edits := fixMember(x.Value.node, have)
			if before.fix != nil {
				edits = append(before.fix(), edits...)
			}
			return edits
		}
	}
}

// lookUp reads an account or group: by its id, else by its name; nil when there is none.
func (p *Player) lookUp(ctx context.Context, handle string) (map[string]any, error) {
	path := "/" + p.scenario.kinds[handle] + "s"
	if id := p.names.accounts[handle]; id != "" {
		status, doc, err := p.world.call(ctx, http.MethodGet, path+"/"+url.PathEscape(id), nil, nil)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return doc, nil
		case status == http.StatusNotFound || status == http.StatusGone:
			return nil, nil
		}
		return nil, fmt.Errorf("GET %s/%s answered %d %s", path, id, status, show(doc))
	}
	attribute, value := "userName", ""
	if u, err := p.world.dir.User(p.names.objects[handle]); err == nil {
		value = u.UserPrincipalName
	} else if g, err := p.world.dir.Group(p.names.objects[handle]); err == nil {
		attribute, value = "displayName", g.DisplayName
	}
	if value == "" {
		return nil, nil
	}
	return p.byName(ctx, path, attribute, value)
}

// byName finds the first resource with a name; nil when there is none.
func (p *Player) byName(ctx context.Context, path, attribute, value string) (map[string]any, error) {
	status, doc, err := p.world.call(ctx, http.MethodGet, path, url.Values{"filter": {attribute + ` eq "` + value + `"`}}, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, nil // a target that does not answer queries holds nothing that can be named
	}
	list, _ := doc["Resources"].([]any)
	for _, r := range list {
		if m, ok := r.(map[string]any); ok {
			if have, _ := m[attribute].(string); strings.EqualFold(have, value) {
				return m, nil
			}
		}
	}
	return nil, nil
}
