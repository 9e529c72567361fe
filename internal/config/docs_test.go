package config

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	keysBegin = "<!-- keys: written by `go test ./internal/config -run Docs -update` -->\n"
	keysEnd   = "<!-- end of keys -->\n"
)

// updating says whether to write rather than compare; the flag belongs to the tests outside of the package.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestDocsListEveryKey(t *testing.T) {
	for _, page := range []struct {
		name string
		keys []spec
		// elsewhere are keys that another page describes.
		elsewhere map[string]string
	}{
		{"configuration.md", rootKeys().keys, map[string]string{
			"services":  "see [the catalogue](catalogue.md)",
			"calendars": "see [the catalogue](catalogue.md)",
		}},
		{"catalogue.md", catalogueKeys().keys, nil},
	} {
		name := filepath.Join("../../docs", page.name)
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(text), keysBegin)
		old, after, ok2 := strings.Cut(rest, keysEnd)
		if !ok || !ok2 {
			t.Fatalf("%s has no marks between which its keys stand", page.name)
		}
		var b strings.Builder
		describe(&b, "", page.keys, page.elsewhere)
		if diff := cmp.Diff(b.String(), old); diff != "" && !updating() {
			t.Errorf("%s is not what the code reads (-code +page):\n%s", page.name, diff)
		}
		if updating() {
			if err := os.WriteFile(name, []byte(before+keysBegin+b.String()+keysEnd+after), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// describe writes a table of the keys at path, then one for each mapping below.
func describe(b *strings.Builder, path string, keys []spec, elsewhere map[string]string) {
	title := "At the top"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(b, "\n### %s\n\n| key | type | default | meaning |\n|---|---|---|---|\n", title)
	for _, k := range keys {
		value := k.Default
		switch {
		case k.Required:
			value = "required"
		case value != "" && !strings.Contains(value, " ") || strings.HasPrefix(value, "["):
			value = "`" + value + "`"
		}
		text := k.Text
		if see := elsewhere[k.Name]; see != "" {
			text += "; " + see
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.Name, k.Type, value, strings.ReplaceAll(text, "|", `\|`))
	}
	for _, k := range keys {
		if len(k.Keys) > 0 && elsewhere[k.Name] == "" {
			describe(b, strings.TrimPrefix(path+"."+k.Name, "."), k.Keys, nil)
		}
	}
}

func TestDocsHoldOnlyExamplesThatLoad(t *testing.T) {
	for page, least := range map[string]int{"configuration.md": 3, "catalogue.md": 3, "kafka.md": 3, "cluster.md": 1} {
		blocks := examples(t, page)
		if len(blocks) < least {
			t.Errorf("%s: %d examples, want at least %d", page, len(blocks), least)
		}
		for i, text := range blocks {
			l := loader{root: defaultRoot()}
			l.errors = decode(fmt.Sprintf("example %d of %s", i+1, page), []byte(text), rootKeys(), &l.root)
			l.check()
			if len(l.errors) > 0 {
				t.Error(l.errors)
			}
		}
	}
}

func TestDocsShowTheDefaults(t *testing.T) {
	var shown rootFile
	text := examples(t, "configuration.md")[0]
	if errs := decode("defaults", []byte(text), rootKeys(), &shown); len(errs) > 0 {
		t.Fatal(errs)
	}
	want := defaultRoot()
	want.Catalogue, want.Services, want.Calendars = []placed[string]{}, []serviceEntry{}, []calendarEntry{}
	if diff := cmp.Diff(want, shown, cmp.AllowUnexported(serviceEntry{})); diff != "" {
		t.Errorf("the defaults in configuration.md are not those of the code (-code +page):\n%s", diff)
	}
	eachKey(rootKeys().keys, func(k spec) {
		if strings.ContainsAny(k.Default, "0123456789[") && !strings.Contains(k.Default, ":") &&
			!strings.Contains(text, k.Name+": "+k.Default+"\n") {
			t.Errorf("the code says that %s is %s by default; the file of defaults does not", k.Name, k.Default)
		}
	})
}

func eachKey(keys []spec, do func(spec)) {
	for _, k := range keys {
		do(k)
		eachKey(k.Keys, do)
	}
}

// examples returns the YAML blocks of a page of docs.
func examples(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for i, part := range strings.Split(string(text), "```") {
		if yaml, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			blocks = append(blocks, yaml)
		}
	}
	return blocks
}
