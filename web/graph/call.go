package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// call is one request on its way through a handler.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	origin  string // scheme and host as the client used them
	base    string // origin and version
	version string
	path    string // behind version and tenant, as the client wrote it
	params  map[string]string
	query   options

	requestID, clientRequestID string
}

// contentType is the media type of Graph's answers (concepts/json-batching.md).
const contentType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

func (g *Graph) newCall(w http.ResponseWriter, r *http.Request) *call {
	c := &call{w: w, r: r, requestID: newID()}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	c.origin = scheme + "://" + r.Host
	c.clientRequestID = r.Header.Get("client-request-id")
	if c.clientRequestID == "" || strings.ContainsAny(c.clientRequestID, "\r\n") || len(c.clientRequestID) > 256 {
		c.clientRequestID = c.requestID
	}
	h := w.Header()
	h.Set("OData-Version", "4.0")
	h.Set("Cache-Control", "no-cache")
	h["request-id"] = []string{c.requestID}
	h["client-request-id"] = []string{c.clientRequestID}
	h["x-ms-ags-diagnostic"] = []string{`{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"ENTRASIM"}}`}
	return c
}

// json answers with a JSON document.
func (c *call) json(status int, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", contentType)
	c.w.WriteHeader(status)
	_, err = c.w.Write(data)
	return err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (c *call) text(status int, s string) error {
	c.w.Header().Set("Content-Type", "text/plain")
	c.w.WriteHeader(status)
	_, err := c.w.Write([]byte(s))
	return err
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// eventual reports whether the request asks for the index that advanced queries need (concepts/aad-advanced-queries.md).
func (c *call) eventual() bool {
	return strings.EqualFold(strings.TrimSpace(c.r.Header.Get("ConsistencyLevel")), "eventual")
}

// context is the address of what an answer holds.
func (c *call) context(rest string) string { return c.base + "/$metadata#" + rest }

// member is one member of an object in an answer.
type member struct {
	name  string
	value any
}

// object is a JSON object whose members keep their order.
type object []member

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := encode(m.name)
		if err != nil {
			return nil, err
		}
		value, err := encode(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// with puts members in front.
func (o object) with(front ...member) object { return append(append(object{}, front...), o...) }

// entity answers with one object and its context.
func (c *call) entity(status int, context string, o object) error {
	return c.json(status, o.with(member{"@odata.context", c.context(context)}))
}

// collection answers with a list.
func collection[T any](c *call, context string, list []T) error {
	if list == nil {
		list = []T{}
	}
	return c.json(http.StatusOK, object{{"@odata.context", c.context(context)}, {"value", list}})
}

// never is what synchronization answers for a time that has not come (resources/synchronization-synchronizationstatus.md).
const never = "0001-01-01T00:00:00Z"

// seconds writes a time of the directory.
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// fine writes a time of the synchronization service, with seven digits of a second when it has any.
func fine(t time.Time) string {
	switch {
	case t.IsZero():
		return never
	case t.Nanosecond()/100 == 0:
		return seconds(t)
	}
	return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
}
