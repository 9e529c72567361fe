package house

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// applied are folders all of whose SQL files are used: the migrations are every
// file that is there.
var applied = []string{"deploy/clickhouse"}

// SQLFiles finds .sql files that no go:embed directive of a folder above takes, and
// those that are embedded with a pattern while no code names them.
func SQLFiles(t *Tree) []Finding {
	var found []Finding
	for _, text := range t.Texts {
		if path.Ext(text.Path) != ".sql" || strings.Contains(text.Path, "testdata/") {
			continue
		}
		switch embedded, alone := t.embedding(text.Path); {
		case !embedded:
			found = append(found, Finding{text.Path, "is not embedded by any Go file"})
		case !alone && !withinAny(path.Dir(text.Path), applied) && !t.names(text.Path):
			found = append(found, Finding{text.Path, "is embedded, but no Go file names it"})
		}
	}
	return found
}

var embedLine = regexp.MustCompile(`^//go:embed (.+)$`)

// embedding reports whether a file is embedded, and whether a directive names just it.
func (t *Tree) embedding(file string) (embedded, alone bool) {
	for _, f := range t.Go {
		rel, below := strings.CutPrefix(file, strings.TrimPrefix(f.Folder+"/", "./"))
		if f.Test || !below {
			continue
		}
		for _, pattern := range embedPatterns(f) {
			if !matches(pattern, rel) {
				continue
			}
			embedded = true
			alone = alone || pattern == rel
		}
	}
	return embedded, alone
}

func embedPatterns(f *GoFile) []string {
	var patterns []string
	for _, group := range f.Comments {
		for _, c := range group.List {
			if m := embedLine.FindStringSubmatch(c.Text); m != nil {
				patterns = append(patterns, strings.Fields(m[1])...)
			}
		}
	}
	return patterns
}

// matches reports whether an embed pattern takes a file: by itself, or by one of its folders.
func matches(pattern, file string) bool {
	pattern = strings.TrimPrefix(strings.Trim(pattern, "`\""), "all:")
	for ; file != "."; file = path.Dir(file) {
		if ok, err := path.Match(pattern, file); err == nil && ok {
			return true
		}
	}
	return false
}

// names reports whether code beside or above an SQL file holds its name, with or without
// the ending, as a string.
func (t *Tree) names(file string) bool {
	base := path.Base(file)
	stem := strings.TrimSuffix(base, ".sql")
	for _, f := range t.Go {
		if f.Test || !strings.HasPrefix(file, strings.TrimPrefix(f.Folder+"/", "./")) {
			continue
		}
		for _, s := range stringsIn(f) {
			if s == stem || path.Base(s) == base {
				return true
			}
		}
	}
	return false
}

func stringsIn(f *GoFile) []string {
	var all []string
	ast.Inspect(f.File, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				all = append(all, s)
			}
		}
		return true
	})
	return all
}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|ALTER TABLE|CREATE TABLE|WITH)\s`)

// SQLStrings finds statements in Go strings. They belong into .sql files, where they are
// read as a whole and tested. The connection itself is free: it builds the INSERT out of the one
// list of columns, and speaks to the server about the server.
func SQLStrings(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Go {
		if f.Test || within(f.Folder, "internal/clickhouse/...") || within(f.Folder, "internal/rig/...") {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			if s, err := strconv.Unquote(lit.Value); err == nil && statement.MatchString(s) {
				found = append(found, Finding{t.at(lit), "is SQL in Go: it belongs into a .sql file"})
			}
			return true
		})
	}
	return found
}
