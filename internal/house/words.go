package house

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Docs finds packages without a package comment, and comments that do not begin as
// godoc wants.
func Docs(t *Tree) []Finding {
	docs := map[string]string{} // by folder; "" where none was found
	names := map[string]string{}
	for _, f := range t.Go {
		if f.Test {
			continue
		}
		docs[f.Folder] += f.Doc.Text()
		names[f.Folder] = f.Name.Name
	}
	var found []Finding
	for folder, doc := range docs {
		begin := "Package " + names[folder] + " "
		if names[folder] == "main" {
			begin = "Command " + path.Base(folder) + " "
		}
		if !strings.HasPrefix(doc, begin) {
			found = append(found, Finding{folder, fmt.Sprintf("has no package comment that begins with %q", begin)})
		}
	}
	return sorted(found)
}

// forbidden are words that no file may hold. They are written in two parts, because this is
// a file, too.
var forbidden = []struct {
	word *regexp.Regexp
	why  string
}{
	{regexp.MustCompile("/wo" + "rk/(main|shared|\\.)|/ro" + "ot/|/ho" + "me/[a-z]"), "a path of one machine"},
	{regexp.MustCompile("registry\\." + "npmjs|proxy\\." + "golang|sum\\." + "golang|deb\\." + "debian"), "the host of a registry: its client knows it"},
	{regexp.MustCompile("\\bTO" + "DO\\b|\\bFIX" + "ME\\b"), "something unfinished"},
}

// generated are files whose words others chose. Test data is free, too.
var generated = []string{"go.sum", "tools/go.sum", "LICENSE"}

// Words finds forbidden words, by line.
func Words(t *Tree) []Finding {
	var found []Finding
	for _, text := range t.Texts {
		if slices.Contains(generated, text.Path) || strings.Contains(text.Path, "testdata/") {
			continue
		}
		for i, line := range bytes.Split(text.Content, []byte("\n")) {
			for _, f := range forbidden {
				if m := f.word.Find(line); m != nil {
					found = append(found, Finding{fmt.Sprintf("%s:%d", text.Path, i+1), fmt.Sprintf("%q is %s", m, f.why)})
				}
			}
		}
	}
	return found
}

func sorted(found []Finding) []Finding {
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return found
}
