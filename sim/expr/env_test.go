package expr

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnknownAttribute(t *testing.T) {
	env := &Env{Attribute: func(name string) (Value, bool) { return String("x"), name == "mail" || name == "surname" },
		Names: func() []string { return []string{"mail", "surname"} }}
	for _, c := range []struct{ src, want string }{
		{`[mial]`, `unknownAttribute at position 1: there is no source attribute [mial]; did you mean [mail]?`},
		{`Join(" ", [mail], [surnam])`, `unknownAttribute at position 19 in Join: there is no source attribute [surnam]; did you mean [surname]?`},
		{`IIF([phone] = "x", 1, 2)`, `unknownAttribute at position 5 in IIF: there is no source attribute [phone]`},
	} {
		_, err := parse(t, c.src).Eval(env)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.src, err, c.want)
		}
	}
	env.Names = nil
	if _, err := parse(t, `[mial]`).Eval(env); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("without a list of names: %v", err)
	}
}

func TestAttributesOfAnExpression(t *testing.T) {
	e := parse(t, `Switch([b], [a], "k", IIF([c] = [b], Mid([emails[type eq "work"].value], 1, 2), ""))`)
	if diff := cmp.Diff([]string{"b", "a", "c", `emails[type eq "work"].value`}, e.Attributes()); diff != "" {
		t.Error(diff)
	}
	if !e.Uses("Mid") || e.Uses("Left") {
		t.Error("what the expression uses")
	}
}

func TestTakenMayFail(t *testing.T) {
	down := errors.New("the target is down")
	env := &Env{Attribute: Attributes{}.Attribute, Taken: func(v string) (bool, error) {
		if v == "b" {
			return false, down
		}
		return true, nil
	}}
	if _, err := parse(t, `SelectUniqueValue("a", "b")`).Eval(env); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	_, err := parse(t, `SelectUniqueValue("a", "c")`).Eval(env)
	var bad *Error
	if !errors.As(err, &bad) || bad.Kind != ErrNotUnique || bad.Message != `another object of the target has "a", "c" already` {
		t.Errorf("got %v", err)
	}
}

// TestRandom holds that a random value depends on its purpose alone: on the seed behind Rand and on which draw of the
// evaluation it is.
func TestRandom(t *testing.T) {
	var asked []string
	seeded := func(seed string) *Env {
		return &Env{Attribute: Attributes{}.Attribute, Rand: func(purpose string) io.Reader {
			asked = append(asked, purpose)
			return &stream{purpose: seed + purpose}
		}}
	}
	e := parse(t, `Join(" ", Guid(), RandomString(8, 2, 2, 2, 2), Guid())`)
	text := func(env *Env) string {
		r, err := e.Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		return r.Value.Text()
	}
	one := seeded("1")
	first := text(one)
	if diff := cmp.Diff([]string{"expression Guid 1", "expression RandomString 2", "expression Guid 3"}, asked); diff != "" {
		t.Error(diff)
	}
	if again := text(one); again != first {
		t.Errorf("the same seed gives %q, then %q", first, again)
	}
	if other := text(seeded("2")); other == first {
		t.Error("another seed gives the same")
	}
	if parts := strings.Fields(first); parts[0] == parts[2] {
		t.Errorf("two calls draw the same value: %s", first)
	}
	env := &Env{Attribute: Attributes{}.Attribute}
	if alone := text(env); alone != text(env) {
		t.Error("without Rand values differ")
	}
	env.Rand = func(string) io.Reader { return bytes.NewReader(nil) }
	for _, src := range []string{`Guid()`, `RandomString(8, 2, 2, 2, 2)`} {
		if _, err := parse(t, src).Eval(env); !errors.Is(err, io.EOF) {
			t.Errorf("%s from a source that is empty: %v", src, err)
		}
	}
}

func TestRandomStringIsFair(t *testing.T) {
	counts := map[rune]int{}
	for i := range 200 {
		r, err := parse(t, `RandomString(256, 1, 0, 0, 0)`).Eval(&Env{Attribute: Attributes{}.Attribute, Rand: func(string) io.Reader { return &stream{purpose: strconv.Itoa(i)} }})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Value.Text() {
			counts[c]++
		}
	}
	for c := '0'; c <= '9'; c++ {
		if n := counts[c]; n < 4600 || n > 5640 { // 5120 expected, 7.6 standard deviations allowed
			t.Errorf("%c occurs %d times in 51200", c, n)
		}
	}
}

func TestRedacted(t *testing.T) {
	attrs := Attributes{"x": String("secret"), "p": List([]string{"a", "b"}), "d": String("2025-01-01")}
	for src, want := range map[string]bool{
		`Redact([x])`: true, `[x]`: false, `Append(Redact([x]), "!")`: true, `IIF("1", Redact([x]), [x])`: true, `IIF("0", Redact([x]), [x])`: false,
		`Redact([p])`: true, `Switch([x], "d", "secret", Redact("v"))`: true, `Redact(CDate([d]))`: true, `IsPresent(Redact([x]))`: false,
	} {
		r, err := eval(src, attrs)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if r.Value.Redacted() != want {
			t.Errorf("%s is redacted: %v, want %v", src, r.Value.Redacted(), want)
		}
	}
}

func TestWarnings(t *testing.T) {
	roles := Attributes{"appRoleAssignments": Roles([]Role{{"1", "a", "A"}, {"2", "b", "B"}}), "manager": Reference("m1")}
	r, err := eval(`Append(SingleAppRoleAssignment([appRoleAssignments]), "!")`, roles)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Function != "SingleAppRoleAssignment" || r.Warnings[0].Position != 8 || r.Value.Text() != "A!" {
		t.Errorf("several roles: %+v", r)
	}
	for _, src := range []string{`Switch([manager], "no", "m1", "yes")`, `Switch([manager], "no", Append("m", "1"), "yes")`} {
		if r, err = eval(src, roles); err != nil || len(r.Warnings) != 1 || r.Value.Text() != "yes" {
			t.Errorf("%s: %+v, %v", src, r, err)
		}
	}
	env := &Env{Attribute: roles.Attribute}
	for _, src := range []string{`SingleAppRoleAssignment([appRoleAssignments])`, `[manager]`, `Trim("x")`} { // one Env after the other
		want := 0
		if src[0] == 'S' {
			want = 1
		}
		if r, err = parse(t, src).Eval(env); err != nil || len(r.Warnings) != want {
			t.Errorf("%s warns %v, %v", src, r.Warnings, err)
		}
	}
	if r, err = eval(`[manager]`, roles); err != nil || len(r.Warnings) != 0 || r.Value.Kind() != KindReference {
		t.Errorf("a reference: %+v, %v", r, err)
	}

	kind := func(name string) ValueKind {
		return map[string]ValueKind{"manager": KindReference, "enabled": KindBoolean}[name]
	}
	for src, want := range map[string][]string{
		`Join(" ", [a], [b])`:                     nil,
		`IIF([a] = "x", 1, 2)`:                    nil,
		`IIF([country] = "", "Other", [country])`: {"IIF: this is never True: a comparison with an attribute that is empty is False; take IsNullOrEmpty, or Switch with the key \"\""},
		`CBool("" <> [a])`:                        {"CBool: this is never True: a comparison with an attribute that is empty is False; take IsNullOrEmpty, or Switch with the key \"\""},
		`IIF(IsNullOrEmpty([a]), 1, 2)`:           {"IsNullOrEmpty: the page calls IsNullOrEmpty as the condition of IIF unsupported, though its guides use it; Switch with the key \"\" does the same"},
		`Switch(IsPresent([a]), 1, "True", 2)`:    {"IsPresent: the page advises against IsPresent as the source of Switch"},
		`Trim(Switch([manager], "", "x", "y"))`:   {"Switch: the reference attribute [manager] must not be the source of Switch; its object id is compared"},
		`Append([a] = "x", "y")`:                  {"Append: a comparison has a meaning as the condition of IIF and in CBool only"},
		`Switch([enabled], , "false", "x", "TRUE", "y")`: {"Switch: the key \"false\" is never met: a Boolean is compared as True or False, with case",
			"Switch: the key \"TRUE\" is never met: a Boolean is compared as True or False, with case"},
		`Switch([enabled], , "False", "true", "True", "false")`: nil,
		`Switch([a], , "false", "x")`:                           nil,
		`Switch(Not([a]), , "true", "x")`:                       {"Switch: the key \"true\" is never met: a Boolean is compared as True or False, with case"},
		`IIF([enabled] = "true", 1, 2)`:                         {"IIF: \"true\" is never met: a Boolean is compared as True or False, with case"},
		`IIF("false" <> CBool([a]), 1, 2)`:                      {"IIF: \"false\" is never met: a Boolean is compared as True or False, with case"},
		`IIF([enabled] = "True", "true", "false")`:              nil,
		`SelectUniqueValue([a], [b])`:                           {"SelectUniqueValue: SelectUniqueValue is supported from Workday, SuccessFactors and the provisioning API to Active Directory only, not by applications with SCIM"},
		`IIF(IsNull([a]), Switch([manager], , "x", "y"), 2)`: {
			"IsNull: the page calls IsNull as the condition of IIF unsupported, though its guides use it; Switch with the key \"\" does the same",
			"Switch: the reference attribute [manager] must not be the source of Switch; its object id is compared"},
	} {
		var got []string
		for _, w := range parse(t, src).Warnings(kind) {
			got = append(got, w.Function+": "+w.Message)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", src, diff)
		}
	}
}

// TestConcurrent evaluates one expression with several Envs at a time.
func TestConcurrent(t *testing.T) {
	e := parse(t, `Join(" ", Replace([a], , Append("[", "0-9]"), , "", , ), Switch([b], "d", "k", Mid([a], 1, 2)), Left([c], 1))`)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			letter := string(rune('a' + i))
			env := &Env{Attribute: Attributes{"a": String(letter + "1" + letter), "b": String("k"), "c": List([]string{letter, "x"})}.Attribute}
			want := letter + letter + " " + letter + "1 " + letter + " x"
			for range 200 {
				if r, err := e.Eval(env); err != nil || r.Value.Text() != want {
					t.Errorf("got %q, %v, want %q", r.Value.Text(), err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestEnvAfterAnError holds that an Env is as good as new after an evaluation that failed.
func TestEnvAfterAnError(t *testing.T) {
	env := &Env{Attribute: Attributes{"a": String("x")}.Attribute}
	bad, good := parse(t, `Join(",", "1", Append("2", Mid([a], 0, 1)))`), parse(t, `Join(",", [a], Append([a], "!"))`)
	for range 3 {
		if _, err := bad.Eval(env); err == nil {
			t.Fatal("no error")
		}
		if r, err := good.Eval(env); err != nil || r.Value.Text() != "x,x!" {
			t.Fatalf("got %q, %v", r.Value.Text(), err)
		}
	}
}
