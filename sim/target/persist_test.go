package target

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"
)

func openDB(t testing.TB) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "test.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// picture is everything that a server answers about its resources, with the order of members.
func picture(t testing.TB, s *Server) string {
	t.Helper()
	var b strings.Builder
	for _, store := range s.Stores() {
		st := s.Store(store)
		for _, kind := range []string{"User", "Group"} {
			list, _ := st.List(kind, 0, 10_000)
			for _, r := range list {
				fmt.Fprintf(&b, "%s %s %v\n", store, r.JSON, st.Members(r.ID))
			}
		}
	}
	return b.String()
}

// edits are random changes of a store over HTTP.
type edits struct {
	t     testing.TB
	s     *Server
	users []string
	group string
	n     int
}

func (e *edits) one(r *rapid.T) {
	op := rapid.SampledFrom([]string{"create", "create", "delete", "join", "leave", "rename", "replace", "reset", "flush", "failed flush"}).Draw(r, "op")
	pick := func() string {
		if len(e.users) == 0 {
			return "none"
		}
		return rapid.SampledFrom(e.users).Draw(r, "user")
	}
	e.n++
	switch op {
	case "create":
		if e.group == "" {
			e.group = create(e.t, e.s, "Groups", `"displayName":"G <&>"`)
		}
		e.users = append(e.users, create(e.t, e.s, "Users", fmt.Sprintf(`"userName":"u%d","externalId":"x%d"`, e.n, e.n%3)))
	case "delete":
		id := pick()
		send(e.t, e.s, "DELETE", "/Users/"+id, "")
		e.users = slices.DeleteFunc(e.users, func(u string) bool { return u == id })
	case "join":
		send(e.t, e.s, "PATCH", "/Groups/"+e.group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+pick()+`"}]}`))
	case "leave":
		send(e.t, e.s, "PATCH", "/Groups/"+e.group, patchBody(`{"op":"remove","path":"members[value eq \"`+pick()+`\"]"}`))
	case "rename":
		send(e.t, e.s, "PATCH", "/Users/"+pick(), patchBody(fmt.Sprintf(`{"op":"replace","path":"displayName","value":"<%d> & é\u2028"}`, e.n)))
	case "replace":
		send(e.t, e.s, "PUT", "/Users/"+pick(), fmt.Sprintf(`{%s,"userName":"put%d"}`, userSchema, e.n))
	case "reset":
		if rapid.IntRange(0, 3).Draw(r, "really") == 0 {
			e.s.Reset()
			e.users, e.group = nil, ""
		}
	case "flush":
		if err := e.s.FlushNow(); err != nil {
			r.Fatal(err)
		}
	case "failed flush": // the transaction that it was part of does not commit
		stop := errors.New("stop")
		err := e.s.opt.DB.Update(func(tx *bbolt.Tx) error { return errors.Join(e.s.Flush(tx), stop) })
		if !errors.Is(err, stop) {
			r.Fatal(err)
		}
	}
}

// TestFileHoldsWhatMemoryHeld: random changes and flushes, and a server that reads the file anew holds the same and gives
// the same ids.
func TestFileHoldsWhatMemoryHeld(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		db := openDB(t)
		e := &edits{t: t, s: newServer(t, db)}
		for range rapid.IntRange(3, 30).Draw(r, "steps") {
			e.one(r)
		}
		if err := e.s.FlushNow(); err != nil {
			r.Fatal(err)
		}
		if e.s.Dirty() {
			r.Fatal("something is left to write after a flush")
		}
		again := newServer(t, db)
		if got, want := picture(t, again), picture(t, e.s); got != want {
			r.Fatalf("the file holds\n%s\nmemory held\n%s", got, want)
		}
		for i := range 3 {
			body := fmt.Sprintf(`"userName":"last%d","externalId":"x%d"`, i, i)
			if got, want := create(t, again, "Users", body), create(t, e.s, "Users", body); got != want {
				r.Fatalf("the next id is %s, and %s without a restart", got, want)
			}
		}
	})
}

// TestFlushBesideWrites flushes while requests come in: what a flush did not see comes with the next.
func TestFlushBesideWrites(t *testing.T) {
	db := openDB(t)
	s := newServer(t, db)
	group := create(t, s, "Groups", `"displayName":"G"`)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				id := newUser(t, s, fmt.Sprintf("w%du%d", w, i))
				must(t, s, 204, "PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
				if i%3 == 0 {
					must(t, s, 204, "DELETE", "/Users/"+id, "")
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for flushing := true; flushing; {
		select {
		case <-done:
			flushing = false
		default:
		}
		if err := s.FlushNow(); err != nil {
			t.Fatal(err)
		}
		again := newServer(t, db) // what stands in the file is always whole: load refuses a membership without its ends
		if n := strings.Count(picture(t, again), "\n"); n == 0 && !flushing {
			t.Fatal("nothing was written")
		}
	}
	if got, want := picture(t, newServer(t, db)), picture(t, s); got != want {
		t.Error("the file does not hold what memory holds")
	}
}

// TestStoresAreApart: each store has its own resources and ids.
func TestStoresAreApart(t *testing.T) {
	db := openDB(t)
	s := newServer(t, db)
	for _, name := range []string{"default", "other"} {
		h := s.Handler(name)
		for i := range 2 {
			ask(t, h, "POST", "/Users", fmt.Sprintf(`{%s,"userName":"u%d"}`, userSchema, i), 201)
		}
	}
	if err := s.FlushNow(); err != nil {
		t.Fatal(err)
	}
	again := newServer(t, db)
	if got := again.Stores(); !slices.Equal(got, []string{"default", "other"}) {
		t.Fatalf("stores %v", got)
	}
	a, _ := again.Store("default").List("User", 0, 1)
	b, _ := again.Store("other").List("User", 0, 1)
	if a[0].ID == b[0].ID {
		t.Error("two stores gave the same id")
	}
	if again.Store("Not A Name") != nil {
		t.Error("a store has no such name")
	}
	if !again.Store("other").Delete(b[0].ID) || again.Store("other").Delete(b[0].ID) {
		t.Error("Delete does not tell whether there was something")
	}
	again.Reset()
	again.Store("default")
	if got := again.Stores(); !slices.Equal(got, []string{"default"}) {
		t.Errorf("after a reset and a use of one: stores %v", got)
	}
	if err := again.FlushNow(); err != nil {
		t.Fatal(err)
	}
	if got := newServer(t, db).Stores(); len(got) != 0 {
		t.Errorf("the file names stores that were emptied: %v", got)
	}
}
