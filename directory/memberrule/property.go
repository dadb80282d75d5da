package memberrule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// kind is the kind of a property's values.
type kind int

const (
	text kind = iota
	flag
	moment
	list
	item // the underscore, one item of a list
)

// property is what a rule may compare.
type property struct {
	name  string // in rules, behind user.
	graph string // of a user in Graph
	kind  kind
}

// properties are those of users (users/groups-dynamic-membership.md, "Supported properties").
var properties = func() map[string]property {
	all := map[string]property{}
	add := func(k kind, names string) {
		for name := range strings.FieldsSeq(names) {
			name, graph, renamed := strings.Cut(name, "=")
			if !renamed {
				graph = name
			}
			all[strings.ToLower(name)] = property{name, graph, k}
		}
	}
	add(flag, "accountEnabled dirSyncEnabled=onPremisesSyncEnabled")
	add(moment, "employeeHireDate")
	add(list, "otherMails proxyAddresses")
	add(text, `city country companyName department displayName employeeId facsimileTelephoneNumber=faxNumber givenName jobTitle mail
		mailNickName=mailNickname mobile=mobilePhone objectId=id onPremisesDistinguishedName onPremisesSecurityIdentifier passwordPolicies
		physicalDeliveryOfficeName=officeLocation postalCode preferredLanguage sipProxyAddress=imAddresses state streetAddress surname
		telephoneNumber=businessPhones usageLocation userPrincipalName userType`)
	for i := 1; i <= 15; i++ {
		name := "extensionAttribute" + strconv.Itoa(i)
		add(text, name+"=onPremisesExtensionAttributes/"+name)
	}
	return all
}()

// absent are properties of the language that no user of this directory has.
var absent = map[string]string{
	"memberof":      "rules by memberOf are not evaluated here",
	"assignedplans": "the directory holds no service plans",
}

var extension = regexp.MustCompile(`^extension_[0-9A-Za-z]+_[A-Za-z][A-Za-z0-9_]*$`)

// propertyOf finds a property by its name in a rule; problem says why there is none.
func propertyOf(word string) (p property, problem string) {
	object, name, dotted := strings.Cut(word, ".")
	switch {
	case word == "_":
		return property{name: "_", kind: item}, ""
	case strings.EqualFold(object, "device"):
		return p, "rules for devices are not evaluated: the directory holds none"
	case !dotted || !strings.EqualFold(object, "user"):
		return p, "a property of a user is expected, such as user.department, not " + strconv.Quote(word)
	}
	if why, ok := absent[strings.ToLower(name)]; ok {
		return p, why
	}
	if p, ok := properties[strings.ToLower(name)]; ok {
		return p, ""
	}
	if extension.MatchString(name) {
		return property{name, name, text}, ""
	}
	return p, "users have no property " + strconv.Quote(name) + nearest(name)
}

// nearest suggests a property that begins or ends alike.
func nearest(name string) string {
	var best []string
	for key, p := range properties {
		low := strings.ToLower(name)
		if n := min(4, len(low), len(key)); n == 4 && (strings.HasPrefix(key, low[:n]) || strings.HasSuffix(key, low[len(low)-n:])) {
			best = append(best, p.name)
		}
	}
	if len(best) == 0 {
		return ""
	}
	slices.Sort(best)
	return "; perhaps user." + best[0] + " is meant"
}

func (p property) get(e env) any {
	v, _ := e.subject.Get(p.graph)
	return v
}

// text is a property's value as a text, "" when it has none. Of a list that a rule takes for a text it is the first.
func (p property) text(e env) string {
	if p.kind == item {
		return e.item
	}
	switch v := p.get(e).(type) {
	case string:
		return v
	case []string:
		if len(v) > 0 {
			return v[0]
		}
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (p property) list(e env) []string {
	v, _ := p.get(e).([]string)
	return v
}
