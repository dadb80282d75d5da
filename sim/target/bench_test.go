package target

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// people is how many users the benchmarks fill a store with: go test ./sim/target -run '^$' -bench Store -people 1000000
var people = flag.Int("people", 20_000, "users in the store of the benchmarks")

// typical is the user that the default mappings of a new application make.
func typical(i int) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
		`"externalId":"person%[1]d","userName":"person%[1]d@contoso.example","active":true,"addresses":[{"primary":false,"type":"work","formatted":"18/2111",`+
		`"streetAddress":"1 Harbour Street","locality":"Seattle","region":"WA","postalCode":"98052","country":"United States"}],"displayName":"Person %[1]d",`+
		`"emails":[{"primary":true,"type":"work","value":"person%[1]d@contoso.example"}],"meta":{"resourceType":"User"},"name":{"formatted":"Person %[1]d","familyName":"%[1]d",`+
		`"givenName":"Person"},"phoneNumbers":[{"primary":true,"type":"work","value":"+1 206 555 0100"},{"primary":false,"type":"mobile","value":"+1 206 555 0101"}],`+
		`"preferredLanguage":"en-US","title":"Pilot","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Flight","employeeNumber":"%[1]d"}}`, i)
}

// ask carries out one request without a network.
func ask(b testing.TB, h http.Handler, method, path, body string, want int) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://scim.test/scim"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer t")
	r.Header.Set("Content-Type", "application/scim+json; charset=utf-8")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != want {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w
}

// BenchmarkStore measures the requests of provisioning at a full store, and what the store weighs: B/user and µs/user of
// filling it stand beside "weight".
func BenchmarkStore(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := newServer(b, nil)
	h := s.Handler("default")
	began := time.Now()
	for i := range *people {
		ask(b, h, "POST", "/Users", typical(i), 201)
	}
	filled := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.Run("weight", func(b *testing.B) {
		for b.Loop() {
			runtime.KeepAlive(s)
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(*people), "B/user")
		b.ReportMetric(float64(filled.Microseconds())/float64(*people), "µs/user")
	})
	list, _ := s.Store("default").List("User", 0, 1000)
	for _, c := range []struct {
		name, path string
	}{
		{"userName", "/Users?filter=userName+eq+%%22person%d%%40contoso.example%%22"},
		{"externalId", "/Users?filter=externalId+eq+%%22person%d%%22"},
		{"displayName", "/Users?filter=displayName+eq+%%22Person+%d%%22"},
		{"workMail", "/Users?filter=emails%%5btype+eq+%%22work%%22%%5d.value+eq+%%22person%d%%40contoso.example%%22"},
		{"employeeNumber", "/Users?filter=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber+eq+%%22%d%%22"},
		{"nobody", "/Users?filter=userName+eq+%%22nobody%d%%22"},
	} {
		b.Run("match/"+c.name, func(b *testing.B) {
			ask(b, h, "GET", fmt.Sprintf(c.path, 0), "", 200) // the first question brings about the index
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				ask(b, h, "GET", fmt.Sprintf(c.path, i*7919%*people), "", 200)
			}
		})
	}
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			ask(b, h, "GET", "/Users?filter=title+co+%22nobody%22&count=1", "", 200)
		}
	})
	b.Run("sorted", func(b *testing.B) {
		for b.Loop() {
			ask(b, h, "GET", "/Users?sortBy=userName&count=1", "", 200)
		}
	})
	b.Run("read", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			ask(b, h, "GET", "/Users/"+list[i%len(list)].ID, "", 200)
		}
	})
	b.Run("patch", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			ask(b, h, "PATCH", "/Users/"+list[i%len(list)].ID, patchBody(fmt.Sprintf(`{"op":"Replace","path":"title","value":"Title %d"}`, i)), 200)
		}
	})
	b.Run("create", func(b *testing.B) {
		b.ReportAllocs()
		for i := *people; b.Loop(); i++ {
			ask(b, h, "POST", "/Users", typical(i), 201)
		}
	})
}

// BenchmarkLoad reads a full store from its file.
func BenchmarkLoad(b *testing.B) {
	db := openDB(b)
	s := newServer(b, db)
	h := s.Handler("default")
	for i := range *people {
		ask(b, h, "POST", "/Users", typical(i), 201)
	}
	if err := s.FlushNow(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		newServer(b, db)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(*people), "µs/user")
}
