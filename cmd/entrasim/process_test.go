package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets tests run the real main in a process of its own, as a command named entrasim.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"entrasim": main})
}

// program is this program in a process of its own.
type program struct {
	cmd  *exec.Cmd
	url  string // as it told on its standard output
	out  stream
	errs stream
	exit chan error // one value, when it has ended
}

// stream is a stream of a process that can be read while it is written.
type stream struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *stream) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *stream) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

var address = regexp.MustCompile(`https?://[^\s]+`)

// launch starts the program and waits until it tells its address.
func launch(dir string, env []string, args ...string) (*program, error) {
	path, err := exec.LookPath("entrasim")
	if err != nil {
		return nil, err
	}
	p := &program{cmd: exec.Command(path, args...), exit: make(chan error, 1)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, &p.out, &p.errs
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.exit <- p.cmd.Wait() }()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		out := p.out.String()
		if p.url = address.FindString(out); p.url != "" && strings.Contains(out, "Ctrl-C") {
			return p, nil
		}
		select {
		case err := <-p.exit:
			return nil, fmt.Errorf("entrasim %s ended before it served (%v):\n%s%s", strings.Join(args, " "), err, out, &p.errs)
		default:
		}
	}
	return nil, errors.Join(fmt.Errorf("entrasim %s did not tell its address in a minute", strings.Join(args, " ")), p.end(os.Kill))
}

// endLimit is how long a clean end may take: two seconds, and what the machine's load adds, measured by how long the program
// needs to print its version.
func endLimit() time.Duration {
	began := time.Now()
	if err := exec.Command("entrasim", "version").Run(); err != nil {
		return 0
	}
	return 2*time.Second + 10*time.Since(began)
}

// stop asks the program to end, and returns how it did; an end that takes longer than it may is an error.
func (p *program) stop() error {
	began := time.Now()
	if err := p.end(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%w\n%s", err, &p.errs)
	}
	if took := time.Since(began); took > endLimit() {
		return fmt.Errorf("the end took %v", took)
	}
	return nil
}

// end sends a signal and waits for the end.
func (p *program) end(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-p.exit:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("the program did not end in 20 s"), p.cmd.Process.Kill())
	}
}

// request sends one HTTP request and returns status and body.
func request(ctx context.Context, method, url, body string, header ...string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	return res.StatusCode, string(data), err
}

// TestKilledClock: a fast clock does not go back when the program is killed.
func TestKilledClock(t *testing.T) {
	dir := t.TempDir()
	now := func(p *program) time.Time {
		t.Helper()
		res, err := http.Get(p.url + "/sim/clock")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var state struct{ Now time.Time }
		if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
			t.Fatal(err)
		}
		return state.Now
	}
	var last time.Time
	for i := range 3 {
		p, err := launch(dir, os.Environ(), "serve", "--addr", "127.0.0.1:0", "--clock", "100000x", "--users", "5", "--groups", "1")
		if err != nil {
			t.Fatal(err)
		}
		if got := now(p); got.Before(last) {
			t.Errorf("start %d: the clock went back from %v to %v", i, last, got)
		}
		time.Sleep(1300 * time.Millisecond)
		last = now(p)
		if err := p.end(os.Kill); err == nil {
			t.Fatal("it had ended by itself")
		}
	}
}
