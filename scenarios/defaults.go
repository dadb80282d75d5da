package scenarios

import (
	"strings"
	"unicode"

	"entrasim/directory"
)

// words takes a handle apart: adele-vance is adele and vance.
func words(handle string) []string {
	return strings.FieldsFunc(handle, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
}

func capital(word string) string {
	r := []rune(word)
	r[0] = unicode.ToUpper(r[0])
	return string(r)
}

// displayName is what a handle is called: adele-vance is Adele Vance.
func displayName(handle string) string {
	parts := words(handle)
	for i := range parts {
		parts[i] = capital(parts[i])
	}
	return strings.Join(parts, " ")
}

// userDefaults are the properties of a user that follow from its handle.
func userDefaults(handle, domain string) directory.Props {
	parts := words(handle)
	account := strings.ToLower(strings.Join(parts, "."))
	p := directory.Props{"displayName": displayName(handle), "mailNickname": account, "userPrincipalName": account + "@" + domain}
	if len(parts) > 1 {
		p["givenName"], p["surname"] = capital(parts[0]), displayName(strings.Join(parts[1:], "-"))
	}
	return p
}

// groupDefaults are the properties of a group that follow from its handle.
func groupDefaults(handle string) directory.Props {
	return directory.Props{"displayName": displayName(handle), "mailNickname": strings.ToLower(handle)}
}

// naming are the properties that a target may take for the identity of an object. Those of a run against a target that is
// not its own get the run's mark, when the target has other objects of these names.
var naming = map[string]bool{"userPrincipalName": true, "mail": true, "mailNickname": true, "userName": true, "externalId": true}

// marked puts the run's mark before values that name an object.
func (p *Player) marked(props directory.Props, group bool) directory.Props {
	if p.names.mark == "" {
		return props
	}
	for k, v := range props {
		if text, ok := v.(string); ok && text != "" && (naming[k] || group && k == "displayName") {
			props[k] = p.names.mark + text
		}
	}
	return props
}
