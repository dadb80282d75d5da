package scim

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// transport speaks HTTP/1.1 with one host over connections that are kept alive. It writes the head of a request itself, so
// that the headers leave in the order in which they are recorded and that none is among them which Entra does not send;
// net/http reads the answers. One goroutine serves an exchange from end to end, at about half the cost of http.Transport.
// It follows no redirects and uses no proxy.
type transport struct {
	addr string // host:port
	host string // value of the Host header
	tls  *tls.Config
	open func(ctx context.Context, network, addr string) (net.Conn, error)
	// timeout is how long an exchange may take, limit how many bytes an answer may have.
	timeout time.Duration
	limit   int64

	mu     sync.Mutex
	idle   []*conn // the one used last stands last
	closed bool
}

const (
	dialTimeout = 30 * time.Second
	idleTimeout = 90 * time.Second
	maxIdle     = 64
)

// conn is one connection. Errors of closing it are nobody's business: its answer is here, or another error is.
type conn struct {
	net.Conn
	socket net.Conn // beneath TLS
	in     *bufio.Reader
	out    []byte
	used   time.Time // zero before the first exchange
	watch  *watch    // on the context of the last exchange
	busy   atomic.Pointer[watch]
}

// watch ends exchanges of a connection when their context ends. The requests of a cycle have one context in common: it is
// watched from the first of them on, also between two, when there is nothing to end.
type watch struct {
	ctx  context.Context
	stop func() bool
}

// begin notes that an exchange under ctx begins. An error says that ctx has ended.
func (c *conn) begin(ctx context.Context) error {
	if c.watch == nil || c.watch.ctx != ctx {
		c.unwatch()
		w := &watch{ctx: ctx}
		w.stop = context.AfterFunc(ctx, func() {
			if c.busy.Load() == w {
				c.Conn.Close()
			}
		})
		c.watch = w
	}
	c.busy.Store(c.watch)
	return ctx.Err()
}

func (c *conn) unwatch() {
	if c.watch != nil {
		c.watch.stop()
		c.watch = nil
	}
}

// Close closes the connection for good.
func (c *conn) Close() error {
	c.unwatch()
	return c.Conn.Close()
}

func newTransport(base string, opt Options) (*transport, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	if opt.StrictTLS && u.Scheme != "https" {
		return nil, errors.New("the endpoint is not HTTPS")
	}
	t := &transport{host: u.Host, timeout: opt.Timeout, limit: opt.MaxAnswer, open: opt.Dial}
	if t.open == nil {
		t.open = (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	port := u.Port()
	if u.Scheme == "https" {
		t.tls = tlsConfig(u.Hostname(), opt.StrictTLS)
	}
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	t.addr = net.JoinHostPort(u.Hostname(), port)
	return t, nil
}

// do sends one request, target being path and query, and returns its whole answer. It is sent once: what a kept connection
// loses because the other side closes it at that moment counts as a failure, so that the recorded exchanges are those of
// the wire.
func (t *transport) do(ctx context.Context, method, target string, headers [][2]string, body []byte) (*http.Response, []byte, error) {
	deadline := time.Now().Add(t.timeout)
	c, err := t.take(ctx, deadline)
	if err != nil {
		return nil, nil, err
	}
	res, data, err := c.exchange(ctx, deadline, method, target, headers, body, t.limit)
	switch {
	case err != nil:
		c.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, err
	case res.Close || c.in.Buffered() > 0:
		c.Close()
	default:
		t.put(c)
	}
	return res, data, nil
}

// take returns the connection that was used last if it is still good, else a new one.
func (t *transport) take(ctx context.Context, deadline time.Time) (*conn, error) {
	for {
		t.mu.Lock()
		n := len(t.idle)
		if n == 0 {
			t.mu.Unlock()
			return t.dial(ctx, deadline)
		}
		c := t.idle[n-1]
		t.idle[n-1] = nil
		t.idle = t.idle[:n-1]
		t.mu.Unlock()
		if age := time.Since(c.used); age < time.Millisecond || age < idleTimeout && alive(c.socket) {
			return c, nil
		}
		c.Close()
	}
}

func (t *transport) put(c *conn) {
	c.used = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || len(t.idle) >= maxIdle {
		c.Close()
		return
	}
	t.idle = append(t.idle, c)
}

// close drops idle connections, and those in use when they come back.
func (t *transport) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, c := range t.idle {
		c.Close()
	}
	t.idle = nil
}

func (t *transport) dial(ctx context.Context, deadline time.Time) (*conn, error) {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	socket, err := t.open(ctx, "tcp", t.addr)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: socket, socket: socket}
	if t.tls != nil {
		secure := tls.Client(socket, t.tls)
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			socket.Close()
			return nil, err
		}
		c.Conn = secure
	}
	c.in = bufio.NewReaderSize(c.Conn, 8<<10)
	return c, nil
}

// exchange sends one request and reads the answer.
func (c *conn) exchange(ctx context.Context, deadline time.Time, method, target string, headers [][2]string, body []byte, limit int64) (res *http.Response, data []byte, err error) {
	if err := c.SetDeadline(deadline); err != nil {
		return nil, nil, err
	}
	if err := c.begin(ctx); err != nil {
		return nil, nil, err
	}
	defer func() {
		c.busy.Store(nil)
		if ctx.Err() != nil && res != nil {
			res.Close = true
		}
	}()
	c.out = append(append(append(append(c.out[:0], method...), ' '), target...), " HTTP/1.1\r\n"...)
	for _, h := range headers {
		c.out = append(append(append(append(c.out, h[0]...), ": "...), h[1]...), "\r\n"...)
	}
	c.out = append(append(c.out, "\r\n"...), body...)
	_, writeErr := c.Write(c.out)
	// A server may refuse a body before it has read it all, and close: its answer counts.
	if _, err := c.in.Peek(1); err != nil {
		if writeErr != nil {
			err = writeErr
		} else if errors.Is(err, io.EOF) {
			err = errors.New("the connection was closed before an answer came")
		}
		return nil, nil, err
	}
	for res == nil || res.StatusCode >= 100 && res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
		if res, err = http.ReadResponse(c.in, nil); err != nil {
			return nil, nil, fmt.Errorf("the answer is no HTTP: %w", err)
		}
	}
	data, err = readAll(res, limit)
	if err != nil {
		return nil, nil, err
	}
	res.Close = res.Close || writeErr != nil
	return res, data, nil
}

func readAll(res *http.Response, limit int64) ([]byte, error) {
	defer res.Body.Close()
	if res.ContentLength > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	var data []byte
	var err error
	if res.ContentLength >= 0 {
		data = make([]byte, res.ContentLength)
		_, err = io.ReadFull(res.Body, data)
	} else {
		data, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	}
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return data, nil
}

// validHeader reports whether a header's value can be sent: no line break may come out of a token.
func validHeader(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}
