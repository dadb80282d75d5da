package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var ruleID = regexp.MustCompile(`^[SW]-[0-9]{3}$`)

// named lists the rule ids that stand in the program as texts, with the place of each.
func named(t *testing.T) map[string]token.Position {
	t.Helper()
	found := map[string]token.Position{}
	set := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 || path == "../../sim/rules"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if id := strings.Trim(lit.Value, "\"`"); ruleID.MatchString(id) {
					found[id] = set.Position(lit.Pos())
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEveryNamedRuleIsInTheTable: a request, a record or a page may carry no id that nobody can look up.
func TestEveryNamedRuleIsInTheTable(t *testing.T) {
	found := named(t)
	if len(found) < 100 {
		t.Fatalf("only %d ids were found in the program", len(found))
	}
	for id, at := range found {
		if _, ok := Get(id); !ok {
			t.Errorf("%s: rule %s is not in the table", at, id)
		}
	}
}

// TestTable: each row has a sentence of its own, a source and a confidence, and stands in its place.
func TestTable(t *testing.T) {
	sentences := map[string]string{}
	var ids []string
	for _, r := range table {
		ids = append(ids, r.ID)
		if !ruleID.MatchString(r.ID) {
			t.Errorf("%q is no id", r.ID)
		}
		if other := sentences[r.Text]; other != "" {
			t.Errorf("%s says what %s says", r.ID, other)
		}
		sentences[r.Text] = r.ID
		if len(r.Text) < 20 || !strings.HasSuffix(r.Text, ".") || strings.Contains(r.Text, "\n") || strings.Contains(r.Text, ". ") {
			t.Errorf("%s is no sentence: %q", r.ID, r.Text)
		}
		switch {
		case r.Source == "":
			t.Errorf("%s has no source", r.ID)
		case r.Source == ours && r.Confidence != Inferred:
			t.Errorf("%s is a choice of ours and %s", r.ID, r.Confidence)
		case r.Confidence == Documented && !strings.Contains(r.Source, ".md"):
			t.Errorf("%s is documented by %q", r.ID, r.Source)
		case r.Confidence != Documented && r.Confidence != Observed && r.Confidence != Inferred:
			t.Errorf("%s has the confidence %q", r.ID, r.Confidence)
		}
	}
	if !slices.IsSorted(ids) {
		t.Error("the rows are not in the order of their ids")
	}
	if len(slices.Compact(ids)) != len(table) {
		t.Error("an id stands there twice")
	}
	for i, r := range All() {
		if r != table[i] {
			t.Fatalf("All()[%d] is %s", i, r.ID)
		}
	}
}
