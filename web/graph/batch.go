package graph

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// batchMost is how many requests a batch holds at most (concepts/json-batching.md).
const batchMost = 20

// batchItem is one request of a batch.
type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batch runs several requests one after another (concepts/json-batching.md). Answers stand in the order of the requests.
func (g *Graph) batch(c *call) error {
	data, err := c.payload()
	if err != nil {
		return err
	}
	var body struct {
		Requests []batchItem `json:"requests"`
	}
	if data == nil || json.Unmarshal(data, &body) != nil {
		return badRequest("Invalid batch payload format.")
	}
	if err := checkBatch(body.Requests); err != nil {
		return err
	}
	status := map[string]int{}
	responses := []object{}
	for _, item := range body.Requests {
		answer, code := g.item(c, item, status)
		status[strings.ToLower(item.ID)] = code
		responses = append(responses, answer)
	}
	return c.json(http.StatusOK, object{{"responses", responses}})
}

// checkBatch refuses a batch as a whole.
func checkBatch(items []batchItem) error {
	if len(items) == 0 {
		return badRequest("Invalid batch payload format: 'requests' holds nothing.")
	}
	if len(items) > batchMost {
		return badRequest("Number of batch request steps exceeds the maximum value of %d.", batchMost)
	}
	seen := map[string]bool{}
	for _, item := range items {
		id := strings.ToLower(item.ID)
		switch {
		case id == "":
			return badRequest("Invalid batch payload format: each request has an 'id'.")
		case seen[id]:
			return badRequest("Request Id values are not unique: '%s'.", item.ID)
		case item.URL == "" || item.Method == "":
			return badRequest("Invalid batch payload format: request '%s' has no 'method' or no 'url'.", item.ID)
		}
		for _, other := range item.DependsOn {
			if !seen[strings.ToLower(other)] {
				return badRequest("Invalid batch payload format: request '%s' depends on '%s', which does not stand before it.", item.ID, other)
			}
		}
		seen[id] = true
	}
	return nil
}

// recorder keeps the answer to one request of a batch.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (g *Graph) item(outer *call, item batchItem, status map[string]int) (object, int) {
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	r, err := outer.itemRequest(item)
	inner := g.newCall(w, outer.r)
	if err == nil {
		inner = g.newCall(w, r)
		inner.origin = outer.origin
		if slices.ContainsFunc(item.DependsOn, func(id string) bool { return status[strings.ToLower(id)] >= 400 }) {
			err = &Error{Status: http.StatusFailedDependency, Code: "FailedDependency", Message: "Failed dependency on request '" + strings.Join(item.DependsOn, "', '") + "'."}
		} else {
			err = g.serve(inner, true)
		}
	}
	if err != nil {
		g.fail(inner, err)
	}
	headers := object{}
	for _, name := range []string{"Location", "Retry-After", "Content-Type", "Preference-Applied"} {
		if v := w.header.Get(name); v != "" {
			headers = append(headers, member{name, v})
		}
	}
	answer := object{{"id", item.ID}, {"status", w.status}, {"headers", headers}}
	switch data := w.body.Bytes(); {
	case len(data) == 0:
	case strings.HasPrefix(w.header.Get("Content-Type"), "application/json"):
		answer = append(answer, member{"body", json.RawMessage(data)})
	default:
		answer = append(answer, member{"body", base64.StdEncoding.EncodeToString(data)})
	}
	return answer, w.status
}

// itemRequest makes the request of an item. Its address is relative to the version, with or without a slash; some clients
// put the version in front.
func (c *call) itemRequest(item batchItem) (*http.Request, error) {
	u, err := url.Parse(item.URL)
	if err != nil {
		return nil, badRequest("Invalid batch payload format: the url '%s' can't be read.", item.URL)
	}
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if first, _, _ := strings.Cut(path[1:], "/"); first != "v1.0" && first != "beta" {
		path = "/" + c.version + path
	}
	body := []byte(item.Body)
	if string(bytes.TrimSpace(body)) == "null" {
		body = nil
	}
	r, err := http.NewRequestWithContext(c.r.Context(), strings.ToUpper(item.Method), c.origin+path, bytes.NewReader(body))
	if err != nil {
		return nil, badRequest("Invalid batch payload format: request '%s' can't be made: %v.", item.ID, err)
	}
	r.URL.RawQuery = u.RawQuery
	for name, v := range item.Headers {
		r.Header.Set(name, v)
	}
	r.Header.Del("Content-Encoding")
	if len(body) > 0 && r.Header.Get("Content-Type") == "" {
		return nil, badRequest("Write request id : %s does not contain Content-Type header or body.", item.ID)
	}
	return r, nil
}
