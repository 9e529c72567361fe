package house_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/evenkeel/evenkeel/internal/house"
	"github.com/evenkeel/evenkeel/internal/rig"
)

var rules = map[string]func(*house.Tree) []house.Finding{
	"imports go one way":                        house.Directions,
	"third-party libraries stay in their fence": house.Fences,
	"pure packages are pure":                    house.Purity,
	"every package has a doc":                   house.Docs,
	"every SQL file is used":                    house.SQLFiles,
	"SQL stands in files":                       house.SQLStrings,
	"tests skip so that it is seen":             house.Skips,
	"no file holds a forbidden word":            house.Words,
}

func TestTheRepositoryKeepsItsRules(t *testing.T) {
	tree := load(t, os.DirFS(rig.Root(t)))
	if len(tree.Go) < 50 {
		t.Fatalf("only %d Go files were found: the rules look at nothing", len(tree.Go))
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, f := range rule(tree) {
				t.Error(f)
			}
		})
	}
}

// Each file of testdata holds a small tree. Its comment names the rule that the tree breaks, and
// then the beginning of each finding.
func TestEveryRuleFindsWhatBreaksIt(t *testing.T) {
	files, err := fs.Glob(os.DirFS("testdata"), "*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, file := range files {
		archive, err := txtar.ParseFile("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(archive.Comment)), "\n")
		name, want := lines[0], lines[1:]
		tested[name] = true
		t.Run(name, func(t *testing.T) {
			if rules[name] == nil {
				t.Fatalf("%s names no rule", file)
			}
			compare(t, rules[name](load(t, asFS(archive))), want)
		})
	}
	for name := range rules {
		if !tested[name] {
			t.Errorf("no file of testdata breaks the rule that %s", name)
		}
	}
}

func compare(t *testing.T, found []house.Finding, want []string) {
	t.Helper()
	for i := range max(len(found), len(want)) {
		switch {
		case i >= len(found):
			t.Errorf("not found: %s", want[i])
		case i >= len(want):
			t.Errorf("found as well: %s", found[i])
		case !strings.HasPrefix(found[i].String(), want[i]):
			t.Errorf("found: %s\n want: %s", found[i], want[i])
		}
	}
}

func load(t *testing.T, root fs.FS) *house.Tree {
	t.Helper()
	tree, err := house.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func asFS(archive *txtar.Archive) fs.FS {
	files := fstest.MapFS{"go.mod": {Data: []byte("module example.org/m\n")}}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files
}
