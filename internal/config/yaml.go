package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of what is read. They are far above any real catalogue; they keep
// a small file of aliases to long lists from taking all memory.
const (
	maxFileBytes = 32 << 20
	maxNodes     = 4 << 20
	maxErrors    = 1000 // of one file
)

// decoder reads the nodes of one file and collects every mistake that it meets.
type decoder struct {
	file   string
	errors Errors
	nodes  int // read so far, aliases followed
}

// at returns where a node stands.
func (d *decoder) at(n *yaml.Node) Position {
	return Position{File: d.file, Line: max(1, n.Line), Column: max(1, n.Column)}
}

func (d *decoder) errorf(n *yaml.Node, format string, args ...any) {
	if len(d.errors) >= maxErrors {
		return
	}
	d.errors = append(d.errors, Problem{d.at(n), fmt.Sprintf(format, args...)})
}

// document parses text as one YAML document and returns its content; nil if it is empty or wrong.
func (d *decoder) document(text []byte) *yaml.Node {
	yes := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	switch err := yes.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		d.syntax(err, text)
		return nil
	}
	switch err := yes.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(err, text)
		return nil
	default:
		d.errorf(&second, "a second document begins here; a file holds one")
		return nil
	}
	if len(doc.Content) == 0 {
		return nil
	}
	return doc.Content[0]
}

var syntaxLine = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)

// syntax notes an error of the YAML parser, which knows lines only, and some
// of its errors not even that.
func (d *decoder) syntax(err error, text []byte) {
	line, message := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	last := bytes.Count(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) + 1
	line = min(max(line, 1), last)
	d.errors = append(d.errors, Problem{Position{d.file, line, 1}, "not YAML: " + message})
}

// enter follows aliases and counts; false means that the file is too large to go
// on. Depth needs no bound: no mapping of the schema holds itself.
func (d *decoder) enter(n *yaml.Node) (*yaml.Node, bool) {
	n = target(n)
	d.nodes++
	if d.nodes == maxNodes {
		d.errorf(n, "the file has more than %d values, aliases followed", maxNodes)
	}
	return n, d.nodes < maxNodes && len(d.errors) < maxErrors
}

// kindOf names what stands at a node, for people.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// target follows aliases.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
