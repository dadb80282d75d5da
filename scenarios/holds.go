package scenarios

import (
	"context"
	"encoding/json"
	"net/http"
	"sort"
	"strings"
)

// Resource is one user or group that the target holds.
type Resource struct {
	Handle string         // "" for one that the scenario does not name
	Kind   string         // User or Group
	ID     string         // at the target
	Name   string         // userName or displayName
	Doc    map[string]any // with handles in place of ids
}

// JSON is the resource as indented JSON.
func (r Resource) JSON() string {
	data, err := json.MarshalIndent(r.Doc, "", "  ")
	if err != nil {
		return "" // only what came from JSON is in it
	}
	return string(data)
}

// Holds returns what the target holds at this point, for display: everything of the embedded target, what the scenario made
// or names elsewhere. Users come first, by name.
func (p *Player) Holds(ctx context.Context) ([]Resource, error) {
	if p.world == nil {
		return nil, nil
	}
	var list []Resource
	handles := map[string]string{}
	for h, id := range p.names.accounts {
		handles[p.scenario.kinds[h]+"s/"+id] = h
	}
	add := func(kind, id string, doc map[string]any) {
		doc, _ = p.names.value(doc, "").(map[string]any)
		r := Resource{Handle: handles[kind+"s/"+id], Kind: kind, ID: id, Doc: doc}
		if r.Name, _ = doc["userName"].(string); kind == group {
			r.Name, _ = doc["displayName"].(string)
		}
		list = append(list, r)
	}
	for _, path := range p.paths() {
		kind, id, _ := strings.Cut(strings.TrimPrefix(path, "/"), "s/")
		status, doc, err := p.world.call(ctx, http.MethodGet, escapePath(path), nil, nil)
		if err != nil {
			return nil, err
		}
		if status == http.StatusOK {
			add(kind, id, doc)
		}
	}
	sort.SliceStable(list, func(i, k int) bool {
		a, b := list[i], list[k]
		return a.Kind > b.Kind || a.Kind == b.Kind && a.Name < b.Name
	})
	return list, nil
}

// paths lists what may be at the target: all of the embedded one.
func (p *Player) paths() []string {
	if p.world.target == nil {
		known := map[string]bool{}
		for path := range p.made {
			known[path] = true
		}
		for h, id := range p.names.accounts {
			known["/"+p.scenario.kinds[h]+"s/"+id] = true
		}
		return sorted(known)
	}
	var paths []string
	for _, kind := range []string{user, group} {
		for at := 0; at >= 0; {
			page, next := p.world.target.Store(embeddedStore).List(kind, at, 1000)
			for _, r := range page {
				paths = append(paths, "/"+kind+"s/"+r.ID)
			}
			at = next
		}
	}
	return paths
}
