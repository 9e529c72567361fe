package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file. Line and Column count from 1; both are 0
// where the whole file is meant (it could not be read).
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column, as compilers print it and editors open it.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing that is wrong, or odd, and where.
type Problem struct {
	Position
	Message string // what is wrong and what would be right
}

// String returns "file:line:column: message".
func (p Problem) String() string {
	if p.File == "" {
		return p.Message
	}
	return p.Position.String() + ": " + p.Message
}

// Errors are all the mistakes of a configuration. As an error it reads as one mistake a line.
type Errors []Problem

// Error returns one mistake a line.
func (e Errors) Error() string { return join(e) }

// Warnings are what is odd in a configuration that loads.
type Warnings []Problem

// String returns one warning a line.
func (w Warnings) String() string { return join(w) }

func join(problems []Problem) string {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// inOrder sorts problems by place: files in the order in which they were read.
func inOrder(problems []Problem, files []string) {
	rank := make(map[string]int, len(files))
	for i, f := range files {
		rank[f] = i
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(rank[a.File], rank[b.File]),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
}
