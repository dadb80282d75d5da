package scim

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// PageURL is the URL of one page of all resources of a type (RFC 7644, 3.4.2.4); start counts from 1.
func PageURL(ep Endpoint, opt Options, rt ResourceType, start, count int) string {
	var b strings.Builder
	b.WriteString(ep.Base + "/" + rt.Path() + "?startIndex=" + strconv.Itoa(start) + "&count=" + strconv.Itoa(count))
	forward(&b, ep, opt, true)
	return b.String()
}

// Page reads one page of all resources of a type, and how many there are in all. The error is an *Error.
func (c *Client) Page(ctx context.Context, tag Tag, rt ResourceType, start, count int) (list []*Resource, total int, err error) {
	url := PageURL(c.ep, c.opt, rt, start, count)
	a, fail := c.list(ctx, tag, opMatch, url, func(v *fastjson.Value) error {
		r, err := newResource(rt, v)
		list = append(list, r)
		return err
	})
	if fail != nil {
		return nil, 0, fail
	}
	if err := parseBody(a.body, func(v *fastjson.Value) error {
		total = v.GetInt("totalResults")
		return nil
	}); err != nil {
		return nil, 0, unreadable(opMatch, http.MethodGet, url, a, err)
	}
	return list, total, nil
}

// Values are the values that the resource holds at a target attribute's path, as text.
func (r *Resource) Values(target string) []string { return r.values(target) }
