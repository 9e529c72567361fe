package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Tree is a module's files as they stand on disk, built or not.
type Tree struct {
	Module string // its path
	Go     []*GoFile
	Texts  []Text // every file that is text, Go included

	positions *token.FileSet
}

// GoFile is one parsed file.
type GoFile struct {
	*ast.File
	Path   string // below the root, with slashes
	Folder string // of Path: the package; "." at the root
	Test   bool   // _test.go
}

// forTests reports whether the file is built only for tests: it is one, or its package is named as
// one that serves them.
func (f *GoFile) forTests() bool { return f.Test || strings.HasSuffix(f.Folder, "test") }

// Text is one file as it is.
type Text struct {
	Path    string
	Content []byte
}

// Finding is one breach of a rule.
type Finding struct {
	Where string // path, or path:line
	What  string
}

// String returns the finding as compilers write theirs.
func (f Finding) String() string { return f.Where + ": " + f.What }

// skipped are folders that hold nothing of ours.
var skipped = []string{".git", "bin", "data", "demo", "dist", "node_modules"}

var moduleLine = regexp.MustCompile(`(?m)^module\s+(\S+)`)

// Load reads the tree of a module.
func Load(root fs.FS) (*Tree, error) {
	mod, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return nil, err
	}
	name := moduleLine.FindSubmatch(mod)
	if name == nil {
		return nil, fmt.Errorf("go.mod names no module")
	}
	t := &Tree{Module: string(name[1]), positions: token.NewFileSet()}
	return t, fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, d.Name()):
			return fs.SkipDir
		case d.Type().IsRegular():
			return t.add(root, p)
		}
		return nil
	})
}

func (t *Tree) add(root fs.FS, p string) error {
	content, err := fs.ReadFile(root, p)
	if err != nil {
		return err
	}
	if bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 {
		return nil // not text
	}
	t.Texts = append(t.Texts, Text{p, content})
	if path.Ext(p) != ".go" || strings.Contains(p, "testdata/") {
		return nil
	}
	file, err := parser.ParseFile(t.positions, p, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Go = append(t.Go, &GoFile{File: file, Path: p, Folder: path.Dir(p), Test: strings.HasSuffix(p, "_test.go")})
	return nil
}

// at returns path:line of a node.
func (t *Tree) at(n ast.Node) string {
	p := t.positions.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// local returns an import's folder in this module; false for everything else.
func (t *Tree) local(imported string) (string, bool) {
	if imported == t.Module {
		return ".", true
	}
	return strings.CutPrefix(imported, t.Module+"/")
}

// imported returns the path that an import names.
func imported(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has accepted it
	}
	return p
}

// within reports whether folder is pattern, or below it where the pattern ends in "/...".
func within(folder, pattern string) bool {
	base, deep := strings.CutSuffix(pattern, "/...")
	return folder == base || deep && strings.HasPrefix(folder, base+"/")
}

func withinAny(folder string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return within(folder, p) })
}
