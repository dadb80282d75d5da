package expr

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func env(attrs map[string]Value) *Env {
	return &Env{Attribute: func(n string) (Value, bool) { v, ok := attrs[n]; return v, ok }, DefaultDomain: "contoso.example"}
}

// Cases from functions-for-customizing-application-data.md unless a comment says otherwise.
func TestEval(t *testing.T) {
	for _, c := range []struct {
		src   string
		attrs map[string]Value
		want  string // JSON, or ignoreFlow
	}{
		{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, map[string]Value{"IsSoftDeleted": Boolean(false)}, `"True"`},
		{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, map[string]Value{"IsSoftDeleted": Boolean(true)}, `"False"`},
		{`Switch([state], "Australia/Brisbane", "NSW", "Australia/Sydney", "VIC", "Australia/Melbourne")`, map[string]Value{"state": String("QLD")}, `"Australia/Brisbane"`},
		{`Switch([c], , "", "none")`, map[string]Value{"c": Null}, `"none"`},
		{`switch ([c], , "x", "y")`, map[string]Value{"c": String("X")}, `null`},
		{`Append([userPrincipalName], ".test")`, map[string]Value{"userPrincipalName": String("a@contoso.example")}, `"a@contoso.example.test"`},
		{`Append([p], ".old")`, map[string]Value{"p": List([]string{"a", "b"})}, `["a.old","b.old"]`},
		{`Join(", ", "", [surname], [givenName])`, map[string]Value{"surname": String("Doe"), "givenName": String("John")}, `"Doe, John"`},
		{`Join(" ", [givenName], [surname])`, map[string]Value{"surname": Null, "givenName": String("John")}, `"John"`},
		{`IIF([country]="USA", [country], "Other")`, map[string]Value{"country": String("USA")}, `"USA"`},
		{`IIF([country]="", "Other", [country])`, map[string]Value{"country": Null}, `null`},
		{`Mid([x], 1, 3)`, map[string]Value{"x": String("Johannes")}, `"Joh"`},
		{`Mid([x], "2", "100")`, map[string]Value{"x": String("abc")}, `"bc"`},
		{`InStr([x], "@")`, map[string]Value{"x": String("a@b")}, `2`},
		{`InStr([x], "B", 1, vbTextCompare)`, map[string]Value{"x": String("a@b")}, `3`},
		{`Not([IsSoftDeleted])`, map[string]Value{"IsSoftDeleted": Boolean(false)}, `true`},
		{`Coalesce([a], [b], "c")`, map[string]Value{"a": Null, "b": String("")}, `"c"`},
		{`Split([x], ",")`, map[string]Value{"x": String("a, b,,c")}, `["a","b","c"]`},
		{`Item(Split([x], ","), 2)`, map[string]Value{"x": String("a,b")}, `"b"`},
		{`Word("The quick brown fox", 3, " ")`, nil, `"brown"`},
		{`Word("This,string!has&many separators", 3, ",!&#")`, nil, `"has"`},
		{`IgnoreFlowIfNullOrEmpty([a])`, map[string]Value{"a": Null}, `ignoreFlow`},
		{`IIF(IsNullOrEmpty([a]), IgnoreAttributeFlow, [a])`, map[string]Value{"a": Null}, `ignoreFlow`},
		{`Count([p])`, map[string]Value{"p": List([]string{"a", "b"})}, `2`},
		{`BitAnd(&HF, &HF7)`, nil, `7`},
		{`DefaultDomain()`, nil, `"contoso.example"`},
		{`[emails[type eq "work"].value]`, map[string]Value{`emails[type eq "work"].value`: String("x")}, `"x"`},
		{`Join("", "a\"b\\c\d")`, nil, `"a\"b\\c\\d"`},
	} {
		e, err := Parse(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		r, err := e.Eval(env(c.attrs))
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		got := "ignoreFlow"
		if !r.IgnoreFlow {
			data, err := r.Value.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			got = string(data)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.src, got, c.want)
		}
	}
}

func TestErrorsPointAtThePlace(t *testing.T) {
	for _, c := range []struct {
		src, want string
		kind      ErrorKind
		position  int
	}{
		{``, "is empty", ErrSyntax, 1},
		{`Joni(" ", [a])`, "did you mean Join?", ErrUnknownFunction, 1},
		{`Len([a])`, "there is no function Len", ErrUnknownFunction, 1},
		{`Append([mail])`, "expected 2: Append(source, suffix)", ErrArgumentCount, 1},
		{`Append([mail], )`, "an empty text is written", ErrMissingArgument, 16},
		{`Append([mail], 'x')`, "constants stand in straight double quotes", ErrSyntax, 16},
		{`Append([mail, "x")`, "is not closed", ErrSyntax, 8},
		{`Append([mail], "x)`, "constant is not closed", ErrSyntax, 16},
		{`Append(mail, "x")`, "write [mail] for an attribute", ErrSyntax, 8},
		{`Append([mail], "x") rest`, "expected the end", ErrSyntax, 21},
		{`Switch([a], "b", "c")`, "expected at least 4", ErrArgumentCount, 1},
		{`Switch([a], , "b", "c", "d")`, "pairs of key and value", ErrArgumentCount, 1},
		{`Append(Mid([é], 0, 1), "x")`, "start is 0; expected at least 1", ErrRange, 17},
		{`Append(Mid([é], "x", 1), "x")`, "start is \"x\"; expected a whole number", ErrType, 17},
		{strings.Repeat("Not(", 600) + "[a]" + strings.Repeat(")", 600), "nest deeper", ErrSyntax, 2001},
		{strings.Repeat("x", 10001), "at most 10000", ErrTooLong, 10001},
	} {
		_, err := eval(c.src, map[string]Value{"é": String("q"), "a": Null, "mail": Null})
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%.40s: no error", c.src)
			continue
		}
		if e.Kind != c.kind || !strings.Contains(e.Message, c.want) || e.Position != c.position {
			t.Errorf("%.40s: %s at %d: %s; want %s at %d: %s", c.src, e.Kind, e.Position, e.Message, c.kind, c.position, c.want)
		}
	}
	e := &Error{Position: 3}
	if got := e.Caret("日本語"); got != "日本語\n    ^" {
		t.Errorf("caret under wide characters:\n%s", got)
	}
}

func eval(src string, attrs map[string]Value) (Result, error) {
	e, err := Parse(src)
	if err != nil {
		return Result{}, err
	}
	return e.Eval(env(attrs))
}

// TestPrintParse holds the law that a printed tree parses to the same tree.
func TestPrintParse(t *testing.T) {
	var gen func(depth int) *rapid.Generator[string]
	gen = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(r *rapid.T) string {
			switch rapid.IntRange(0, 3).Draw(r, "kind") {
			case 0:
				return "[" + rapid.StringMatching(`[a-zA-Z][a-zA-Z0-9.:]{0,8}`).Draw(r, "attr") + "]"
			case 1:
				return Quote(rapid.String().Draw(r, "text"))
			case 2:
				return "-17"
			}
			if depth == 0 {
				return "[x]"
			}
			a, b := gen(depth-1).Draw(r, "a"), gen(depth-1).Draw(r, "b")
			return rapid.SampledFrom([]string{"Append( " + a + " , " + b + ")", "join(\"\"," + a + "," + b + ")", "Switch(" + a + ",," + b + ", \"v\")"}).Draw(r, "call")
		})
	}
	rapid.Check(t, func(r *rapid.T) {
		src := "Trim(" + gen(4).Draw(r, "e") + ")"
		e, err := Parse(src)
		if err != nil {
			r.Fatalf("%s: %v", src, err)
		}
		again, err := Parse(e.String())
		if err != nil {
			r.Fatalf("%s: printed %s: %v", src, e, err)
		}
		if again.String() != e.String() {
			r.Fatalf("%s printed again is %s", e, again)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, `Join(" ", [a], [b])`, `IIF([a]<>"x", Mid([b], 1, 3), IgnoreAttributeFlow)`,
		`[emails[type eq "work"].value]`, `Append("\\", "\"")`, `InStr([x],"b",,)`, `BitAnd(&HF7, -1)`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src)
		if err != nil {
			return
		}
		if _, err := Parse(e.String()); err != nil && len(e.String()) <= MaxLength {
			t.Fatalf("%q printed as %q does not parse: %v", src, e, err)
		}
		if _, err := e.Eval(env(map[string]Value{})); err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%q: %T", src, err)
			}
		}
	})
}

func BenchmarkSwitch(b *testing.B) {
	e, err := Parse(`Switch([IsSoftDeleted], , "False", "True", "True", "False")`)
	if err != nil {
		b.Fatal(err)
	}
	v := env(map[string]Value{"IsSoftDeleted": Boolean(true)})
	for b.Loop() {
		if _, err := e.Eval(v); err != nil {
			b.Fatal(err)
		}
	}
}
