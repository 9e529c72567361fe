package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoad reads any bytes as a root configuration. Either every error has a
// place inside the file, or the stages accept what was read.
func FuzzLoad(f *testing.F) {
	for _, text := range seeds(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		l := loader{root: defaultRoot(), files: []string{"fuzz.yml"}}
		l.errors = decode("fuzz.yml", text, rootKeys(), &l.root)
		l.check()
		lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + 1
		for _, p := range append(l.errors, l.warnings...) {
			if p.File == "fuzz.yml" && p.Line == 0 {
				continue // of the whole file
			}
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" {
				t.Errorf("%v: not a place in a file of %d lines", p, lines)
			}
		}
		if len(l.errors) > 0 {
			return
		}
		if err := compose(l.root, l.files).Levels().Validate(); err != nil {
			t.Errorf("read without an error, but the levels refuse it: %v", err)
		}
	})
}

// seeds are the files of the stories and the examples.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	var texts [][]byte
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		f.Fatalf("no stories in testdata: %v", err)
	}
	for _, story := range stories {
		archive, err := txtar.ParseFile(story)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			texts = append(texts, file.Data)
		}
	}
	examples, err := filepath.Glob("../../examples/*.yml")
	if err != nil || len(examples) == 0 {
		f.Fatalf("no examples: %v", err)
	}
	for _, name := range examples {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}
