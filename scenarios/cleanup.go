package scenarios

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// wanted is a name that a scenario is going to use at the target.
type wanted struct{ path, attribute, value string }

// domain is the tenant's.
func (s *Scenario) domain() string {
	if s.Tenant.Domain == "" {
		return "contoso.example"
	}
	return s.Tenant.Domain
}

// wantedNames lists the names that the file's objects have, so far as they follow from the file.
func (s *Scenario) wantedNames() []wanted {
	var list []wanted
	domain := s.domain()
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
		for _, n := range append(p.scenario.wantedNames(), p.generatedNames()...) {
			if !free {
				break
			}
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

// generatedNames lists the names of the company that is going to be generated, groups first: they are fewer.
func (p *Player) generatedNames() (list []wanted) {
	users, groups := p.scenario.generated(p.opt.Seed)
	for _, g := range groups {
		list = append(list, wanted{"/Groups", "displayName", g.DisplayName})
	}
	for _, u := range users {
		list = append(list, wanted{"/Users", "userName", u.UserPrincipalName})
	}
	return list
}

// company lists who and what is in a directory.
func company(dir *directory.Store) (users []directory.User, groups []directory.Group, err error) {
	for q := (directory.Query{Limit: 999}); ; {
		page, err := dir.Users(q)
		if err != nil {
			return nil, nil, err
		}
		users = append(users, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for q := (directory.Query{Limit: 999}); ; {
		page, err := dir.Groups(q)
		if err != nil {
			return nil, nil, err
		}
		groups = append(groups, page.Items...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return users, groups, nil
		}
	}
}

// markGenerated puts the run's mark before the names of a generated company.
func (p *Player) markGenerated() error {
	if p.names.mark == "" {
		return nil
	}
	w, now := p.world, p.world.clock.Now()
	users, groups, err := company(w.dir)
	if err != nil {
		return err
	}
	for _, u := range users {
		props := directory.Props{"userPrincipalName": u.UserPrincipalName, "mailNickname": u.MailNickname, "mail": u.Mail}
		if _, err := w.dir.UpdateUser(now, u.ID, p.marked(props, false)); err != nil {
			return err
		}
	}
	for _, g := range groups {
		props := directory.Props{"displayName": g.DisplayName, "mailNickname": g.MailNickname}
		if _, err := w.dir.UpdateGroup(now, g.ID, p.marked(props, true)); err != nil {
			return err
		}
	}
	return nil
}

// seeded gives the run ids of its own when it has a mark.
func (p *Player) seeded(mark string) string {
	for _, r := range mark {
		p.seed = p.seed*31 + int64(r)
	}
	return mark
}

const (
	// patience is how long one answer may take while a run cleans up; hurry the same once somebody wants it to end.
	patience = 30 * time.Second
	hurry    = 5 * time.Second
	// silences is after how many requests in a row without an answer the rest is not tried.
	silences = 2
	// tries is how often a target that is busy is asked to delete one object.
	tries = 4
)

// janitor cleans up at a target, and gives up on one that does not answer any more.
type janitor struct {
	*Player
	limit  time.Duration
	silent int
}

// cleanUp deletes at the target what this run made and nothing else; groups go before their members. It returns what it
// could not delete.
func (p *Player) cleanUp(ctx context.Context) (left []string) {
	j := &janitor{Player: p, limit: patience}
	if ctx.Err() != nil {
		if j.limit = p.opt.hurry; j.limit == 0 {
			j.limit = hurry
		}
	}
	ctx = context.WithoutCancel(ctx)
	paths := sorted(p.made)
	lost, doubts := j.lost(ctx)
	paths = append(paths, lost...)
	sort.SliceStable(paths, func(i, k int) bool {
		return strings.HasPrefix(paths[i], "/Groups") && !strings.HasPrefix(paths[k], "/Groups")
	})
	for _, path := range paths {
		if why := j.remove(ctx, path); why != "" {
			left = append(left, j.spoken(path)+": "+why)
		}
	}
	return append(left, doubts...)
}

// gone reports whether the target has stopped to answer.
func (j *janitor) gone() bool { return j.silent >= silences }

// answered notes whether an answer came.
func (j *janitor) answered(err error) {
	if j.silent++; err == nil {
		j.silent = 0
	}
}

// remove deletes one object and says why it could not. A target that is busy is asked again.
func (j *janitor) remove(ctx context.Context, path string) string {
	for try := 1; ; try++ {
		if j.gone() {
			return "not tried: the target gives no answers"
		}
		status, wait, err := j.delete(ctx, path)
		j.answered(err)
		switch {
		case err != nil:
			return err.Error()
		case status < 300 || status == http.StatusNotFound || status == http.StatusGone:
			return ""
		case status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable || try == tries:
			return fmt.Sprintf("DELETE answered %d", status)
		}
		if err := j.world.clock.Wait(ctx, min(wait, j.limit)); err != nil {
			return err.Error()
		}
	}
}

// delete sends one request; wait is how long the target asks to wait, a second when it does not say.
func (j *janitor) delete(ctx context.Context, path string) (status int, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, j.limit)
	defer cancel()
	req, err := j.world.request(ctx, http.MethodDelete, escapePath(path), nil, nil)
	if err != nil {
		return 0, 0, err
	}
	status, header, _, err := j.world.answer(req)
	wait = time.Second
	if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil && s >= 0 {
		wait = time.Duration(min(s, 3600)) * time.Second
	}
	return status, wait, err
}

// lost finds what a POST made whose answer did not say the id: under the name that was posted, with the externalId that
// only this run gives. doubts are names of which nobody can tell whether the run made what bears them.
func (j *janitor) lost(ctx context.Context) (paths, doubts []string) {
	for _, x := range j.result.Exchanges() {
		if x.Method != http.MethodPost || accountIn(x) != "" || x.Status >= 400 && x.Status < 500 {
			continue
		}
		u, err := url.Parse(x.URL)
		s := j.names.sent(x)
		doc, ok := s.Body.(map[string]any)
		if err != nil || !ok {
			continue
		}
		attribute := "userName"
		if strings.HasSuffix(u.Path, "/Groups") {
			attribute = "displayName"
		}
		name, _ := doc[attribute].(string)
		name = j.names.mark + name
		doubt := func(text string) {
			if text = fmt.Sprintf("%s %q: its POST had no answer with an id, and %s", s.Path, name, text); !slices.Contains(doubts, text) {
				doubts = append(doubts, text)
			}
		}
		if j.gone() {
			doubt("the target gives no answers, so that it may be there")
			continue
		}
		limited, cancel := context.WithTimeout(ctx, j.limit)
		found, err := j.byName(limited, s.Path, attribute, name)
		cancel()
		j.answered(err)
		if err != nil {
			doubt("it may be there: " + err.Error())
			continue
		}
		id, _ := found["id"].(string)
		path := s.Path + "/" + id
		external, _ := found["externalId"].(string)
		why := j.foreign(path, x.ID, 0, found)
		switch {
		case found == nil || j.made[path] || slices.Contains(paths, path):
		case why != "":
			doubt("what bears the name, " + id + ", is left alone: " + why)
		case id != "" && external != "" && strings.Contains(x.RequestBody, external):
			j.called[path] = name
			paths = append(paths, path)
		default:
			doubt("something of that name is there" + strings.TrimSuffix(" as "+id, " as ") + "; whether this run made it can't be told, as it has another externalId or none")
		}
	}
	return paths, doubts
}
