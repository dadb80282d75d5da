package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.etcd.io/bbolt"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// TestScripts runs what a user can type against the real main. Each file in testdata is one script; beside testscript's
// own commands they have those of scriptCommands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: scriptCommands, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			if err := os.MkdirAll(filepath.Join(env.WorkDir, ".tmp"), 0o700); err != nil {
				return err
			}
			env.Values[running{}] = map[string]*program{}
			env.Defer(func() {
				for _, p := range env.Values[running{}].(map[string]*program) {
					if err := p.cmd.Process.Kill(); err == nil {
						<-p.exit
					}
				}
			})
			return nil
		}})
}

// running is the key of a script's started programs.
type running struct{}

func programs(ts *testscript.TestScript) map[string]*program {
	return ts.Value(running{}).(map[string]*program)
}

// environment is a script's own, with nothing of the tester's variables for the program.
func environment(ts *testscript.TestScript) []string {
	var list []string
	for _, name := range append([]string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR"}, variables...) {
		if v := ts.Getenv(name); v != "" {
			list = append(list, name+"="+v)
		}
	}
	return list
}

// variables are the program's own environment variables that scripts may set.
var variables = []string{"ENTRASIM_ADDR", "ENTRASIM_DATA", "ENTRASIM_EPHEMERAL", "ENTRASIM_CLOCK", "ENTRASIM_EMPTY", "ENTRASIM_SEED", "ENTRASIM_USERS",
	"ENTRASIM_GROUPS", "GITHUB_ACTIONS", "ENTRASIM_API_TOKEN", "ENTRASIM_TLS_ADDR", "ENTRASIM_TARGET_URL", "ENTRASIM_TOKEN"}

func named(ts *testscript.TestScript, name string) *program {
	p := programs(ts)[name]
	if p == nil {
		ts.Fatalf("no program %s was started", name)
	}
	return p
}

var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	// exits CODE args...: run the program to its end; it must end with that code, within half a minute.
	"exits": func(ts *testscript.TestScript, _ bool, args []string) {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, "entrasim", args[1:]...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), environment(ts), ts.Stdout(), ts.Stderr()
		err := cmd.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		if got := cmd.ProcessState.ExitCode(); strconv.Itoa(got) != args[0] {
			ts.Fatalf("entrasim %s: exit code %d, want %s", strings.Join(args[1:], " "), got, args[0])
		}
	},
	// start NAME args...: run the program in the background until it serves; $NAME becomes its address.
	"start": func(ts *testscript.TestScript, _ bool, args []string) {
		p, err := launch(ts.MkAbs("."), environment(ts), args[1:]...)
		ts.Check(err)
		programs(ts)[args[0]] = p
		ts.Setenv(args[0], p.url)
	},
	// begin NAME args...: run the program in the background and don't wait for it.
	"begin": func(ts *testscript.TestScript, _ bool, args []string) {
		p := &program{cmd: exec.Command("entrasim", args[1:]...), exit: make(chan error, 1)}
		p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), environment(ts), &p.out, &p.errs
		ts.Check(p.cmd.Start())
		go func() { p.exit <- p.cmd.Wait() }()
		programs(ts)[args[0]] = p
	},
	// end NAME [CODE]: SIGTERM; it must end with that code, 0 when none is named, in the time that it may take. Its output
	// can be examined afterwards.
	"end": func(ts *testscript.TestScript, _ bool, args []string) {
		p := named(ts, args[0])
		delete(programs(ts), args[0])
		began := time.Now()
		err := p.end(syscall.SIGTERM)
		show(ts, p)
		if took := time.Since(began); took > endLimit() {
			ts.Fatalf("the end took %v", took)
		}
		code := "0"
		if len(args) > 1 {
			code = args[1]
		}
		if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != code {
			ts.Fatalf("exit code %s, want %s: %v", got, code, err)
		}
	},
	// interrupt NAME: SIGINT, as Ctrl-C sends it; it must end with code 0.
	"interrupt": func(ts *testscript.TestScript, _ bool, args []string) {
		p := named(ts, args[0])
		delete(programs(ts), args[0])
		ts.Check(p.end(os.Interrupt))
		show(ts, p)
	},
	// crash NAME: SIGKILL.
	"crash": func(ts *testscript.TestScript, _ bool, args []string) {
		p := named(ts, args[0])
		delete(programs(ts), args[0])
		if err := p.end(os.Kill); err == nil {
			ts.Fatalf("%s had ended by itself", args[0])
		}
	},
	// says NAME: what a running program has written so far.
	"says": func(ts *testscript.TestScript, _ bool, args []string) { show(ts, named(ts, args[0])) },
	// http STATUS METHOD URL [BODY]: send a request; the body of the answer can be examined. $token is sent when it is set.
	"http": func(ts *testscript.TestScript, _ bool, args []string) {
		status, body, err := send2(ts, args[1:])
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), body)
		if strconv.Itoa(status) != args[0] {
			ts.Fatalf("%s: status %d, want %s", strings.Join(args[1:], " "), status, args[0])
		}
	},
	// https CA STATUS METHOD URL [HOST]: the same over HTTPS, with the certificates of a file as the only ones trusted.
	"https": func(ts *testscript.TestScript, _ bool, args []string) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(ts.ReadFile(args[0]))) {
			ts.Fatalf("%s holds no certificate", args[0])
		}
		status, body, err := encrypted(pool, args[2:])
		ts.Check(err)
		fmt.Fprintln(ts.Stdout(), body)
		if strconv.Itoa(status) != args[1] {
			ts.Fatalf("%s: status %d, want %s", strings.Join(args[2:], " "), status, args[1])
		}
	},
	// distrusted METHOD URL: a client that trusts nobody gets no answer over HTTPS.
	"distrusted": func(ts *testscript.TestScript, _ bool, args []string) {
		_, _, err := encrypted(x509.NewCertPool(), args)
		var unknown x509.UnknownAuthorityError
		if !errors.As(err, &unknown) {
			ts.Fatalf("got %v, want an unknown authority", err)
		}
	},
	// secret FILE: it can be read by its owner alone.
	"secret": func(ts *testscript.TestScript, _ bool, args []string) {
		info, err := os.Stat(ts.MkAbs(args[0]))
		ts.Check(err)
		if info.Mode() != 0o600 {
			ts.Fatalf("%s has the mode %v", args[0], info.Mode())
		}
	},
	// until REGEXP METHOD URL: repeat a request until its answer matches.
	"until": func(ts *testscript.TestScript, _ bool, args []string) {
		want := regexp.MustCompile(args[0])
		var body string
		for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
			var err error
			if _, body, err = send2(ts, args[1:]); err == nil && want.MatchString(body) {
				fmt.Fprintln(ts.Stdout(), body)
				return
			}
		}
		ts.Fatalf("%s never answered %s, but %s", strings.Join(args[1:], " "), args[0], body)
	},
	// stream URL: open a stream and keep reading from it.
	"stream": func(ts *testscript.TestScript, _ bool, args []string) {
		ctx, cancel := context.WithCancel(context.Background())
		ts.Defer(cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
		ts.Check(err)
		res, err := http.DefaultTransport.RoundTrip(req)
		ts.Check(err)
		go func() {
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				return // the program ended it
			}
		}()
	},
	// capture NAME REGEXP: $NAME becomes the first group of a match in the last output.
	"capture": func(ts *testscript.TestScript, _ bool, args []string) {
		m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
		if m == nil {
			ts.Fatalf("%s is not in the output", args[1])
		}
		ts.Setenv(args[0], m[1])
	},
	// standin NAME KIND: serve a target that is broken in one way; $NAME becomes its base URL.
	"standin": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Setenv(args[0], standin(ts, args[1])+"/scim")
	},
	// bbolt FILE BUCKET KEY VALUE: make a bbolt file with one entry.
	"bbolt": func(ts *testscript.TestScript, _ bool, args []string) {
		db, err := bbolt.Open(ts.MkAbs(args[0]), 0o600, nil)
		ts.Check(err)
		ts.Check(db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(args[1]))
			if err != nil {
				return err
			}
			return b.Put([]byte(args[2]), []byte(args[3]))
		}))
		ts.Check(db.Close())
	},
}

func show(ts *testscript.TestScript, p *program) {
	fmt.Fprint(ts.Stdout(), p.out.String())
	fmt.Fprint(ts.Stderr(), p.errs.String())
}

func send2(ts *testscript.TestScript, args []string) (int, string, error) {
	body := ""
	if len(args) > 2 {
		body = args[2]
	}
	header := []string{"Content-Type", "application/json"}
	if strings.Contains(body, "=") && !strings.HasPrefix(body, "{") {
		header[1] = "application/x-www-form-urlencoded"
	}
	if token := ts.Getenv("token"); token != "" {
		header = append(header, "Authorization", "Bearer "+token)
	}
	return request(context.Background(), args[0], args[1], body, header...)
}

// encrypted sends a request over HTTPS; a third argument names another host in it.
func encrypted(trusted *x509.CertPool, args []string) (int, string, error) {
	req, err := http.NewRequest(args[0], args[1], nil)
	if err != nil {
		return 0, "", err
	}
	if len(args) > 2 {
		req.Host = args[2]
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.ProtoMajor != 2 {
		err = fmt.Errorf("the answer came over %s", res.Proto)
	}
	return res.StatusCode, string(data), err
}

// standin serves a target that is broken in one way.
func standin(ts *testscript.TestScript, kind string) string {
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: clock.Wall, Seed: 1})
	ts.Check(err)
	good := tg.Handler("default")
	var unlucky atomic.Pointer[string]
	handlers := map[string]http.HandlerFunc{
		"html": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><html><body>Sign in</body></html>")
		},
		"nogroups": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/Groups") {
				http.NotFound(w, r)
				return
			}
			good.ServeHTTP(w, r)
		},
		"forbidden": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		},
		"onefails": func(w http.ResponseWriter, r *http.Request) { // the first user that comes can't be created
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			name := regexp.MustCompile(`"userName":"[^"]*"`).FindString(string(body))
			if r.Method == http.MethodPost && name != "" {
				unlucky.CompareAndSwap(nil, &name)
				if *unlucky.Load() == name {
					w.Header().Set("Content-Type", "application/scim+json")
					w.WriteHeader(http.StatusBadRequest)
					fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","detail":"the number 13 is unlucky"}`)
					return
				}
			}
			good.ServeHTTP(w, r)
		},
		"slow": func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Millisecond)
			good.ServeHTTP(w, r)
		},
		"stalls": func(w http.ResponseWriter, r *http.Request) { // until something is to be created
			if r.Method == http.MethodPost {
				if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then is the client's end noticed
					return
				}
				<-r.Context().Done()
				return
			}
			good.ServeHTTP(w, r)
		},
		"busy": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			good.ServeHTTP(w, r)
		},
		"hangs": func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		},
		"tls":  good.ServeHTTP,
		"down": good.ServeHTTP,
	}
	h, ok := handlers[kind]
	if !ok {
		ts.Fatalf("there is no stand-in %q", kind)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = nil
	if kind == "tls" {
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		server.StartTLS()
	} else {
		server.Start()
	}
	if kind == "down" {
		server.Close()
	} else {
		ts.Defer(server.Close)
		ts.Defer(server.CloseClientConnections) // before Close, which waits for requests
	}
	return server.URL
}
