package portal

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
	"entrasim/sim"
)

type usersView struct {
	Base
	Q           string
	Chips       []chip
	Rows        []userRow
	AppName     string
	First, Next string
}

type chip struct {
	Text, URL string
	On        bool
}

type userRow struct {
	ID, Name, UPN, Department, Type, State, StateClass, StateIcon string
	Enabled                                                       bool
}

func (p *Portal) users(c echo.Context) error {
	v := usersView{Base: p.base(c, "Users", "users"), Q: c.QueryParam("q"), AppName: "Provisioning"}
	q := directory.Query{Prefix: strings.TrimSpace(v.Q), ByName: v.Q == "", Cursor: c.QueryParam("cursor"), Limit: 50}
	off := false
	for _, f := range []struct {
		key, text string
		apply     func()
	}{{"disabled", "Disabled", func() { q.AccountEnabled = &off }}, {"guest", "Guests", func() { q.UserType = directory.Guest }}} {
		on := c.QueryParam("show") == f.key
		link := "/users?show=" + f.key
		if on {
			f.apply()
			link = "/users"
		}
		v.Chips = append(v.Chips, chip{f.text, link, on})
	}
	page, err := p.dir.Users(q)
	if err != nil {
		return err
	}
	ids := make([]string, len(page.Items))
	for i, u := range page.Items {
		ids[i] = u.ID
	}
	states := map[string]sim.Standing{}
	if jobs := p.Service.Jobs(); len(jobs) > 0 {
		v.AppName = "In " + jobs[0].ApplicationName
		if states, err = p.Service.Standings(jobs[0].ApplicationID, ids); err != nil {
			return err
		}
	}
	for _, u := range page.Items {
		r := userRow{ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Department: u.Department, Type: u.UserType, Enabled: u.AccountEnabled}
		switch states[u.ID].Link {
		case sim.LinkActive:
			r.State, r.StateClass, r.StateIcon = "Provisioned", "plain ok", "check"
		case sim.LinkDisabled:
			r.State, r.StateClass, r.StateIcon = "Disabled there", "pill", "off"
		case sim.LinkUnmanaged:
			r.State, r.StateClass, r.StateIcon = "Left scope", "pill", "skip"
		}
		v.Rows = append(v.Rows, r)
	}
	v.First, v.Next = pageLinks(c, page.Next)
	return render(c, 200, "users", v)
}

// pageLinks gives the addresses of the first and the next page of a list.
func pageLinks(c echo.Context, next string) (first, following string) {
	q := c.QueryParams()
	had := q.Get("cursor") != ""
	values := url.Values{}
	for k, v := range q {
		if k != "cursor" {
			values[k] = v
		}
	}
	path := c.Request().URL.Path
	if had {
		first = path + "?" + values.Encode()
	}
	if next != "" {
		values.Set("cursor", next)
		following = path + "?" + values.Encode()
	}
	return first, following
}

// Field is one input of a form: a choice when it has options.
type Field struct {
	Name, Label, Value, Type, Error, Hint, Placeholder string
	Optional, ReadOnly, Full                           bool
	Options                                            []Option
}

// Option is one value of a choice, with its words.
type Option struct{ Value, Text string }

type section struct {
	Title  string
	Fields []Field
}

type userView struct {
	Base
	ID, Name, UPN, Type string
	Created             time.Time
	Enabled, Deleted    bool
	Sections            []section
	Errors              map[string]string
	Why                 []sim.Explanation
	Groups              []directory.Object
}

// userForm is the form of a user: property, label, section.
var userForm = []struct{ name, label, section string }{
	{"displayName", "Display name", "Identity"}, {"userPrincipalName", "User principal name", "Identity"}, {"givenName", "First name", "Identity"},
	{"surname", "Last name", "Identity"}, {"mailNickname", "Mail nickname", "Identity"}, {"userType", "User type", "Identity"}, {"id", "Object ID", "Identity"},
	{"jobTitle", "Job title", "Job information"}, {"department", "Department", "Job information"}, {"companyName", "Company", "Job information"},
	{"employeeId", "Employee ID", "Job information"}, {"manager", "Manager", "Job information"},
	{"mail", "Mail", "Contact information"}, {"businessPhones", "Business phone", "Contact information"}, {"mobilePhone", "Mobile phone", "Contact information"},
	{"officeLocation", "Office", "Contact information"}, {"streetAddress", "Street address", "Contact information"}, {"city", "City", "Contact information"},
	{"postalCode", "Postal code", "Contact information"}, {"country", "Country", "Contact information"}, {"preferredLanguage", "Preferred language", "Contact information"},
}

var requiredFields = map[string]bool{"displayName": true, "userPrincipalName": true, "mailNickname": true, "userType": true}

// userValues reads the form's values of a user.
func (p *Portal) userValues(u directory.User) map[string]string {
	values := map[string]string{}
	for _, f := range userForm {
		switch f.name {
		case "manager":
			if m, ok, err := p.dir.Manager(u.ID); err == nil && ok {
				if boss, err := p.dir.User(m.ID); err == nil {
					values[f.name] = boss.UserPrincipalName
				}
			}
		case "businessPhones":
			values[f.name] = strings.Join(u.BusinessPhones, ", ")
		default:
			if v, _ := u.Get(f.name); v != nil {
				values[f.name], _ = v.(string)
			}
		}
	}
	return values
}

func userSections(values, errs map[string]string) []section {
	var list []section
	for _, f := range userForm {
		if len(list) == 0 || list[len(list)-1].Title != f.section {
			list = append(list, section{Title: f.section})
		}
		field := Field{Name: f.name, Label: f.label, Value: values[f.name], Error: errs[f.name], Optional: !requiredFields[f.name], ReadOnly: f.name == "id", Full: f.name == "id"}
		if f.name == "id" {
			field.Optional = false
		}
		if f.name == "manager" {
			field.Placeholder = "User principal name"
		}
		s := &list[len(list)-1]
		s.Fields = append(s.Fields, field)
	}
	return list
}

func (p *Portal) user(c echo.Context) error {
	u, err := p.dir.User(c.Param("id"))
	deleted := false
	if directory.CodeOf(err) == directory.NotFound {
		u, err = p.dir.DeletedUser(c.Param("id"))
		deleted = true
	}
	if err != nil {
		return err
	}
	return p.showUser(c, u, deleted, p.userValues(u), nil)
}

func (p *Portal) showUser(c echo.Context, u directory.User, deleted bool, values, errs map[string]string) error {
	v := userView{Base: p.base(c, u.DisplayName, "users", Link{"Users", "/users"}), ID: u.ID, Name: u.DisplayName, UPN: u.UserPrincipalName, Type: u.UserType,
		Created: u.CreatedDateTime, Enabled: u.AccountEnabled, Deleted: deleted, Sections: userSections(values, errs), Errors: errs}
	v.Base.Back = "/users/" + u.ID
	var err error
	if v.Why, err = p.Service.Why(u.ID); err != nil {
		return err
	}
	if !deleted {
		if v.Groups, err = p.dir.MemberOf(u.ID); err != nil {
			return err
		}
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return render(c, status, "user", v)
}

// formProps reads a form into properties; what was typed stays for the next try.
func formProps(c echo.Context) (props directory.Props, values map[string]string) {
	props, values = directory.Props{}, map[string]string{}
	for _, f := range userForm {
		if f.name == "id" || !c.Request().Form.Has(f.name) {
			continue
		}
		text := strings.TrimSpace(c.FormValue(f.name))
		values[f.name] = text
		switch {
		case f.name == "businessPhones" && text == "":
			props[f.name] = nil
		case f.name == "businessPhones":
			props[f.name] = []string{text}
		default:
			props[f.name] = text
		}
	}
	return props, values
}

// fieldErrors tells which field an error is about.
func fieldErrors(err error, otherwise string) map[string]string {
	var e *directory.Error
	if !errors.As(err, &e) {
		return nil
	}
	name, text := e.Property, e.Message
	if name == "" {
		name = otherwise
	}
	if e.Hint != "" {
		text += " " + e.Hint
	}
	return map[string]string{name: text}
}

func (p *Portal) saveUser(c echo.Context) error {
	if err := c.Request().ParseForm(); err != nil {
		return echo.NewHTTPError(400, "The form can't be read.")
	}
	u, err := p.dir.User(c.Param("id"))
	if err != nil {
		return err
	}
	props, values := formProps(c)
	if _, err := p.dir.UpdateUser(p.Service.Clock().Now(), u.ID, props); err != nil {
		errs := fieldErrors(err, "displayName")
		if errs == nil {
			return err
		}
		values["id"] = u.ID
		return p.showUser(c, u, false, values, errs)
	}
	return say(c, "/users/"+u.ID, "Saved. The next cycle carries the change.")
}

func (p *Portal) userAction(c echo.Context) error {
	id, now := c.Param("id"), p.Service.Clock().Now()
	var err error
	message := ""
	switch c.Param("action") {
	case "disable":
		_, err = p.dir.UpdateUser(now, id, directory.Props{"accountEnabled": false})
		message = "Account disabled. The next cycle tells the target."
	case "enable":
		_, err = p.dir.UpdateUser(now, id, directory.Props{"accountEnabled": true})
		message = "Account enabled. The next cycle tells the target."
	case "delete":
		err = p.dir.DeleteUser(now, id)
		message = "Deleted. It can be restored for 30 days."
	default:
		return echo.ErrNotFound
	}
	if err != nil {
		return complain(c, "/users/"+id, err)
	}
	return say(c, "/users/"+id, message)
}

type newView struct {
	Base
	Fields  []Field
	Errors  map[string]string
	Enabled bool
}

func (p *Portal) userNewView(c echo.Context, values, errs map[string]string, enabled bool) error {
	v := newView{Base: p.base(c, "New user", "users", Link{"Users", "/users"}), Errors: errs, Enabled: enabled}
	for _, f := range userForm {
		if f.section == "Identity" && f.name != "id" && f.name != "userType" || f.name == "department" || f.name == "jobTitle" || f.name == "mail" || f.name == "manager" {
			v.Fields = append(v.Fields, Field{Name: f.name, Label: f.label, Value: values[f.name], Error: errs[f.name], Optional: !requiredFields[f.name] || f.name == "mailNickname"})
		}
	}
	status := 200
	if len(errs) > 0 {
		status = 422
	}
	return render(c, status, "usernew", v)
}

func (p *Portal) newUser(c echo.Context) error {
	return p.userNewView(c, map[string]string{"userPrincipalName": "@" + p.dir.Tenant().DefaultDomain}, nil, true)
}

func (p *Portal) createUser(c echo.Context) error {
	if err := c.Request().ParseForm(); err != nil {
		return echo.NewHTTPError(400, "The form can't be read.")
	}
	props, values := formProps(c)
	enabled := c.FormValue("accountEnabled") != ""
	props["accountEnabled"] = enabled
	if values["mailNickname"] == "" {
		props["mailNickname"], _, _ = strings.Cut(values["userPrincipalName"], "@")
	}
	u, err := p.dir.CreateUser(p.Service.Clock().Now(), props)
	if err != nil {
		if errs := fieldErrors(err, "displayName"); errs != nil {
			return p.userNewView(c, values, errs, enabled)
		}
		return err
	}
	return say(c, "/users/"+u.ID, u.DisplayName+" created")
}
