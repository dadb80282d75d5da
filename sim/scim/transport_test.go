package scim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// rawTarget answers each request of a connection with the next text; an empty text closes the connection instead. It
// returns the requests as they came over the wire.
func rawTarget(t *testing.T, answers ...string) (base string, requests func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen := make(chan string, 100)
	next := make(chan string, len(answers))
	for _, a := range answers {
		next <- a
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					head, length := "", 0
					for {
						line, err := in.ReadString('\n')
						if err != nil {
							return
						}
						head += line
						if _, err := fmt.Sscanf(line, "Content-Length: %d", &length); err == nil {
							continue
						}
						if line == "\r\n" {
							break
						}
					}
					body := make([]byte, length)
					if _, err := io.ReadFull(in, body); err != nil {
						return
					}
					seen <- head + string(body)
					a := <-next
					if a == "" {
						return
					}
					if _, err := io.WriteString(c, a); err != nil || strings.Contains(a, "Connection: close") {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/scim", func() []string {
		var list []string
		for len(seen) > 0 {
			list = append(list, <-seen)
		}
		return list
	}
}

func rawClient(base string, opt Options) *Client {
	return NewClient(Endpoint{Base: base}, "secret-token-value", opt, time.Now, nil)
}

const created = "HTTP/1.1 201 Created\r\nContent-Type: application/scim+json\r\nContent-Length: 11\r\n\r\n{\"id\":\"42\"}"

// The bytes of a request: the headers of the service in its order, no User-Agent, no Accept-Encoding.
//
// Shows: W-017
func TestRequestBytes(t *testing.T) {
	base, requests := rawTarget(t, created, "HTTP/1.1 204 No Content\r\n\r\n")
	c := rawClient(base, DefaultOptions())
	host := strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/scim")
	if _, err := c.Create(t.Context(), Tag{}, Group, []Attribute{{Path: "displayName", Value: "Ops"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), Tag{}, Group, "a/b 1"); err != nil {
		t.Fatal(err)
	}
	body := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Ops","members":[],"meta":{"resourceType":"Group"}}`
	common := "Host: " + host + "\r\nAuthorization: Bearer secret-token-value\r\nAccept: application/scim+json\r\nADSCIMVersion: 5.0\r\n"
	want := []string{
		"POST /scim/Groups HTTP/1.1\r\n" + common + fmt.Sprintf("Content-Type: application/scim+json; charset=utf-8\r\nContent-Length: %d\r\n\r\n", len(body)) + body,
		"DELETE /scim/Groups/a%2Fb%201 HTTP/1.1\r\n" + common + "\r\n",
	}
	got := requests()
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Answers in every framing that HTTP/1.1 knows, and what is no answer.
//
// Shows: W-207
func TestAnswerFraming(t *testing.T) {
	head := "Content-Type: application/scim+json\r\n"
	for name, c := range map[string]struct{ answer, wrong string }{
		"length":           {created, ""},
		"chunked":          {"HTTP/1.1 201 Created\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n6\r\n:\"42\"}\r\n0\r\n\r\n", ""},
		"until close":      {"HTTP/1.1 201 Created\r\n" + head + "Connection: close\r\n\r\n{\"id\":\"42\"}", ""},
		"HTTP/1.0":         {"HTTP/1.0 201 Created\r\n" + head + "Connection: close\r\n\r\n{\"id\":\"42\"}", ""},
		"informational":    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + created, ""},
		"cut":              {"HTTP/1.1 201 Created\r\n" + head + "Content-Length: 100\r\nConnection: close\r\n\r\n{\"id\"", "broke off"},
		"no HTTP":          {"220 mail.example ESMTP\r\nConnection: close\r\n\r\n", "is no HTTP"},
		"closed at once":   {"", "closed before an answer came"},
		"longer than said": {"HTTP/1.1 201 Created\r\n" + head + "Content-Length: 99999999999\r\nConnection: close\r\n\r\n", "longer than"},
		"endless":          {"HTTP/1.1 201 Created\r\n" + head + "Connection: close\r\n\r\n" + strings.Repeat("x", 2000), "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := rawTarget(t, c.answer)
			opt := DefaultOptions()
			opt.MaxAnswer = 1000
			id, err := rawClient(base, opt).Create(t.Context(), Tag{}, User, nil)
			var e *Error
			switch {
			case c.wrong == "" && (err != nil || id != "42"):
				t.Errorf("id %q, %v", id, err)
			case c.wrong != "" && (!errors.As(err, &e) || !e.NoAnswer || e.Code != CodeWebException || !strings.Contains(e.Detail, c.wrong)):
				t.Errorf("got %v; want no answer, %q", err, c.wrong)
			}
		})
	}
}

// A connection that the other side closed after its answer is not used again, and nothing is ever sent twice.
func TestKeptConnections(t *testing.T) {
	base, requests := rawTarget(t, created, created, "", created)
	c := rawClient(base, DefaultOptions())
	post := func() error {
		_, err := c.Create(t.Context(), Tag{}, User, nil)
		return err
	}
	if err := errors.Join(post(), post()); err != nil {
		t.Fatal(err)
	}
	c.wire.mu.Lock()
	kept := len(c.wire.idle)
	c.wire.mu.Unlock()
	if kept != 1 {
		t.Errorf("%d connections are kept; want the one that served both requests", kept)
	}
	if err := post(); err == nil { // the target reads it and closes without an answer
		t.Error("a request without an answer counts as success")
	}
	if err := post(); err != nil {
		t.Error(err)
	}
	if n := len(requests()); n != 4 {
		t.Errorf("%d requests arrived; want 4", n)
	}

	closing, requests := rawTarget(t, created, created)
	c = rawClient(closing, DefaultOptions())
	if err := post(); err != nil {
		t.Fatal(err)
	}
	c.wire.mu.Lock()
	idle := c.wire.idle[0]
	idle.used = time.Now().Add(-idleTimeout)
	c.wire.mu.Unlock()
	if err := post(); err != nil {
		t.Error(err)
	}
	if n := len(requests()); n != 2 {
		t.Errorf("%d requests arrived; want 2", n)
	}
}

// alive sees that the other side has closed.
func TestAlive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mine, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if !alive(mine) {
		t.Error("an open connection is called dead")
	}
	theirs.Close()
	for began := time.Now(); alive(mine); time.Sleep(time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatal("a closed connection is called alive")
		}
	}
}

// A cancelled request ends at once; one that takes too long is a Timeout; a token that could smuggle headers is refused.
func TestEndings(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	base := "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	var e *Error
	if _, err := rawClient(base, DefaultOptions()).Get(ctx, Tag{}, User, "1"); !errors.As(err, &e) || !errors.Is(e, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	opt := DefaultOptions()
	opt.Timeout = 20 * time.Millisecond
	if _, err := rawClient(base, opt).Get(t.Context(), Tag{}, User, "1"); !errors.As(err, &e) || e.Code != CodeTimeout {
		t.Errorf("slow: %v", err)
	}
	c := NewClient(Endpoint{Base: base}, "a\r\nX: y", DefaultOptions(), time.Now, nil)
	if _, err := c.Get(t.Context(), Tag{}, User, "1"); !errors.As(err, &e) || !strings.Contains(e.Detail, "control character") {
		t.Errorf("token with a line break: %v", err)
	}
}
