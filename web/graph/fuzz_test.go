package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"entrasim/directory"
)

// written writes a filter back so that it reads the same.
func (f *filter) written(b *strings.Builder) {
	list := func(sep string, args []*filter) {
		for i, a := range args {
			if i > 0 {
				b.WriteString(sep)
			}
			a.written(b)
		}
	}
	switch f.op {
	case "and", "or":
		b.WriteByte('(')
		list(" "+f.op+" ", f.args)
		b.WriteByte(')')
	case "not":
		b.WriteString("not (")
		f.args[0].written(b)
		b.WriteByte(')')
	case "startswith", "endswith", "contains":
		b.WriteString(f.op + "(")
		list(",", f.args)
		b.WriteByte(')')
	case "lower":
		b.WriteString("tolower(")
		f.args[0].written(b)
		b.WriteByte(')')
	case "any":
		b.WriteString(f.path + "/any(")
		if len(f.args) > 0 {
			b.WriteString(f.name + ":")
			f.args[0].written(b)
		}
		b.WriteByte(')')
	case "path":
		b.WriteString(f.path)
	case "in":
		f.args[0].written(b)
		b.WriteString(" in (")
		list(",", f.args[1:])
		b.WriteByte(')')
	case "literal":
		switch x := f.lit.(type) {
		case nil:
			b.WriteString("null")
		case string:
			b.WriteString("'" + strings.ReplaceAll(x, "'", "''") + "'")
		case time.Time:
			b.WriteString(x.Format(time.RFC3339Nano))
		case float64:
			b.WriteString(strconv.FormatFloat(x, 'f', -1, 64))
		default:
			fmt.Fprint(b, x)
		}
	default:
		f.args[0].written(b)
		b.WriteString(" " + f.op + " ")
		f.args[1].written(b)
	}
}

// plainTree is a tree without positions.
func plainTree(f *filter) *filter {
	c := *f
	c.pos, c.args = 0, nil
	if n, ok := c.lit.(float64); ok && n == 0 {
		c.lit = 0.0 // not minus zero
	}
	for _, a := range f.args {
		c.args = append(c.args, plainTree(a))
	}
	return &c
}

// refusal fails the test unless an error is one that Graph has for what a client sent.
func refusal(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code == "" || e.Message == "" {
		t.Fatalf("%v is no error of Graph", err)
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotImplemented:
	default:
		t.Fatalf("%v has the status %d", err, e.Status)
	}
}

// FuzzFilter: a $filter is refused in Graph's words, or read into a tree that can be written back and read again, and whose
// negation is true where it is false.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`displayName eq 'it''s' and accountEnabled eq true`, `startswith(displayName,'A') or endswith(mail,'.example') eq true`,
		`((contains(tolower(servicePrincipal/id), 'x') or contains(tolower(servicePrincipal/displayName), 'y')) and activityDateTime gt 2026-07-30 and activityDateTime lt 2026-07-31)`,
		`modifiedProperties/any(p: p/displayName eq 'manager' or p/displayName eq 'members')`, `groupTypes/any(c:c eq 'Unified')`, `proxyAddresses/any(x:startswith(x,'smtp:'))`,
		`id in ('a',b2c3d4e5-f607-4819-a0b1-c2d3e4f50617, null)`, `not (department ne null)`, `createdDateTime ge 2026-01-31T09:00:00.5+02:00`, `durationInMilliseconds lt -1.5e3`,
		`members/$count eq 0`, `not not not displayName eq ''`, `businessPhones/any()`, strings.Repeat("(", 60), strings.Repeat("not ", 60), `displayName eq "x"`, `a eq 'é`, "\xff eq 1",
	} {
		f.Add(seed)
	}
	user := directory.User{UserPrincipalName: "adele@contoso.example", Mail: "adele@contoso.example", AccountEnabled: true, BusinessPhones: []string{"+1 425 555 0109"}}
	user.DisplayName, user.CreatedDateTime = "Adele Vance", time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	kinds := []*kind{userKind, groupKind, principalKind, applicationKind, logKind}
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := parseFilter(text)
		if err != nil {
			refusal(t, err)
			return
		}
		var b strings.Builder
		tree.written(&b)
		if b.Len() <= maxFilter {
			again, err := parseFilter(b.String())
			if err != nil {
				if !strings.Contains(err.Error(), "deep") { // brackets were added
					t.Fatalf("%q is written as %q: %v", text, b.String(), err)
				}
			} else if !reflect.DeepEqual(plainTree(tree), plainTree(again)) {
				t.Fatalf("%q is written as %q, which is another filter", text, b.String())
			}
		}
		for _, k := range kinds {
			if err := tree.check(k); err != nil {
				refusal(t, err)
				continue
			}
			if err := k.needsMore(tree); err != nil {
				refusal(t, err)
			}
			get := userValues(&user)
			if k != userKind {
				get = func(string) any { return nil }
			}
			if no := (&filter{op: "not", args: []*filter{tree}}); tree.matches(get, k.exact) == no.matches(get, k.exact) {
				t.Fatalf("%q and its negation are both %v", text, tree.matches(get, k.exact))
			}
		}
	})
}

// FuzzBody: a body is refused in Graph's words, or it is one JSON object in the strict sense of RFC 8259 and 7493: no member
// twice, UTF-8 alone. Packed, it is read the same.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"displayName":"Adele","accountEnabled":true,"businessPhones":["+1"],"passwordProfile":{"password":"x","forceChangePasswordNextSignIn":false}}`,
		"\xef\xbb\xbf{\"a\":1}", `{"a":1,"a":2}`, `{"a":{"b":[{"c":null}]}}`, `[1,2]`, `{"a":1}{}`, `{"a":1e999}`, `{"a":"\ud800"}`, `{"\u0061":1,"a":2}`, `{"a":01}`, `{"a":1,}`, "{\"a\":\"\x01\"}", "\xff", ` `,
		strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300), `{"members@odata.bind":["https://graph.microsoft.com/v1.0/directoryObjects/1"],"@odata.type":"#microsoft.graph.group"}`,
	} {
		f.Add([]byte(seed))
	}
	read := func(data []byte, coding string) (fields, error) {
		r := httptest.NewRequest(http.MethodPost, "/v1.0/users", bytes.NewReader(data))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", coding)
		return (&call{r: r}).object(false)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := read(data, "")
		text := jsontext.Value(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
		strict := text.IsValid()
		if err != nil {
			refusal(t, err)
			var object map[string]any
			if strict && json.Unmarshal(text, &object) == nil && object != nil && !strings.Contains(err.Error(), "deep") {
				t.Fatalf("%q is refused: %v", data, err)
			}
		} else {
			// Halves of surrogate pairs are read as U+FFFD, as encoding/json does.
			if !strict && !text.IsValid(jsontext.AllowInvalidUTF8(true)) {
				t.Fatalf("%q is read as %v", data, got)
			}
			dropAnnotations(got)
			for name := range got {
				if strings.Contains(name, "@odata.") {
					t.Fatalf("%q keeps %q", data, name)
				}
			}
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		same, packedErr := read(packed.Bytes(), "gzip")
		dropAnnotations(same)
		if fmt.Sprint(err) != fmt.Sprint(packedErr) || !reflect.DeepEqual(got, same) {
			t.Fatalf("%q is read as %v, %v; packed as %v, %v", data, got, err, same, packedErr)
		}
		if _, err := read(data, "gzip"); err != nil { // hardly ever a gzip stream
			refusal(t, err)
		}
	})
}
