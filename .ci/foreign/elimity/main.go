// Command elimity serves users and groups from memory on the Go library elimity-com/scim, as its documentation shows it:
// a foreign server to try scenarios against. It applies what the library hands it, and no more. It prints its base URL.
package main

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/errors"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	"github.com/scim2/filter-parser/v2"
)

// store holds the resources of one type.
type store struct {
	mu     sync.Mutex
	unique string // the attribute that no two may share; "" asks for none
	next   int
	byID   map[string]scim.ResourceAttributes
}

func resource(id string, a scim.ResourceAttributes) scim.Resource {
	r := scim.Resource{ID: id, Attributes: maps.Clone(a)}
	if ext, ok := a["externalId"].(string); ok {
		r.ExternalID = optional.NewString(ext)
	}
	return r
}

// taken reports whether another resource has the unique value already.
func (s *store) taken(id string, a scim.ResourceAttributes) bool {
	name, _ := a[s.unique].(string)
	for other, b := range s.byID {
		if have, _ := b[s.unique].(string); other != id && name != "" && strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

func (s *store) Create(_ *http.Request, a scim.ResourceAttributes) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken("", a) {
		return scim.Resource{}, errors.ScimErrorUniqueness
	}
	s.next++
	id := strconv.Itoa(1000 + s.next)
	s.byID[id] = maps.Clone(a)
	return resource(id, a), nil
}

func (s *store) Get(_ *http.Request, id string) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.byID[id]
	if !ok {
		return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
	}
	return resource(id, a), nil
}

func (s *store) GetAll(_ *http.Request, p scim.ListRequestParams) (scim.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := scim.Page{Resources: []scim.Resource{}}
	for _, id := range slices.Sorted(maps.Keys(s.byID)) {
		if p.FilterValidator != nil && p.FilterValidator.PassesFilter(s.byID[id]) != nil {
			continue
		}
		page.TotalResults++
		if page.TotalResults >= p.StartIndex && len(page.Resources) < p.Count {
			page.Resources = append(page.Resources, resource(id, s.byID[id]))
		}
	}
	return page, nil
}

func (s *store) Replace(_ *http.Request, id string, a scim.ResourceAttributes) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byID[id]; !ok {
		return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
	}
	s.byID[id] = maps.Clone(a)
	return resource(id, a), nil
}

func (s *store) Delete(_ *http.Request, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byID[id]; !ok {
		return errors.ScimErrorResourceNotFound(id)
	}
	delete(s.byID, id)
	return nil
}

func (s *store) Patch(_ *http.Request, id string, ops []scim.PatchOperation) (scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.byID[id]
	if !ok {
		return scim.Resource{}, errors.ScimErrorResourceNotFound(id)
	}
	a := maps.Clone(old)
	for _, op := range ops {
		if err := apply(a, op); err != nil {
			return scim.Resource{}, err
		}
	}
	if s.taken(id, a) {
		return scim.Resource{}, errors.ScimErrorUniqueness
	}
	s.byID[id] = a
	return resource(id, a), nil
}

// apply carries out one operation as RFC 7644, section 3.5.2, says it.
func apply(a scim.ResourceAttributes, op scim.PatchOperation) error {
	if op.Path == nil {
		values, ok := op.Value.(map[string]any)
		if !ok {
			return errors.ScimErrorInvalidValue
		}
		for k, v := range values {
			a[k] = v
		}
		return nil
	}
	in, name := map[string]any(a), op.Path.AttributePath.AttributeName
	if uri := op.Path.AttributePath.URI(); strings.Contains(uri, ":extension:") {
		inner, _ := a[uri].(map[string]any)
		inner = maps.Clone(inner)
		if inner == nil {
			inner = map[string]any{}
		}
		a[uri] = inner
		in = inner
	}
	sub := op.Path.SubAttributeName()
	if s := op.Path.AttributePath.SubAttributeName(); s != "" {
		sub = s
	}
	switch {
	case op.Path.ValueExpression != nil:
		return element(in, name, sub, op)
	case sub != "":
		inner, _ := in[name].(map[string]any)
		inner = maps.Clone(inner)
		if inner == nil {
			inner = map[string]any{}
		}
		set(inner, sub, op)
		in[name] = inner
	default:
		set(in, name, op)
	}
	return nil
}

// set gives an attribute its value; values of a list are added to those that are there.
func set(in map[string]any, name string, op scim.PatchOperation) {
	list, isList := op.Value.([]any)
	have, _ := in[name].([]any)
	switch {
	case op.Op == scim.PatchOperationRemove:
		delete(in, name)
	case op.Op == scim.PatchOperationAdd && isList:
		for _, v := range list {
			if !slices.ContainsFunc(have, func(x any) bool { return fmt.Sprint(x) == fmt.Sprint(v) }) {
				have = append(slices.Clip(have), v)
			}
		}
		in[name] = have
	default:
		in[name] = op.Value
	}
}

// element changes the elements of a list for which a comparison holds.
func element(in map[string]any, name, sub string, op scim.PatchOperation) error {
	cmp, ok := op.Path.ValueExpression.(*filter.AttributeExpression)
	if !ok {
		return errors.ScimErrorInvalidPath
	}
	list, _ := in[name].([]any)
	var kept []any
	found := false
	for _, x := range list {
		m, _ := x.(map[string]any)
		if fmt.Sprint(m[cmp.AttributePath.AttributeName]) != fmt.Sprint(cmp.CompareValue) {
			kept = append(kept, x)
			continue
		}
		found = true
		if op.Op == scim.PatchOperationRemove && sub == "" {
			continue
		}
		m = maps.Clone(m)
		if sub == "" {
			return errors.ScimErrorInvalidPath
		}
		set(m, sub, op)
		kept = append(kept, m)
	}
	if !found && op.Op != scim.PatchOperationRemove {
		return errors.ScimErrorNoTarget
	}
	in[name] = kept
	return nil
}

func main() {
	users, groups := &store{unique: "userName", byID: map[string]scim.ResourceAttributes{}}, &store{byID: map[string]scim.ResourceAttributes{}}
	server, err := scim.NewServer(&scim.ServerArgs{
		ServiceProviderConfig: &scim.ServiceProviderConfig{SupportFiltering: true, SupportPatch: true},
		ResourceTypes: []scim.ResourceType{
			{Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(), SchemaExtensions: []scim.SchemaExtension{{Schema: schema.ExtensionEnterpriseUser()}}, Handler: users},
			{Name: "Group", Endpoint: "/Groups", Schema: schema.CoreGroupSchema(), Handler: groups},
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("http://%s/scim\n", l.Addr())
	handler := http.StripPrefix("/scim", server)
	err = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer foreign-secret" {
			http.Error(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401"}`, http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
