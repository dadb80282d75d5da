package target

import (
	"sort"
	"sync"
	"time"
)

// Leniency is something that the store accepted though the standard asks for more, or that a strict server may refuse.
type Leniency struct {
	Kind    string    `json:"kind"`
	Text    string    `json:"text"`
	Example string    `json:"example"`
	Count   int       `json:"count"`
	Last    time.Time `json:"last"`
}

var leniencies = map[string]string{
	"opCase":              "an operation of a PATCH was capitalised; RFC 7644 § 3.5.2 has add, replace, remove",
	"stringBoolean":       "a Boolean came as text",
	"valueListRemove":     "values were removed by a list of them; RFC 7644 § 3.5.2.2 would remove all",
	"valueListSub":        "a list of values came where one value was meant",
	"dottedKeys":          "a PATCH without path had dotted, filtered or URN keys",
	"createFromFilter":    "a PATCH with a filter had no value to change, and one was made from the filter; RFC 7644 § 3.5.2.3 has noTarget",
	"removeNothing":       "a PATCH removed a value by a filter that matches none; RFC 7644 § 3.12 has noTarget",
	"managerAsString":     "manager came as bare text",
	"managerAsList":       "manager came as a list",
	"filterOnSingle":      "a value filter was used on a single-valued attribute",
	"bareExtension":       "an attribute of the enterprise extension came without its URN",
	"dottedExtension":     "an attribute of an extension came with a dot behind its URN",
	"bareValue":           "a value of a multi-valued attribute came without an object around it",
	"valueNotList":        "a multi-valued attribute came without a list around it",
	"unknownAttribute":    "an attribute that no schema has was left out",
	"unknownSubAttribute": "a member that no schema has was kept in a role or an entitlement",
	"unknownSchema":       "schemas listed a URN that belongs to no attribute",
	"unlistedSchema":      "an extension came that is not listed in schemas",
	"contentType":         "a body came without application/scim+json",
	"bothProjections":     "attributes and excludedAttributes came together, which RFC 7644 § 3.9 excludes",
}

// notes counts leniencies. It is safe for concurrent use.
type notes struct {
	mu   sync.Mutex
	kept map[string]*Leniency
}

func (s *Store) note(kind, example string) {
	if len(example) > 200 {
		example = example[:200] + "…"
	}
	s.notes.mu.Lock()
	defer s.notes.mu.Unlock()
	l := s.notes.kept[kind]
	if l == nil {
		l = &Leniency{Kind: kind, Text: leniencies[kind]}
		if s.notes.kept == nil {
			s.notes.kept = map[string]*Leniency{}
		}
		s.notes.kept[kind] = l
	}
	l.Count++
	l.Example, l.Last = example, s.server.now()
}

// Leniencies lists what the store put up with since it was made or reset, by kind.
func (s *Store) Leniencies() []Leniency {
	s.notes.mu.Lock()
	defer s.notes.mu.Unlock()
	list := make([]Leniency, 0, len(s.notes.kept))
	for _, l := range s.notes.kept {
		list = append(list, *l)
	}
	sort.Slice(list, func(i, k int) bool { return list[i].Kind < list[k].Kind })
	return list
}
