package house

import (
	"fmt"
	"strings"
)

// directions says for every folder what it may import from the project. A pattern that
// ends in "/..." takes everything below, too. A stage may not import its own adapters: the arrow
// goes from these to it.
var directions = map[string][]string{
	// Subcommands that need no service, such as replay, fold by themselves.
	"cmd/evenkeel": {"internal/...", "ingest/...", "correlate/...", "sla/...", "improve/...", "dashboards", "deploy"},

	"internal/app": {
		"internal/api", "internal/alertmanager", "internal/web", "internal/config", "internal/partition", "internal/simulate", "internal/journal/...",
		"internal/clickhouse/...", "ingest/...", "correlate/...", "sla/...", "improve/...", "dashboards", "deploy",
	},
	// The store only to tell that it is away, which is a 503.
	"internal/api": {"ingest/...", "correlate/...", "sla/...", "improve/...", "internal/partition", "internal/clickhouse"},
	"internal/alertmanager": {
		"internal/api", "ingest", "correlate", "correlate/store",
	},
	"internal/web":      {"internal/api", "ingest/...", "correlate/...", "sla/...", "improve/...", "internal/partition"},
	"internal/config":   {"ingest", "ingest/stream", "ingest/wire", "correlate", "sla", "improve", "internal/journal", "internal/clickhouse", "internal/partition"},
	"internal/simulate": {"ingest/...", "correlate", "sla", "improve"},
	"internal/partition": {
		"ingest/...", "correlate/...", "sla/...", "internal/journal", "internal/clickhouse",
	},

	"improve":        {"sla", "correlate", "ingest"},
	"improve/report": {"improve", "sla", "correlate", "ingest"},
	"improve/store":  {"improve", "sla", "sla/store", "correlate", "ingest", "ingest/store", "internal/clickhouse"},

	"sla":       {"correlate", "ingest"},
	"sla/store": {"sla", "correlate", "ingest", "internal/clickhouse"},

	"correlate":       {"ingest"},
	"correlate/eval":  {"correlate", "ingest"},
	"correlate/store": {"correlate", "ingest", "internal/clickhouse"},

	"ingest":         {},
	"ingest/wire":    {"ingest"},
	"ingest/webhook": {"ingest", "ingest/wire"},
	"ingest/stream":  {"ingest", "ingest/wire"},
	"ingest/store":   {"ingest", "internal/clickhouse"},

	"internal/journal":                       {"ingest"},
	"internal/journal/kafka":                 {"ingest", "internal/journal"},
	"internal/clickhouse":                    {},
	"internal/clickhouse/engine":             {},
	"internal/clickhouse/engine/enginechild": {"internal/clickhouse/engine"},
	"dashboards":                             {},
	"deploy":                                 {},
	"deploy/compose":                         {}, // only a test

	// Of the tests only.
	"internal/rig":       {"internal/rig/parts", "internal/clickhouse/...", "deploy"},
	"internal/endtoend":  {},
	"internal/rig/parts": {},
	"internal/rig/fetch": {"internal/rig/parts", "internal/clickhouse/engine"},
	"internal/house":     {},
}

// ofTests are folders that only tests may import, besides those whose name ends in "test": such a
// package holds what the tests of several packages share, as net/http/httptest does.
var ofTests = []string{"internal/rig/...", "internal/house", "internal/endtoend"}

func isOfTests(folder string) bool {
	return withinAny(folder, ofTests) || strings.HasSuffix(folder, "test")
}

// Directions finds imports against the direction, and folders that have none. Tests
// may look at anything: they are not part of what is built.
func Directions(t *Tree) []Finding {
	var found []Finding
	unknown := map[string]bool{}
	for _, f := range t.Go {
		allowed, known := directions[f.Folder]
		known = known || strings.HasSuffix(f.Folder, "test")
		if !known && !unknown[f.Folder] {
			unknown[f.Folder] = true
			found = append(found, Finding{f.Folder, "is not in the table of directions: say there what it may import"})
		}
		if f.forTests() || !known {
			continue
		}
		for _, spec := range f.Imports {
			target, ours := t.local(imported(spec))
			if ours && !mayImport(f.Folder, target, allowed) {
				found = append(found, Finding{t.at(spec), fmt.Sprintf("%s may not import %s", f.Folder, target)})
			}
		}
	}
	return found
}

func mayImport(folder, target string, allowed []string) bool {
	if isOfTests(target) && !isOfTests(folder) {
		return false
	}
	return withinAny(target, allowed)
}

// fence says where alone a library may be used.
type fence struct {
	inside []string
	tests  bool // every test may, too
}

// fences keep third-party libraries behind small interfaces, so that they can be
// exchanged, and libraries for tests out of what is built.
var fences = map[string]fence{
	"github.com/segmentio/kafka-go": {inside: []string{"ingest/stream", "internal/journal/kafka", "internal/rig"}},
	"github.com/ClickHouse":         {inside: []string{"internal/clickhouse/..."}},
	"github.com/ebitengine/purego":  {inside: []string{"internal/clickhouse/..."}},
	"gonum.org/v1/gonum":            {inside: []string{"improve/..."}},
	"github.com/alecthomas/kingpin": {inside: []string{"cmd/evenkeel"}},
	"go.yaml.in/yaml":               {inside: []string{"internal/config", "internal/app"}, tests: true},
	"gopkg.in/yaml.v2":              {}, // go.yaml.in/yaml/v3 is the one
	"gopkg.in/yaml.v3":              {},
	"github.com/stretchr/testify":   {}, // go-cmp says more

	"testing":                         {inside: []string{"internal/rig"}, tests: true},
	"github.com/getkin/kin-openapi":   {tests: true},
	"github.com/google/go-cmp":        {tests: true},
	"github.com/rogpeppe/go-internal": {tests: true},
	"go.uber.org/goleak":              {tests: true},
	"pgregory.net/rapid":              {tests: true},
}

// Fences finds libraries outside their fence.
func Fences(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Go {
		for _, spec := range f.Imports {
			library, fence := fenceOf(imported(spec))
			if library == "" || withinAny(f.Folder, fence.inside) || f.forTests() && fence.tests {
				continue
			}
			found = append(found, Finding{t.at(spec), fmt.Sprintf("%s may be used only in %q", library, fence.inside)})
		}
	}
	return found
}

// fenceOf returns the fenced library that an import belongs to, or "".
func fenceOf(p string) (string, fence) {
	for library, fence := range fences {
		if p == library || strings.HasPrefix(p, library+"/") {
			return library, fence
		}
	}
	return "", fence{}
}
