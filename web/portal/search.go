package portal

import (
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
)

type searchView struct {
	Base
	Q     string
	Lists []searchList
}

type searchList struct {
	Title, All string // All is the address of the whole list
	Found      []Who
}

const foundLimit = 20

// search looks in everything for a name; an id or a user principal name leads straight to its object.
func (p *Portal) search(c echo.Context) error {
	q := strings.TrimSpace(c.QueryParam("q"))
	if q == "" {
		return c.Redirect(303, "/users")
	}
	if o, err := p.dir.Object(q); err == nil && o.State == directory.Live {
		return c.Redirect(303, objectURL(o))
	}
	query := directory.Query{Prefix: q, Limit: foundLimit}
	users, err := p.usersNamed(query)
	if err != nil {
		return err
	}
	groups, err := p.groupsNamed(query)
	if err != nil {
		return err
	}
	apps, err := p.dir.ServicePrincipals(query)
	if err != nil {
		return err
	}
	v := searchView{Base: p.page(c, "Search", ""), Q: q}
	add := func(title, all, next string, found []Who) {
		if next == "" {
			all = ""
		}
		if len(found) > 0 {
			v.Lists = append(v.Lists, searchList{title, all, found})
		}
	}
	var found []Who
	for _, u := range users.Items {
		found = append(found, whoOfUser(u))
	}
	add("Users", "/users?q="+url.QueryEscape(q), users.Next, found)
	found = nil
	for _, g := range groups.Items {
		found = append(found, whoOf(g.Object))
	}
	add("Groups", "/groups?q="+url.QueryEscape(q), groups.Next, found)
	found = nil
	for _, a := range apps.Items {
		found = append(found, whoOf(a.Object))
	}
	add("Enterprise applications", "/applications", apps.Next, found)
	return render(c, 200, "search", v)
}

func whoOfUser(u directory.User) Who {
	w := whoOf(u.Object)
	w.Sub = u.UserPrincipalName
	return w
}

// suggest gives the options of a field that names people or groups, by what is typed into it.
func (p *Portal) suggest(c echo.Context) error {
	query := directory.Query{Prefix: strings.TrimSpace(c.QueryParam("q")), Limit: 12}
	query.ByName = query.Prefix == ""
	var options []Option
	if kind := c.QueryParam("kind"); kind != "group" {
		users, err := p.usersNamed(query)
		if err != nil {
			return err
		}
		for _, u := range users.Items {
			options = append(options, Option{u.UserPrincipalName, u.DisplayName})
		}
	}
	if kind := c.QueryParam("kind"); kind != "user" {
		groups, err := p.groupsNamed(query)
		if err != nil {
			return err
		}
		for _, g := range groups.Items {
			options = append(options, Option{g.DisplayName, g.ID})
		}
	}
	return c.JSON(200, options)
}

// find resolves what was typed into a field that names a user or a group: an id, a user principal name, or a display name
// that only one has.
func (p *Portal) find(kind directory.Kind, text string) (directory.Object, error) {
	text = strings.TrimSpace(text)
	if o, err := p.dir.Object(text); err == nil && o.Kind == kind && o.State == directory.Live {
		return o, nil
	}
	query := directory.Query{Prefix: text, Exact: true, Limit: 2}
	var found []directory.Object
	if kind == directory.KindGroup {
		page, err := p.dir.Groups(query)
		if err != nil {
			return directory.Object{}, err
		}
		for _, g := range page.Items {
			found = append(found, g.Object)
		}
	} else {
		page, err := p.dir.Users(query)
		if err != nil {
			return directory.Object{}, err
		}
		for _, u := range page.Items {
			found = append(found, u.Object)
		}
	}
	what := strings.ToLower(kind.String())
	switch {
	case text == "":
		return directory.Object{}, &directory.Error{Code: directory.Invalid, Message: "Name a " + what + "."}
	case len(found) == 0:
		return directory.Object{}, &directory.Error{Code: directory.NotFound, Message: "There is no " + what + " “" + text + "”.", Hint: "Give a name, a user principal name or an object ID."}
	case len(found) > 1:
		return directory.Object{}, &directory.Error{Code: directory.Conflict, Message: "Several are called “" + text + "”.", Hint: "Give the object ID."}
	}
	return found[0], nil
}
