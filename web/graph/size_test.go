package graph_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"entrasim/directory"
	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
	"entrasim/web"
)

var manyUsers = flag.Int("users", 1_000_000, "users of the larger company of BenchmarkSize")

// sized is a server over a company, without a network: what is measured is the program.
type sized struct {
	http.Handler
	b    *testing.B
	last time.Time // when its people changed last
}

// company makes a company of that many users, of which the starter application provisions three groups. Then 50 of them
// change every three hours: 4 times in the smallest company, and up to 200 times, so that the log grows with the company.
func company(b *testing.B, users int) sized {
	b.Helper()
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	dir, err := directory.Open(filepath.Join(b.TempDir(), fmt.Sprint(users, ".db")), directory.Options{Seed: 1, Now: begin, NoSync: true})
	must(b, err)
	must(b, dir.Generate(b.Context(), begin, directory.Company{Users: users, Groups: users / 50, Seed: 1}, nil))
	c := clock.New(clock.Manual, 1, begin)
	tg, err := target.New(target.Options{Token: sim.EmbeddedToken, Now: c.Now, Wait: c.Pass, Seed: 1, DB: dir.DB()})
	must(b, err)
	log, self := slog.New(slog.DiscardHandler), ""
	svc, err := sim.Open(sim.Options{Directory: dir, Clock: c, Seed: 1, FlushTarget: tg.Flush, SelfURL: func() string { return self }, Log: log})
	must(b, err)
	dir.OnCommit(svc.DirectoryChanged)
	s, err := web.New(web.Deps{Service: svc, Target: tg, DataFile: "size.db", Log: log, Reset: func(context.Context) error { return nil }})
	must(b, err)
	listener := httptest.NewServer(s.Handler()) // for the embedded target alone
	self = listener.URL
	svc.Begin(b.Context())
	b.Cleanup(func() {
		listener.Close()
		must(b, svc.Close())
		must(b, dir.Close())
	})
	must(b, svc.Starter(b.Context()))
	apps, err := svc.Applications()
	must(b, err)
	must(b, svc.Start(apps[0].ID))
	_, err = svc.Advance(b.Context(), time.Minute)
	must(b, err)
	sz := sized{Handler: s.Handler(), b: b}
	assigned := sz.ids("/v1.0/servicePrincipals/"+apps[0].ID+"/appRoleAssignedTo", "principalId")
	people := sz.ids("/v1.0/groups/"+assigned[0]+"/members?$top=50", "id")
	for round := range min(200, max(4, users/5000)) {
		for i, id := range people {
			sz.send(http.MethodPatch, "/v1.0/users/"+id, fmt.Sprintf(`{"displayName":"Changed %d %d"}`, i, round), http.StatusNoContent)
		}
		_, err = svc.Advance(b.Context(), 3*time.Hour)
		must(b, err)
	}
	sz.last = c.Now().Add(-3 * time.Hour)
	return sz
}

// ids reads one member of every object of a list.
func (s sized) ids(address, member string) (list []string) {
	var page struct {
		Value []map[string]any `json:"value"`
	}
	must(s.b, json.Unmarshal([]byte(s.get(address)), &page))
	for _, o := range page.Value {
		id, _ := o[member].(string)
		list = append(list, id)
	}
	return list
}

func (s sized) get(address string) string { return s.send(http.MethodGet, address, "", http.StatusOK) }

// send sends a request and fails the benchmark when the answer has another status.
func (s sized) send(method, address, body string, status int) string {
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	r.Host = "127.0.0.1"
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != status {
		s.b.Fatalf("%s %s: %d %s", method, address, w.Code, w.Body)
	}
	return w.Body.String()
}

// BenchmarkSize asks the same of a company of 1,000 users and of one of a million. Each question may take at most twice as
// long on the large one, by the median of many turns in which both are asked; the benchmark fails when it does not hold:
// `go test -run x -bench Size -benchtime 1x -timeout 30m ./web/graph`.
func BenchmarkSize(b *testing.B) {
	small, large := company(b, 1000), company(b, *manyUsers)
	names := map[*sized]string{}
	for _, s := range []*sized{&small, &large} {
		list := s.ids("/v1.0/users?$select=userPrincipalName&$top=900", "userPrincipalName")
		names[s] = list[len(list)-1]
	}
	logs := func(filter string) string { return "/v1.0/auditLogs/provisioning?$filter=" + url.QueryEscape(filter) }
	for _, q := range []struct {
		name    string
		address func(s *sized) string
	}{
		{"page of 100", func(*sized) string { return "/v1.0/users?$top=100" }},
		{"look-up by UPN", func(s *sized) string { return "/v1.0/users/" + names[s] }},
		{"filter by UPN", func(s *sized) string {
			return "/v1.0/users?$filter=" + url.QueryEscape("userPrincipalName eq '"+names[s]+"'")
		}},
		{"startswith(displayName)", func(*sized) string {
			return "/v1.0/users?$top=5&$filter=" + url.QueryEscape("startswith(displayName,'A')")
		}},
		{"delta page", func(*sized) string { return "/v1.0/users/delta" }},
		{"newest of the log by time", func(s *sized) string { return logs("activityDateTime gt " + s.last.Format(time.RFC3339)) }},
		{"a stretch of the log by time", func(*sized) string {
			return logs("activityDateTime gt 2026-01-05T12:00:00Z and activityDateTime lt 2026-01-05T14:00:00Z")
		}},
		{"nothing in the log by time", func(*sized) string { return logs("activityDateTime gt 2027-01-01T00:00:00Z") }},
	} {
		b.Run(q.name, func(b *testing.B) {
			const turns = 41
			times := [2][]time.Duration{}
			for b.Loop() {
				for range turns {
					for i, s := range []*sized{&small, &large} {
						address := q.address(s)
						began := clock.Wall()
						s.get(address)
						times[i] = append(times[i], clock.Wall().Sub(began))
					}
				}
			}
			median := func(list []time.Duration) time.Duration {
				slices.Sort(list)
				return list[len(list)/2]
			}
			a, z := median(times[0]), median(times[1])
			ratio := float64(z) / float64(a)
			b.ReportMetric(float64(a.Microseconds()), "µs-small")
			b.ReportMetric(float64(z.Microseconds()), "µs-large")
			b.ReportMetric(ratio, "ratio")
			if ratio > 2 {
				b.Errorf("%s: %v on 1,000 users, %v on %d", q.name, a, z, *manyUsers)
			}
		})
	}
}
