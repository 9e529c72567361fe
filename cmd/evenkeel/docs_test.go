package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// pages are the Markdown files that show commands and YAML.
func pages(t *testing.T) []string {
	t.Helper()
	root := rig.Root(t)
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	formats, err := filepath.Glob(filepath.Join(root, "docs", "formats", "*.md"))
	if err != nil || len(formats) == 0 {
		t.Fatal(formats, err)
	}
	return append(append(names, formats...), filepath.Join(root, "README.md"))
}

var fenced = regexp.MustCompile("(?s)\n```([a-z]+)\n(.*?\n)```\n")

// blocks returns the fenced blocks of a language in a page.
func blocks(t *testing.T, page, language string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			list = append(list, m[2])
		}
	}
	return list
}

func TestCommandsOfThePagesExist(t *testing.T) {
	all := pages(t)
	t.Chdir(t.TempDir()) // parsing makes the files that are to be there
	n := 0
	for _, page := range all {
		for _, block := range blocks(t, page, "console") {
			for line := range strings.Lines(block) {
				args, found := strings.CutPrefix(line, "$ evenkeel ")
				if !found {
					continue
				}
				n++
				args, _, _ = strings.Cut(args, " #")
				if err := parses(t, strings.Fields(args)); err != nil {
					t.Errorf("%s: %s: %v", filepath.Base(page), strings.TrimSpace(line), err)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d commands were found: are they written `$ evenkeel …` in console blocks?", n)
	}
}

// parses gives args to the command line without doing anything. Files that are to be there are made.
func parses(t *testing.T, args []string) error {
	t.Helper()
	p := testProgram()
	for i, arg := range args {
		_, file, _ := strings.Cut(arg, "=")
		if i == 0 || file == "" || strings.ContainsAny(file, ":") {
			continue
		}
		if err := os.MkdirAll(filepath.Join(".", filepath.Dir(file)), 0o755); err != nil {
			return err
		}
		if strings.HasPrefix(arg, "--storage.path=") {
			_ = os.MkdirAll(file, 0o755)
			continue
		}
		_ = os.WriteFile(file, nil, 0o600)
	}
	_, err := p.app.Parse(args)
	return err
}

func TestAWrongCommandOfAPageWouldBeFound(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, wrong := range []string{"report --month=2026-10", "sla --service=x", "eval", "unknown"} {
		if parses(t, strings.Fields(wrong)) == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

func TestYAMLOfThePagesLoads(t *testing.T) {
	n := 0
	for _, page := range pages(t) {
		if filepath.Base(page) == "README.md" {
			continue // two files side by side
		}
		for _, block := range blocks(t, page, "yaml") {
			n++
			t.Run(filepath.Base(page), func(t *testing.T) {
				if err := loads(t, block); err != nil {
					t.Errorf("%v\n%s", err, block)
				}
			})
		}
	}
	if n < 8 {
		t.Errorf("only %d blocks were found", n)
	}
}

// loads reads a block by its first key: as Alertmanager's configuration, as one for TLS and
// authentication, or as our own.
func loads(t *testing.T, block string) error {
	t.Helper()
	name := filepath.Join(t.TempDir(), "evenkeel.yml")
	first, _, _ := strings.Cut(block, ":")
	if first == "webhook_configs" { // of a receiver
		block, first = "route: {receiver: evenkeel}\nreceivers:\n  - name: evenkeel\n    "+strings.ReplaceAll(block, "\n", "\n    "), "route"
	}
	if err := os.WriteFile(name, []byte(block), 0o600); err != nil {
		return err
	}
	switch first {
	case "route", "receivers":
		out, err := rig.Amtool(t, "check-config", name)
		if err != nil {
			t.Log(out)
		}
		return err
	case "alerting":
		out, err := rig.Promtool(t, "check", "config", "--syntax-only", name)
		if err != nil {
			t.Log(out)
		}
		return err
	case "tls_server_config", "basic_auth_users":
		d := yaml.NewDecoder(strings.NewReader(block))
		d.KnownFields(true)
		return d.Decode(new(web.Config))
	}
	_, _, err := config.Load(name)
	return err
}

func TestOperationsNamesEveryMetric(t *testing.T) {
	root := rig.Root(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	inCode := map[string]bool{}
	name := regexp.MustCompile(`"(evenkeel_[a-z]+_[a-z_]+)"`)
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			inCode[m[1]] = true
		}
		return err
	})
	if err != nil || len(inCode) < 20 {
		t.Fatal(len(inCode), err)
	}
	onPage := map[string]bool{}
	for _, m := range regexp.MustCompile("`(evenkeel_[a-z_]+)`").FindAllStringSubmatch(string(page), -1) {
		onPage[m[1]] = true
	}
	if diff := cmp.Diff(inCode, onPage); diff != "" {
		t.Errorf("metrics (-code +page)\n%s", diff)
	}
}
