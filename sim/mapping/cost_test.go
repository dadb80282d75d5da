package mapping_test

import (
	"strings"
	"testing"

	"entrasim/sim/mapping"
)

// directOnly is a schema with the first n of the default mappings that copy an attribute.
func directOnly(t testing.TB, n int) *mapping.Schema {
	s := mapping.Default()
	var list []mapping.AttributeMapping
	for _, am := range user(s).AttributeMappings {
		if am.Source.Type == "Attribute" && !strings.HasSuffix(am.TargetAttributeName, ":manager") && len(list) < n {
			list = append(list, am)
		}
	}
	if len(list) != n {
		t.Fatalf("%d direct mappings", len(list))
	}
	user(s).AttributeMappings = list
	return s
}

// TestDirectMappingsAllocateNothing: what mapping an object allocates does not depend on how many attributes are copied.
func TestDirectMappingsAllocateNothing(t *testing.T) {
	u := ann()
	u.BusinessPhones, u.City = []string{"1"}, "Rome"
	src, env := mapping.UserSource(u, mapping.Computed{}), newEnv()
	for _, n := range []int{1, 19} {
		m := compile(t, directOnly(t, n)).Users
		if got := testing.AllocsPerRun(100, func() {
			if _, err := m.Map(src, env); err != nil {
				t.Fatal(err)
			}
		}); got != 1 { // the list of values
			t.Errorf("%d direct mappings: %v allocations", n, got)
		}
	}
}

// TestExpressionsCompileOnce: an expression whose pattern costs much to compile costs little for each object.
func TestExpressionsCompileOnce(t *testing.T) {
	s := mapping.Default()
	put(t, s, mapping.AttributeMapping{TargetAttributeName: "nickName", Source: origin(t, `Replace([userPrincipalName], , "^(?<name>`+strings.Repeat(`[a-z]?`, 300)+`)@(?<domain>.+)$", , "${name}", , )`)})
	compiling := testing.AllocsPerRun(10, func() { compile(t, s) })
	m, src, env := compile(t, s).Users, mapping.UserSource(ann(), mapping.Computed{}), newEnv()
	mapped := testing.AllocsPerRun(10, func() {
		if _, err := m.Map(src, env); err != nil {
			t.Fatal(err)
		}
	})
	if mapped > compiling/20 {
		t.Errorf("mapping an object allocates %v times, compiling the schema %v times", mapped, compiling)
	}
}

func BenchmarkMap(b *testing.B) {
	u := ann()
	u.BusinessPhones, u.City = []string{"1"}, "Rome"
	src, env := mapping.UserSource(u, mapping.Computed{}), newEnv()
	for _, c := range []struct {
		name   string
		schema *mapping.Schema
	}{{"direct", directOnly(b, 19)}, {"default", mapping.Default()}, {"starter", mapping.Starter()}} {
		m := compile(b, c.schema).Users
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Map(src, env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	data := mapping.Default().JSON()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
