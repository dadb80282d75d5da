package scenarios

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"entrasim/sim/rules"
)

// shown is what shows each rule: Markdown links to scenarios, then to tests.
type shown map[string][]string

// TestEveryRuleIsShown: each rule, each transition and each feature that must or should be there has a scenario or a test
// that shows it, or stands among unshown with the reason; rules.md says so for each. go test ./scenarios -run
// TestEveryRuleIsShown -write writes it.
func TestEveryRuleIsShown(t *testing.T) {
	by := shown{}
	for _, name := range Names() {
		s, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Shows {
			by[r.ID] = append(by[r.ID], fmt.Sprintf("[%s](%s.yaml)", name, name))
		}
	}
	byTests(t, by)

	var b strings.Builder
	b.WriteString("# What shows which rule\n\nWritten by `go test ./scenarios -run TestEveryRuleIsShown -write` from the tables of `sim/rules`, the `shows` of the\n" +
		"scenarios beside this file, and the `Shows:` lines of tests. Pages are files of MicrosoftDocs/entra-docs,\n" +
		"docs/identity/app-provisioning, unless a folder or another repository is named.\n")
	row := func(id, text, source, rank string, needed bool) {
		reason, out := unshown[id]
		what := strings.Join(by[id], ", ")
		switch {
		case out && what != "":
			t.Errorf("%s is shown by %s, and stands among unshown", id, what)
		case out:
			what = "not shown: " + reason
		case what == "" && needed:
			t.Errorf("nothing shows %s: %s", id, text)
		}
		cell := func(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", id, cell(text), cell(source), rank, cell(what))
	}
	head := func(title, rank string) {
		fmt.Fprintf(&b, "\n## %s\n\n| id | what | source | %s | shown by |\n|---|---|---|---|---|\n", title, rank)
	}
	head("Features", "priority")
	for _, f := range rules.Features() {
		row(f.ID, f.Text, f.Source, string(f.Priority), f.Priority == rules.Must || f.Priority == rules.Should)
	}
	head("Ways of a job", "confidence")
	for _, r := range rules.Transitions() {
		row(r.ID, r.Text, r.Source, string(r.Confidence), true)
	}
	for _, part := range []struct{ letter, title string }{{"S", "What the service decides"}, {"W", "What stands on the wire"}} {
		head(part.title, "confidence")
		for _, r := range rules.All() {
			if strings.HasPrefix(r.ID, part.letter) {
				row(r.ID, r.Text, r.Source, string(r.Confidence), true)
			}
		}
	}
	for id, reason := range unshown {
		if !slices.Contains(rules.IDs(), id) || len(reason) < 20 {
			t.Errorf("unshown: %s: %q", id, reason)
		}
	}
	if *write {
		if err := os.WriteFile("rules.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("rules.md is not what scenarios and tests show; go test ./scenarios -run TestEveryRuleIsShown -write")
	}
}

var (
	showsLine = regexp.MustCompile(`(?m)^Shows: (.+)$`)
	testName  = regexp.MustCompile(`^(Test|Fuzz|Benchmark)[A-Z]`)
)

// byTests adds the tests of all rooms, which name what they show in a line of their doc comment: "Shows: S-068, F-042".
func byTests(t *testing.T, by shown) {
	t.Helper()
	known := rules.IDs()
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2:
			return fs.SkipDir
		case !strings.HasSuffix(p, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || f.Doc == nil {
				continue
			}
			for _, line := range showsLine.FindAllStringSubmatch(f.Doc.Text(), -1) {
				if !testName.MatchString(f.Name.Name) {
					t.Errorf("%s: %s is no test, and shows nothing", set.Position(f.Pos()), f.Name.Name)
				}
				for _, id := range strings.Split(line[1], ", ") {
					if !slices.Contains(known, id) {
						t.Errorf("%s: there is no rule %q %s", set.Position(f.Pos()), id, nearest(id, known))
					}
					file := filepath.ToSlash(p)
					link := fmt.Sprintf("[%s %s](%s)", strings.TrimPrefix(path.Dir(file), "../"), f.Name.Name, strings.Replace(file, "../scenarios/", "", 1))
					by[id] = append(by[id], link)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
