package main

import (
	"fmt"

	"github.com/brianvoe/gofakeit/v6"

	"entrasim/directory"
	"entrasim/sim/clock"
)

// editor makes random edits of every kind: the same seed makes the same ones.
type editor struct {
	dir     *directory.Store
	clock   *clock.Clock
	seed    int64
	faker   *gofakeit.Faker
	users   []string
	groups  []string
	deleted []string
	made    int
}

// run makes n edits and returns how many of each kind.
func (e *editor) run(n int) (map[string]int, error) {
	e.faker = gofakeit.New(e.seed*2 + 7)
	if err := e.read(); err != nil {
		return nil, err
	}
	done := map[string]int{}
	kinds := []string{"name", "title", "department", "mail", "phone", "userPrincipalName", "manager", "disable", "enable", "soft delete", "restore",
		"permanent delete", "member added", "member removed", "group created", "group renamed", "group deleted"}
	for i := 0; len(done) == 0 || i < n; i++ {
		kind := kinds[e.faker.IntRange(0, len(kinds)-1)]
		if i < len(kinds) {
			kind = kinds[i] // each kind at least once
		}
		ok, err := e.edit(kind)
		if err != nil {
			return nil, fmt.Errorf("edit %q: %w", kind, err)
		}
		if ok {
			done[kind]++
		} else {
			done["impossible"]++
		}
		if i+1 >= n {
			break
		}
	}
	return done, nil
}

func (e *editor) read() error {
	q := directory.Query{Limit: 999}
	for {
		page, err := e.dir.Users(q)
		if err != nil {
			return err
		}
		for _, u := range page.Items {
			e.users = append(e.users, u.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	for {
		page, err := e.dir.Groups(q)
		if err != nil {
			return err
		}
		for _, g := range page.Items {
			e.groups = append(e.groups, g.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (e *editor) pick(list []string) (string, bool) {
	if len(list) == 0 {
		return "", false
	}
	return list[e.faker.IntRange(0, len(list)-1)], true
}

func without(list []string, id string) []string {
	var out []string
	for _, x := range list {
		if x != id {
			out = append(out, x)
		}
	}
	return out
}

// edit makes one edit; ok is false when there is nothing that it could be made on.
func (e *editor) edit(kind string) (ok bool, err error) {
	e.made++
	now, n := e.clock.Now(), e.made
	user, hasUser := e.pick(e.users)
	group, hasGroup := e.pick(e.groups)
	set := func(p directory.Props) (bool, error) {
		if !hasUser {
			return false, nil
		}
		_, err := e.dir.UpdateUser(now, user, p)
		return true, err
	}
	switch kind {
	case "name":
		given, surname := e.faker.FirstName(), e.faker.LastName()
		return set(directory.Props{"givenName": given, "surname": surname, "displayName": given + " " + surname})
	case "title":
		return set(directory.Props{"jobTitle": fmt.Sprintf("Specialist %d", n)})
	case "department":
		return set(directory.Props{"department": fmt.Sprintf("Department %d", n)})
	case "mail":
		return set(directory.Props{"mail": fmt.Sprintf("mail%d@contoso.example", n)})
	case "phone":
		return set(directory.Props{"mobilePhone": fmt.Sprintf("+1 206 555 %04d", n)})
	case "userPrincipalName":
		return set(directory.Props{"userPrincipalName": fmt.Sprintf("renamed%d@contoso.example", n)})
	case "manager":
		boss, _ := e.pick(e.users)
		if boss == user {
			return false, nil
		}
		return set(directory.Props{"manager": boss})
	case "disable", "enable":
		return set(directory.Props{"accountEnabled": kind == "enable"})
	case "soft delete":
		if !hasUser {
			return false, nil
		}
		e.users, e.deleted = without(e.users, user), append(e.deleted, user)
		return true, e.dir.DeleteUser(now, user)
	case "restore", "permanent delete":
		id, ok := e.pick(e.deleted)
		if !ok {
			if !hasUser {
				return false, nil
			}
			id = user
			e.users = without(e.users, id)
			if err := e.dir.DeleteUser(now, id); err != nil {
				return false, err
			}
		}
		e.deleted = without(e.deleted, id)
		if kind == "permanent delete" {
			return true, e.dir.Purge(now, id)
		}
		e.users = append(e.users, id)
		_, err := e.dir.Restore(now, id)
		return true, err
	case "member added":
		if !hasUser || !hasGroup {
			return false, nil
		}
		err := e.dir.AddMembers(now, group, user)
		if directory.CodeOf(err) == directory.Conflict {
			return false, nil
		}
		return true, err
	case "member removed":
		if !hasGroup {
			return false, nil
		}
		page, err := e.dir.Members(group, "", 50)
		if err != nil || len(page.Items) == 0 {
			return false, err
		}
		return true, e.dir.RemoveMembers(now, group, page.Items[e.faker.IntRange(0, len(page.Items)-1)].ID)
	case "group created":
		g, err := e.dir.CreateGroup(now, directory.Props{"displayName": fmt.Sprintf("New group %d", n), "mailNickname": fmt.Sprintf("new-group-%d", n)})
		e.groups = append(e.groups, g.ID)
		return true, err
	case "group renamed":
		if !hasGroup {
			return false, nil
		}
		_, err := e.dir.UpdateGroup(now, group, directory.Props{"displayName": fmt.Sprintf("Renamed group %d", n)})
		return true, err
	}
	if !hasGroup {
		return false, nil
	}
	e.groups = without(e.groups, group)
	return true, e.dir.DeleteGroup(now, group)
}
