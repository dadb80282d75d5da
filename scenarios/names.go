package scenarios

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"entrasim/sim"
)

// Sent is a request that was seen, with handles in place of ids: {ann} is the id of Ann's account at the target,
// {ann.objectId} her id in the directory, {ann.old} an account that another one has taken the place of.
type Sent struct {
	Exchange sim.Exchange
	Method   string
	Path     string // behind the base URL, unescaped
	URL      string // behind the base URL, as written
	Body     any    // nil without a body, or with one that is no JSON
	BodyText string
	Handle   string // of the object that the request is about; "" for a probe or an object without a handle
	Probe    bool

	query []param
}

// Line is the request as files write it.
func (s *Sent) Line() string {
	text := s.Method + " " + s.Path
	if len(s.query) > 0 {
		text += "?" + queryText(s.query)
	}
	return text
}

// names knows which ids stand for which handles.
type names struct {
	base     string            // URL of the target
	kinds    map[string]string // handle -> User or Group
	mark     string            // what the run puts before names at a target that is not its own; "" for none
	handles  map[string]string // id in the directory -> handle
	objects  map[string]string // handle -> id in the directory
	accounts map[string]string // handle -> id at the target
	shown    map[string]string // id -> placeholder
	// short are ids that are looked for only where ids stand, by type and id: servers that count give a user and a group one
	// number.
	short    map[string]string
	replacer *strings.Replacer
}

func newNames(base string, kinds map[string]string) *names {
	return &names{base: base, kinds: kinds, handles: map[string]string{}, objects: map[string]string{}, accounts: map[string]string{},
		shown: map[string]string{}, short: map[string]string{}}
}

// object notes the id of a directory object.
func (n *names) object(handle, id string) {
	n.handles[id], n.objects[handle] = handle, id
	n.show(id, "{"+handle+".objectId}")
}

// account notes the id of a handle's account at the target.
func (n *names) account(handle, id string) {
	if old := n.accounts[handle]; old == id || id == "" {
		return
	} else if old != "" {
		n.showAccount(handle, old, "{"+handle+".old}")
	}
	n.accounts[handle] = id
	if _, taken := n.placeholder(handle); !taken { // a tenant's handle and a target's may mean one account
		n.showAccount(handle, id, "{"+handle+"}")
	}
}

// placeholder is what the id of a handle's account is shown as.
func (n *names) placeholder(handle string) (string, bool) {
	id := n.accounts[handle]
	if text, ok := n.shown[id]; ok {
		return text, true
	}
	text, ok := n.short[n.kinds[handle]+"s/"+id]
	return text, ok
}

func (n *names) showAccount(handle, id, text string) {
	if len(id) < 12 {
		n.short[n.kinds[handle]+"s/"+id] = text
		return
	}
	n.show(id, text)
}

func (n *names) show(id, text string) {
	n.shown[id] = text
	n.replacer = nil
}

// text puts handles in the place of ids, and takes the run's mark away.
func (n *names) text(s string) string {
	if n.replacer == nil {
		var pairs []string
		for _, id := range sorted(n.shown) {
			pairs = append(pairs, id, n.shown[id])
		}
		if n.mark != "" {
			pairs = append(pairs, n.mark, "")
		}
		n.replacer = strings.NewReplacer(pairs...)
	}
	return n.replacer.Replace(s)
}

// value does the same in a JSON value; key is the member that it stands under.
func (n *names) value(v any, key string) any {
	switch x := v.(type) {
	case string:
		if key == "value" || key == "id" {
			for _, kind := range []string{user, group} {
				if text, ok := n.short[kind+"s/"+x]; ok {
					return text
				}
			}
		}
		return n.text(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = n.value(x[i], key)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, m := range x {
			out[k] = n.value(m, k)
		}
		return out
	}
	return v
}

// sent reads an exchange, and learns from it which account a directory object has.
func (n *names) sent(x sim.Exchange) *Sent {
	s := &Sent{Exchange: x, Method: x.Method, Probe: x.Object == "", Handle: n.handles[x.Object]}
	rest := strings.TrimPrefix(x.URL, n.base)
	s.URL = n.text(rest)
	path, query, _ := strings.Cut(rest, "?")
	segments := strings.Split(path, "/")
	for i, seg := range segments {
		if plain, err := url.PathUnescape(seg); err == nil {
			seg = plain
		}
		if text, ok := n.short[segments[max(0, i-1)]+"/"+seg]; ok {
			segments[i] = text
		} else {
			segments[i] = n.text(seg)
		}
	}
	s.Path = strings.Join(segments, "/")
	if query != "" {
		for _, part := range strings.Split(query, "&") {
			name, value, _ := strings.Cut(part, "=")
			if plain, err := url.QueryUnescape(value); err == nil {
				value = plain
			}
			s.query = append(s.query, param{name, n.text(value)})
		}
	}
	if x.RequestBody != "" {
		s.BodyText = n.text(x.RequestBody)
		var v any
		if json.Unmarshal([]byte(x.RequestBody), &v) == nil {
			s.Body = n.value(v, "")
		}
	}
	if s.Handle != "" {
		n.account(s.Handle, accountIn(x))
	}
	return s
}

// accountIn is the id that an answer gives the object: of a resource that was created, or of the only match.
func accountIn(x sim.Exchange) string {
	if x.Status != http.StatusOK && x.Status != http.StatusCreated {
		return ""
	}
	var doc struct {
		ID        any `json:"id"`
		Resources []struct {
			ID any `json:"id"`
		} `json:"Resources"`
	}
	if json.Unmarshal([]byte(x.ResponseBody), &doc) != nil {
		return ""
	}
	id := ""
	switch {
	case x.Method == http.MethodPost:
		id, _ = doc.ID.(string)
	case x.Method == http.MethodGet && strings.Contains(x.URL, "filter=") && len(doc.Resources) == 1:
		id, _ = doc.Resources[0].ID.(string)
	}
	return id
}

func header(list []sim.Header, name string) (string, bool) {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return h.Value, true
		}
	}
	return "", false
}
