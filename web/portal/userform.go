package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
)

// userForm is the form of a user: property, label, section.
var userForm = []struct{ name, label, section string }{
	{"displayName", "Display name", "Identity"}, {"userPrincipalName", "User principal name", "Identity"}, {"givenName", "First name", "Identity"},
	{"surname", "Last name", "Identity"}, {"mailNickname", "Mail nickname", "Identity"}, {"userType", "User type", "Identity"}, {"id", "Object ID", "Identity"},
	{"jobTitle", "Job title", "Job information"}, {"department", "Department", "Job information"}, {"companyName", "Company name", "Job information"},
	{"employeeId", "Employee ID", "Job information"}, {"manager", "Manager", "Job information"},
	{"mail", "Email", "Contact information"}, {"businessPhones", "Business phone", "Contact information"}, {"mobilePhone", "Mobile phone", "Contact information"},
	{"officeLocation", "Office location", "Contact information"}, {"streetAddress", "Street address", "Contact information"}, {"city", "City", "Contact information"},
	{"postalCode", "ZIP or postal code", "Contact information"}, {"country", "Country or region", "Contact information"}, {"preferredLanguage", "Preferred language", "Contact information"},
}

// newUserForm is what New user asks for.
var newUserForm = map[string]bool{"displayName": true, "userPrincipalName": true, "givenName": true, "surname": true, "mailNickname": true, "jobTitle": true, "department": true, "manager": true, "mail": true}

var requiredFields = map[string]bool{"id": true, "displayName": true, "userPrincipalName": true, "mailNickname": true, "userType": true}

type section struct {
	Title  string
	Fields []Field
}

func userField(name, label string, values, faults map[string]string) Field {
	f := Field{Name: name, Label: label, Value: values[name], Error: faults[name], Optional: !requiredFields[name]}
	switch name {
	case "id":
		f.ReadOnly, f.Full = true, true
	case "manager":
		f.Suggest, f.Placeholder = "user", "Name or user principal name"
	case "userType":
		f.Options = []Option{{directory.Member, directory.Member}, {directory.Guest, directory.Guest}}
	}
	return f
}

func userSections(values, faults map[string]string) []section {
	var list []section
	for _, f := range userForm {
		if len(list) == 0 || list[len(list)-1].Title != f.section {
			list = append(list, section{Title: f.section})
		}
		s := &list[len(list)-1]
		s.Fields = append(s.Fields, userField(f.name, f.label, values, faults))
	}
	return list
}

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

// userProps reads a form into properties; what was typed stays for the next try.
func userProps(c echo.Context) (props directory.Props, values map[string]string) {
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

// settleManager puts the id in place of the name of a manager.
func (p *Portal) settleManager(props directory.Props) error {
	text, _ := props["manager"].(string)
	if text == "" {
		return nil
	}
	boss, err := p.find(directory.KindUser, text)
	props["manager"] = boss.ID
	return err
}

type newUserView struct {
	Base
	Fields, Faulty []Field
	Enabled        bool
}

func (p *Portal) newUser(c echo.Context) error {
	return p.showNewUser(c, map[string]string{"userPrincipalName": "@" + p.dir.Tenant().DefaultDomain}, nil, true)
}

func (p *Portal) showNewUser(c echo.Context, values, faults map[string]string, enabled bool) error {
	v := newUserView{Base: p.page(c, "New user", "users", Link{"Users", "/users"}), Enabled: enabled}
	for _, f := range userForm {
		if !newUserForm[f.name] {
			continue
		}
		field := userField(f.name, f.label, values, faults)
		if f.name == "mailNickname" {
			field.Optional, field.Hint = true, "Left empty, it is the part before @."
		}
		v.Fields = append(v.Fields, field)
	}
	v.Faulty = faulty(v.Fields)
	return form(c, "usernew", faults, v)
}

func (p *Portal) createUser(c echo.Context) error {
	if err := c.Request().ParseForm(); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	props, values := userProps(c)
	enabled := c.FormValue("accountEnabled") != ""
	props["accountEnabled"] = enabled
	if values["mailNickname"] == "" {
		props["mailNickname"], _, _ = strings.Cut(values["userPrincipalName"], "@")
	}
	if err := p.settleManager(props); err != nil {
		return p.showNewUser(c, values, fieldErrors(err, "manager"), enabled)
	}
	u, err := p.dir.CreateUser(p.Service.Clock().Now(), props)
	if err != nil {
		if faults := fieldErrors(err, "displayName"); faults != nil {
			if values["mailNickname"] == "" && faults["mailNickname"] != "" { // it was made of the part before @
				faults = map[string]string{"userPrincipalName": "Enter a name before @, of at most 64 characters, or a mail nickname."}
			}
			return p.showNewUser(c, values, faults, enabled)
		}
		return err
	}
	return say(c, "/users/"+u.ID, u.DisplayName+" created.")
}
