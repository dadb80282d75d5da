package sim

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// answers puts f between the service and the target. A positive status is answered instead of the target; a negative one
// after the target has done what was asked, so that its answer is lost on the way; with 0 the request passes.
func (w *world) answers(f func(method, path, body string) (status int)) {
	inner := w.http.Config.Handler
	w.http.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch status := f(r.Method, strings.TrimPrefix(r.URL.RequestURI(), "/scim"), string(body)); {
		case status > 0:
			rw.WriteHeader(status)
		case status < 0:
			inner.ServeHTTP(httptest.NewRecorder(), r)
			rw.WriteHeader(-status)
		default:
			inner.ServeHTTP(rw, r)
		}
	})
}

// escrows is the number of operations that wait for a retry.
func (w *world) escrows() int {
	w.t.Helper()
	j, err := w.svc.Job(w.app.ID)
	w.no(err)
	return j.Escrows
}

// reopen puts a new service over the file, as a start of the program behind a kill does.
func (w *world) reopen() {
	w.t.Helper()
	svc, err := Open(Options{Directory: w.dir, Clock: w.clock, Seed: 1, Wire: &w.svc.wire})
	w.no(err)
	w.dir.OnCommit(svc.DirectoryChanged)
	svc.Begin(context.Background())
	w.svc, w.seen = svc, 0
}
