package expr

import (
	"strings"
	"testing"
	"time"
)

// The costs that are compared: an expression, and the same logic written in Go by hand, over the same attributes.
var costs = []struct {
	name       string
	expression string
	byHand     func(get func(string) (Value, bool)) Value
}{
	{"Switch", `Switch([IsSoftDeleted], , "False", "True", "True", "False")`, func(get func(string) (Value, bool)) Value {
		v, _ := get("IsSoftDeleted")
		switch v.Text() {
		case "False":
			return String("True")
		case "True":
			return String("False")
		}
		return Null
	}},
	{"Switch of many", `Switch([state], "other", "A", "1", "B", "2", "C", "3", "D", "4", "E", "5", "F", "6", "G", "7", "H", "8", "I", "9", "NSW", "Sydney")`,
		func(get func(string) (Value, bool)) Value {
			v, _ := get("state")
			switch v.Text() {
			case "A":
				return String("1")
			case "B":
				return String("2")
			case "C":
				return String("3")
			case "D":
				return String("4")
			case "E":
				return String("5")
			case "F":
				return String("6")
			case "G":
				return String("7")
			case "H":
				return String("8")
			case "I":
				return String("9")
			case "NSW":
				return String("Sydney")
			}
			return String("other")
		}},
	{"IIF", `IIF([country] = "USA", [state], [department])`, func(get func(string) (Value, bool)) Value {
		v, _ := get("country")
		if !v.IsEmpty() && v.Text() == "USA" {
			v, _ = get("state")
			return v
		}
		v, _ = get("department")
		return v
	}},
	{"Join", `Join(" ", [givenName], [surname])`, func(get func(string) (Value, bool)) Value {
		var parts []string
		for _, n := range []string{"givenName", "surname"} {
			if v, _ := get(n); !v.IsEmpty() {
				parts = append(parts, v.Text())
			}
		}
		return String(strings.Join(parts, " "))
	}},
	{"Replace", `Replace([mail], "@contoso.test", , , "@fabrikam.test", , )`, func(get func(string) (Value, bool)) Value {
		v, _ := get("mail")
		if v.IsNull() {
			return Null
		}
		return String(strings.ReplaceAll(v.Text(), "@contoso.test", "@fabrikam.test"))
	}},
	{"all together", `IIF(IsPresent([mail]), ToLower(Replace([mail], "@contoso.test", , , "", , )), Switch([country], Join(".", [givenName], [surname]), "USA", Append([surname], "-us")))`,
		func(get func(string) (Value, bool)) Value {
			if v, _ := get("mail"); !v.IsEmpty() {
				return String(strings.ToLower(strings.ReplaceAll(v.Text(), "@contoso.test", "")))
			}
			first, _ := get("givenName")
			last, _ := get("surname")
			if c, _ := get("country"); c.Text() == "USA" {
				return String(last.Text() + "-us")
			}
			return String(first.Text() + "." + last.Text())
		}},
}

func person() Attributes {
	return Attributes{
		"IsSoftDeleted": Boolean(false), "country": String("USA"), "state": String("NSW"), "department": String("Sales"), "givenName": String("Ann"),
		"surname": String("Lee"), "mail": String("Ann.Lee@contoso.test"), "userPrincipalName": String("ann.lee@contoso.test"),
	}
}

// TestCost holds the bound of what compiled expressions may cost: less than five times as much as the same logic in Go. The
// least of several rounds is compared, which other work on the machine can only raise.
func TestCost(t *testing.T) {
	const bound = 5.0
	get := person().Attribute
	env := &Env{Attribute: get}
	for _, c := range costs {
		e := parse(t, c.expression)
		want := c.byHand(get)
		if r, err := e.Eval(env); err != nil || r.Value.Text() != want.Text() {
			t.Fatalf("%s: %q, %v; by hand %q", c.name, r.Value.Text(), err, want.Text())
		}
		ratio := 0.0
		for attempt := 0; attempt < 5 && (attempt == 0 || ratio >= bound); attempt++ {
			compiled := least(func() {
				if _, err := e.Eval(env); err != nil {
					t.Fatal(err)
				}
			})
			byHand := least(func() { sink = c.byHand(get) })
			ratio = float64(compiled) / float64(byHand)
		}
		t.Logf("%-15s %.2f times the cost of Go", c.name, ratio)
		if ratio >= bound {
			t.Errorf("%s costs %.2f times as much as the same logic in Go; the bound is %.0f", c.name, ratio, bound)
		}
	}
}

var sink Value

// least is the shortest time of several rounds of the same work.
func least(work func()) time.Duration {
	const rounds, times = 15, 3000
	best := time.Duration(1 << 62)
	for range rounds {
		began := time.Now()
		for range times {
			work()
		}
		best = min(best, time.Since(began))
	}
	return best
}

// TestDirectAllocatesNothing covers direct mappings, and the expressions that need no new text.
func TestDirectAllocatesNothing(t *testing.T) {
	env := &Env{Attribute: person().Attribute}
	for _, src := range []string{
		`[userPrincipalName]`, `[IsSoftDeleted]`, `[absent]`, `Switch([IsSoftDeleted], , "False", "True", "True", "False")`,
		`IIF([country] = "USA", [state], [department])`, `Not([IsSoftDeleted])`, `IIF(IsPresent([mail]), [mail], [userPrincipalName])`, `Coalesce([mobile], [mail])`,
	} {
		e := parse(t, src)
		if _, err := e.Eval(env); err != nil { // the stack of arguments grows once
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(200, func() {
			if _, err := e.Eval(env); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s allocates %v times", src, n)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	get := person().Attribute
	env := &Env{Attribute: get}
	for _, c := range append(costs, struct {
		name       string
		expression string
		byHand     func(get func(string) (Value, bool)) Value
	}{"direct", `[userPrincipalName]`, func(get func(string) (Value, bool)) Value { v, _ := get("userPrincipalName"); return v }}) {
		e := parse(b, c.expression)
		b.Run(c.name+"/compiled", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/go", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = c.byHand(get)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	const src = `SelectUniqueValue(Join("@", NormalizeDiacritics(StripSpaces(Join(".", [givenName], [surname]))), "contoso.test"), Join("@", NormalizeDiacritics(StripSpaces(Join(".", Mid([givenName], 1, 1), [surname]))), "contoso.test"))`
	for b.Loop() {
		if _, err := Parse(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRegex(b *testing.B) {
	e := parse(b, `Replace([userPrincipalName], , "(?<Suffix>@(.)*)", "Suffix", "", , )`)
	env := &Env{Attribute: person().Attribute}
	for b.Loop() {
		if _, err := e.Eval(env); err != nil {
			b.Fatal(err)
		}
	}
}
