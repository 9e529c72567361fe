package house

import (
	"fmt"
	"go/ast"
	"slices"
)

// pure are the packages that take values and give values.
var pure = []string{"ingest", "correlate", "sla", "improve", "improve/report"}

// impure are the packages of the standard library that reach outside: files, processes,
// the network, chance, logs.
var impure = []string{
	"os", "os/...", "io/ioutil", "net", "net/http/...", "syscall", "log/...", "database/sql/...",
	"math/rand/...", "crypto/rand", "runtime", "runtime/...", "unsafe", "embed",
}

// clock are the functions of package time that read or run the wall clock.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep"}

// Purity finds what would make a pure package depend on more than its arguments.
// Embedding is allowed to the report, which holds its templates.
func Purity(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Go {
		if f.Test || !slices.Contains(pure, f.Folder) {
			continue
		}
		for _, spec := range f.Imports {
			p := imported(spec)
			if withinAny(p, impure) && (p != "embed" || f.Folder != "improve/report") {
				found = append(found, Finding{t.at(spec), fmt.Sprintf("%s is pure and may not import %s", f.Folder, p)})
			}
		}
		found = append(found, impurities(t, f)...)
	}
	return found
}

// impurities are where a file reads the clock, or starts what may run in any order.
func impurities(t *Tree, f *GoFile) []Finding {
	var found []Finding
	ast.Inspect(f.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if isName(n.X, "time") && slices.Contains(clock, n.Sel.Name) {
				found = append(found, Finding{t.at(n), f.Folder + " is pure and may not call time." + n.Sel.Name})
			}
		case *ast.GoStmt:
			found = append(found, Finding{t.at(n), f.Folder + " is pure and may not start a goroutine"})
		}
		return true
	})
	return found
}

func isName(e ast.Expr, names ...string) bool {
	id, ok := e.(*ast.Ident)
	return ok && slices.Contains(names, id.Name)
}

// Skips finds tests that skip by themselves. package rig's Missing does it so that the skip is
// listed, and is a failure where nothing may be left out. What rig itself is made of cannot use it,
// and who says -short wants the skip.
func Skips(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Go {
		if withinAny(f.Folder, []string{"internal/rig/...", "internal/clickhouse/engine"}) {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			if isSkip(n) {
				found = append(found, Finding{t.at(n), "skip with rig.Missing, which lists the skip and fails where all is required"})
			}
			return !ifShort(n)
		})
	}
	return found
}

// isSkip reports whether n is t.Skip or one of its kin, whatever the test is called.
func isSkip(n ast.Node) bool {
	s, ok := n.(*ast.SelectorExpr)
	return ok && isName(s.X, "t", "b", "f", "tb") && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name)
}

// ifShort reports whether n is `if testing.Short()`.
func ifShort(n ast.Node) bool {
	branch, ok := n.(*ast.IfStmt)
	if !ok {
		return false
	}
	call, ok := branch.Cond.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && isName(f.X, "testing") && f.Sel.Name == "Short"
}
