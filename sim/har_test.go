package sim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrasim/sim/scim"
)

// TestArchiveHoldsTheWholeQuery: every parameter stands in the archive, in the order of the address, also one that comes
// twice, has no value or can't be decoded.
func TestArchiveHoldsTheWholeQuery(t *testing.T) {
	for address, want := range map[string][]Header{
		"https://host.example/scim/Users": {},
		"https://host.example/scim/Users?tenant=7&filter=userName+eq+%22ann%22&tenant=8&flag&=x&bad=%zz#part?no=1": {
			{"tenant", "7"}, {"filter", `userName eq "ann"`}, {"tenant", "8"}, {"flag", ""}, {"", "x"}, {"bad", "%zz"}},
	} {
		got := NewHAR([]Exchange{{URL: address}}).Log.Entries[0].Request.QueryString
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", address, d)
		}
	}
}

// TestArchiveOfCutBodies: the size of a body is that on the wire, -1 when nothing tells it.
func TestArchiveOfCutBodies(t *testing.T) {
	long := []byte(strings.Repeat("é", 200_000))
	e := cutBodies(&scim.Exchange{RequestBody: long, ResponseBody: long, RequestHeaders: [][2]string{{"content-length", "400000"}}})
	entry := NewHAR([]Exchange{exchangeOf(1, e), exchangeOf(2, &scim.Exchange{RequestBody: []byte("é"), ResponseBody: []byte("abc")})}).Log.Entries
	got := []int{entry[0].Request.BodySize, entry[0].Response.BodySize, entry[0].Response.Content.Size,
		entry[1].Request.BodySize, entry[1].Response.BodySize, entry[1].Response.Content.Size}
	if d := cmp.Diff([]int{400_000, -1, -1, 2, 3, 3}, got); d != "" {
		t.Error(d)
	}
}
