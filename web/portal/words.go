package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"entrasim/directory"
)

// wordsLooked is up to how many users, or groups, a search also finds whoever has a word in the name that begins with what is
// asked for: a last name. In a larger directory a name is found by its beginning alone, by the index.
const wordsLooked = 5000

// usersNamed finds users by the beginning of a name, then by the beginning of a word of it.
func (p *Portal) usersNamed(q directory.Query) (directory.Page[directory.User], error) {
	return named(q, p.dir.Counts().Users, p.dir.Users, func(u directory.User) []string {
		return []string{u.DisplayName, u.UserPrincipalName, u.Mail, u.GivenName, u.Surname}
	})
}

// groupsNamed does the same for groups.
func (p *Portal) groupsNamed(q directory.Query) (directory.Page[directory.Group], error) {
	return named(q, p.dir.Counts().Groups, p.dir.Groups, func(g directory.Group) []string {
		return []string{g.DisplayName, "", g.Mail}
	})
}

// named appends to the last page of what the index finds whoever is found by a word. Of the names the first three are those
// of the index.
func named[T any](q directory.Query, size int, list func(directory.Query) (directory.Page[T], error), names func(T) []string) (directory.Page[T], error) {
	found, err := list(q)
	text := strings.ToLower(q.Prefix)
	if err != nil || text == "" || q.Exact || found.Next != "" || size > wordsLooked {
		return found, err
	}
	limit := q.Limit
	q.Prefix, q.ByName, q.Cursor, q.Limit = "", true, "", wordsLooked
	all, err := list(q)
	if err != nil {
		return found, err
	}
	for _, x := range all.Items {
		byIndex, byWord := false, false
		for i, name := range names(x) {
			name = strings.ToLower(name)
			byIndex = byIndex || i < 3 && strings.HasPrefix(name, text)
			byWord = byWord || i != 1 && i != 2 && beginsWord(name, text)
		}
		if byWord && !byIndex && len(found.Items) < 2*limit {
			found.Items = append(found.Items, x)
		}
	}
	return found, nil
}

// beginsWord reports whether a word of a name begins with a text; a word begins behind whatever is no letter and no digit.
func beginsWord(name, text string) bool {
	for at := 0; ; {
		i := strings.Index(name[at:], text)
		if i < 0 {
			return false
		}
		at += i
		if r, _ := utf8.DecodeLastRuneInString(name[:at]); at == 0 || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return true
		}
		at += len(text)
	}
}

// searched says where a search looks.
func (b Base) Searched() string {
	if max(b.Counts.Users, b.Counts.Groups) > wordsLooked {
		return "Search looks at the beginning of names, user principal names and mail addresses."
	}
	return "Search looks at the beginning of each word of a name, and at that of user principal names and mail addresses."
}
