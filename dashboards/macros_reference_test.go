package dashboards

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// reference is the part of the reference file that says what macros become.
type reference struct {
	Range struct {
		From     time.Time `json:"from"`
		To       time.Time `json:"to"`
		Interval string    `json:"interval"`
	} `json:"range"`
	Macros []struct{ Macro, Expands string } `json:"macros"`
}

func referenceExpander(t *testing.T) (expander, reference) {
	t.Helper()
	b, err := os.ReadFile(rig.Shared(t, "vectors/grafana_clickhouse_macros.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	interval, err := time.ParseDuration(ref.Range.Interval)
	if err != nil {
		t.Fatal(err)
	}
	return expander{from: ref.Range.From, to: ref.Range.To, interval: interval}, ref
}

func TestMacrosBecomeWhatTheReferenceSays(t *testing.T) {
	e, ref := referenceExpander(t)
	checked := 0
	for _, c := range ref.Macros {
		if strings.HasPrefix(c.Macro, "$__conditionalAll") {
			continue // described in prose there; its own test is below
		}
		got, err := e.expand(c.Macro)
		if err != nil || got != c.Expands {
			t.Errorf("%s\n got %q, %v\nwant %q", c.Macro, got, err, c.Expands)
		}
		checked++
	}
	if checked < 14 {
		t.Errorf("only %d macros were checked: the reference has changed", checked)
	}
}

func TestTrapsOfExpansion(t *testing.T) {
	e := expander{
		from: time.Unix(100, 0), to: time.Unix(200, 0), interval: 20 * time.Second,
		variables: map[string]variable{
			"service": {values: []string{"cart", "o'neil"}},
			"region":  {values: []string{"eu"}, all: true},
		},
	}
	for _, c := range []struct{ name, sql, want string }{
		{"nested parentheses stay in the argument", "$__timeFilter(toDateTime(f(a, b)))",
			"toDateTime(f(a, b)) >= toDateTime(100) AND toDateTime(f(a, b)) <= toDateTime(200)"},
		{"spaces around an argument are trimmed", "$__timeFrom(  c  )", "c >= toDateTime(100)"},
		{"a line comment is stripped and its macro not expanded", "SELECT 1 -- $__nonsense(\n, 2", "SELECT 1 \n, 2"},
		{"a block comment is stripped and its macro not expanded", "SELECT /* $__nonsense( */ 1", "SELECT  1"},
		{"a literal keeps its macro", "SELECT '$__fromTime'", "SELECT '$__fromTime'"},
		{"a literal keeps what looks like a comment", "SELECT '--', $__interval_s", "SELECT '--', 20"},
		{"an escaped quote does not end a literal", `SELECT 'a\'$__toTime'`, `SELECT 'a\'$__toTime'`},
		{"a longer name is not taken for a shorter", "$__fromTime_ms, $__fromTime",
			"fromUnixTimestamp64Milli(100000), toDateTime(100)"},
		{"a condition stays where something is chosen", "$__conditionalAll(s IN (${service:singlequote}), $service)",
			`s IN ('cart','o\'neil')`},
		{"a condition becomes 1=1 where All is chosen", "$__conditionalAll(r IN (${region:singlequote}), $region)", "1=1"},
		{"an inner condition goes first", "$__conditionalAll(a AND $__conditionalAll(b, $region), $service)", "a AND 1=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := e.expand(c.sql)
			if err != nil || got != c.want {
				t.Errorf("got %q, %v\nwant %q", got, err, c.want)
			}
		})
	}
}

func TestWhatCannotBeExpandedIsAnError(t *testing.T) {
	e := expander{variables: map[string]variable{"a": {}}}
	for name, sql := range map[string]string{
		"an unknown macro":                     "$__nonsense(c)",
		"an open parenthesis":                  "$__timeFilter(c",
		"a missing argument":                   "$__timeGroup(c)",
		"a formatted variable as the second":   "$__conditionalAll(x, ${a:singlequote})",
		"a variable that the dashboard lacks":  "$__conditionalAll(x, $b)",
		"a macro with arguments that has none": "$__timeFilter",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := e.expand(sql); err == nil {
				t.Errorf("expanded to %q", got)
			}
		})
	}
}
