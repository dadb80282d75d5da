package expr

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func attributeTree(name string) Tree {
	return Tree{Expression: "[" + name + "]", Name: name, Type: TypeAttribute, Parameters: []TreeParameter{}}
}

func constantTree(text string) Tree {
	return Tree{Expression: Quote(text), Name: text, Type: TypeConstant, Parameters: []TreeParameter{}}
}

func TestTree(t *testing.T) {
	for _, c := range []struct {
		src  string
		want Tree
	}{
		// api/synchronization-synchronizationschema-parseexpression.md
		{`Replace([preferredLanguage], "-", , , "_", ,  )`, Tree{`Replace([preferredLanguage], "-", , , "_", , )`, "Replace", TypeFunction, []TreeParameter{
			{"source", attributeTree("preferredLanguage")}, {"Find", constantTree("-")}, {"Replacement", constantTree("_")}}}},
		// resources/synchronization-objectmapping.md: the bare numbers
		{`Mid([userPrincipalName],1,8)`, Tree{`Mid([userPrincipalName], 1, 8)`, "Mid", TypeFunction, []TreeParameter{
			{"source", attributeTree("userPrincipalName")}, {"start", constantTree("1")}, {"length", constantTree("8")}}}},
		{`switch([IsSoftDeleted], , "False", "True", "True", "False")`, Tree{`Switch([IsSoftDeleted], , "False", "True", "True", "False")`, "Switch", TypeFunction, []TreeParameter{
			{"source", attributeTree("IsSoftDeleted")}, {"switchValue", constantTree("False")}, {"switchValue", constantTree("True")},
			{"switchValue", constantTree("True")}, {"switchValue", constantTree("False")}}}},
		{`Switch([a], "d", "k", "v")`, Tree{`Switch([a], "d", "k", "v")`, "Switch", TypeFunction, []TreeParameter{
			{"source", attributeTree("a")}, {"defaultValue", constantTree("d")}, {"switchValue", constantTree("k")}, {"switchValue", constantTree("v")}}}},
		{`Join(" ",[givenName],[surname])`, Tree{`Join(" ", [givenName], [surname])`, "Join", TypeFunction, []TreeParameter{
			{"separator", constantTree(" ")}, {"source", attributeTree("givenName")}, {"source", attributeTree("surname")}}}},
		{`SingleAppRoleAssignment([appRoleAssignments])`, Tree{`SingleAppRoleAssignment([appRoleAssignments])`, "SingleAppRoleAssignment", TypeFunction, []TreeParameter{
			{"source", attributeTree("appRoleAssignments")}}}},
		{`FormatDateTime([d], "yyyy", "yy")`, Tree{`FormatDateTime([d], "yyyy", "yy")`, "FormatDateTime", TypeFunction, []TreeParameter{
			{"source", attributeTree("d")}, {"inputFormat", constantTree("yyyy")}, {"outputFormat", constantTree("yy")}}}},
		{`FormatDateTime([d], , "yyyy", "yy")`, Tree{`FormatDateTime([d], , "yyyy", "yy")`, "FormatDateTime", TypeFunction, []TreeParameter{
			{"source", attributeTree("d")}, {"inputFormat", constantTree("yyyy")}, {"outputFormat", constantTree("yy")}}}},
		{`DefaultDomain( )`, Tree{`DefaultDomain()`, "DefaultDomain", TypeFunction, []TreeParameter{}}},
		{`[ mail ]`, attributeTree("mail")},
		{`IIF([a]="\"x\\y\z", IgnoreAttributeFlow, -7)`, Tree{`IIF([a] = "\"x\\y\\z", IgnoreAttributeFlow, -7)`, "IIF", TypeFunction, []TreeParameter{
			{"condition", Tree{`[a] = "\"x\\y\\z"`, "=", TypeFunction, []TreeParameter{{"source", attributeTree("a")}, {"source", constantTree(`"x\y\z`)}}}},
			{"valueIfTrue", Tree{"IgnoreAttributeFlow", "IgnoreAttributeFlow", TypeConstant, []TreeParameter{}}}, {"valueIfFalse", constantTree("-7")}}}},
	} {
		e := parse(t, c.src)
		if diff := cmp.Diff(c.want, e.Tree()); diff != "" {
			t.Errorf("%s:\n%s", c.src, diff)
		}
		if e.String() != c.want.Expression {
			t.Errorf("%s prints as %s, want %s", c.src, e, c.want.Expression)
		}
	}
	data, err := json.Marshal(parse(t, `Not([a])`).Tree())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"expression":"Not([a])","name":"Not","type":"Function","parameters":[{"key":"source","value":{"expression":"[a]","name":"a","type":"Attribute","parameters":[]}}]}`
	if string(data) != want {
		t.Errorf("in JSON: %s", data)
	}
}

// sameNode compares trees without their positions.
func sameNode(a, b *Node) bool {
	if a.Kind != b.Kind || a.Name != b.Name || a.Text != b.Text || a.Number != b.Number || len(a.Args) != len(b.Args) {
		return false
	}
	for i := range a.Args {
		if !sameNode(a.Args[i], b.Args[i]) {
			return false
		}
	}
	return true
}

// anyNode draws an argument: a constant, a number, an attribute, a call, or a comparison of two of them.
func anyNode(depth int) *rapid.Generator[*Node] {
	return rapid.Custom(func(r *rapid.T) *Node {
		kinds := 5
		if depth == 0 {
			kinds = 3
		}
		switch rapid.IntRange(0, kinds-1).Draw(r, "kind") {
		case 0:
			return &Node{Kind: NodeConstant, Text: rapid.OneOf(rapid.String(), rapid.StringMatching(`[\\"\[\]a,() ]*`)).Draw(r, "text")}
		case 1:
			return &Node{Kind: NodeNumber, Number: rapid.Int64().Draw(r, "number")}
		case 2:
			name := rapid.OneOf(rapid.StringMatching(`[a-zA-Zé][a-zA-Z0-9.:_ -]{0,12}[a-z]`), rapid.StringMatching(`[a-z]{1,6}\[type eq "[a-z\]\[]*"\]\.[a-z]{1,5}`)).Draw(r, "attribute")
			return &Node{Kind: NodeAttribute, Name: name}
		case 3:
			return &Node{Kind: NodeCompare, Name: rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">="}).Draw(r, "operator"),
				Args: []*Node{primaryNode(depth-1).Draw(r, "left"), primaryNode(depth-1).Draw(r, "right")}}
		}
		return callNode(depth-1).Draw(r, "call")
	})
}

func primaryNode(depth int) *rapid.Generator[*Node] {
	return anyNode(max(depth, 0)).Filter(func(n *Node) bool { return n.Kind != NodeCompare })
}

// callNode draws a call of any function with arguments that it takes: optional slots filled or empty, repeating parameters
// several times, keywords where they belong.
func callNode(depth int) *rapid.Generator[*Node] {
	depth = max(depth, 0)
	return rapid.Custom(func(r *rapid.T) *Node {
		f := rapid.SampledFrom(table).Filter(func(f Function) bool { return f.Name != selectUniqueValue }).Draw(r, "function")
		n := &Node{Kind: NodeCall, Name: f.Name}
		for _, p := range f.Params {
			times := 1
			if p.Repeat {
				times = max(p.Least, 1) * rapid.IntRange(1, 3).Draw(r, "times")
			}
			for range times {
				switch {
				case p.Optional && rapid.Bool().Draw(r, "empty"):
					n.Args = append(n.Args, &Node{Kind: NodeEmpty})
				case len(p.Keywords) > 0 && rapid.Bool().Draw(r, "keyword"):
					n.Args = append(n.Args, &Node{Kind: NodeKeyword, Name: rapid.SampledFrom(p.Keywords).Draw(r, "word")})
				case p.Kind == ParamAny && rapid.IntRange(0, 9).Draw(r, "ignore") == 0:
					n.Args = append(n.Args, &Node{Kind: NodeKeyword, Name: rapid.SampledFrom(keywords[:2]).Draw(r, "word")})
				default:
					n.Args = append(n.Args, anyNode(depth).Draw(r, "argument"))
				}
			}
		}
		if f.Name == "Replace" { // some form of it
			n.Args = []*Node{n.Args[0], n.Args[1], {Kind: NodeEmpty}, {Kind: NodeEmpty}, {Kind: NodeConstant, Text: "x"}, {Kind: NodeEmpty}, {Kind: NodeEmpty}}
			if n.Args[1].Kind == NodeEmpty {
				n.Args[1] = &Node{Kind: NodeConstant, Text: "y"}
			}
		}
		return n
	})
}

// TestPrintThenParse holds the law that a printed tree parses to the same tree, in both forms, and prints the same.
func TestPrintThenParse(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := callNode(3).Draw(r, "tree")
		text := n.String()
		if len([]rune(text)) > MaxLength {
			return
		}
		e, err := Parse(text)
		if err != nil {
			r.Fatalf("%s: %v", text, err)
		}
		if !sameNode(n, e.Root) {
			r.Fatalf("%s parses to another tree, which prints as %s", text, e)
		}
		if e.String() != text {
			r.Fatalf("%s prints again as %s", text, e)
		}
		if tree := e.Tree(); tree.Expression != text || tree.Name != n.Name || tree.Type != TypeFunction {
			r.Fatalf("%s in Graph's form is %+v", text, tree)
		}
	})
}

// TestSpaceIsFree holds that white space between tokens changes nothing, nor does the case of functions.
func TestSpaceIsFree(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := callNode(2).Draw(r, "tree")
		space := rapid.SampledFrom([]string{"", " ", "\n", "\t ", "\r\n  "})
		var b strings.Builder
		var print func(*Node)
		gap := func() { b.WriteString(space.Draw(r, "space")) }
		print = func(n *Node) {
			gap()
			switch n.Kind {
			case NodeCall:
				b.WriteString(strings.ToUpper(n.Name))
				gap()
				b.WriteByte('(')
				for i, a := range n.Args {
					if i > 0 {
						gap()
						b.WriteByte(',')
					}
					print(a)
				}
				gap()
				b.WriteByte(')')
			case NodeCompare:
				print(n.Args[0])
				gap()
				b.WriteString(n.Name)
				print(n.Args[1])
			case NodeAttribute:
				b.WriteByte('[')
				gap()
				b.WriteString(n.Name)
				gap()
				b.WriteByte(']')
			default:
				b.WriteString(n.String())
			}
			gap()
		}
		print(n)
		e, err := Parse(b.String())
		if len([]rune(b.String())) > MaxLength {
			return
		}
		if err != nil {
			r.Fatalf("%s: %v", b.String(), err)
		}
		if !sameNode(n, e.Root) {
			r.Fatalf("%s parses to %s, want %s", b.String(), e, n)
		}
	})
}
