package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
)

const bridge = `ingest: {resolve_timeout: 2m}
sources:
  - name: bridge
    mapping:
      event: alert
      items: /checks
      time: unix
      fields:
        status: {from: /state, values: {2: firing, OK: resolved}, default: firing}
        starts_at: {from: /since, time: unix_ms}
        labels.alertname: /check~1name
        labels.site: {constant: eu}
`

func TestAMappingIsReadAndPartOfWhatTheFoldDependsOn(t *testing.T) {
	c, _, err := config.Load(file(t, "evenkeel.yml", bridge))
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Config{ResolveTimeout: 2 * ingest.Minute, Limits: wire.DefaultLimits, Mappings: map[string]wire.Mapping{"bridge": {
		Event: "alert", Items: "/checks", Time: "unix", Fields: map[string]wire.Field{
			"status":           {From: "/state", Values: map[string]string{"2": "firing", "OK": "resolved"}, Default: "firing"},
			"starts_at":        {From: "/since", Time: "unix_ms"},
			"labels.alertname": {From: "/check~1name"}, "labels.site": {Constant: "eu"},
		}}}}
	if diff := cmp.Diff(want, c.Folding().Decoding); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// The page shows a configuration, a delivery, and what it becomes.
func TestThePageOfMappedJSONShowsWhatItsMappingMakes(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/mapped.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		_, rest, _ := strings.Cut(string(page), "\n```"+language+"\n")
		text, _, found := strings.Cut(rest, "```\n")
		if !found {
			t.Fatalf("the page has no block of %s", language)
		}
		return text
	}
	c, _, err := config.Load(file(t, "evenkeel.yml", block("yaml")))
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := wire.New(c.Decoding())
	if err != nil {
		t.Fatal(err)
	}
	d, err := decoder.Read(ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathMapped, Source: "bridge", Body: []byte(block("json"))})
	if err != nil || len(d.Dead)+len(d.Warnings) > 0 {
		t.Fatal(err, d.Dead, d.Warnings)
	}
	var becomes strings.Builder
	for _, e := range d.Events {
		alert, err := json.Marshal(e.Alert)
		if err != nil {
			t.Fatal(err)
		}
		becomes.WriteString(`{"alert":` + string(alert) + "}\n")
	}
	if diff := cmp.Diff(block("jsonl"), becomes.String()); diff != "" {
		t.Errorf("(-page +code)\n%s", diff)
	}
}

func TestWhatIsWrongWithAMappingIsSaidWithItsPlace(t *testing.T) {
	for _, test := range []struct{ name, mapping, want string }{
		{"no event", "{fields: {status: /s}}", "3:14: mapping: has no event (what an item is)"},
		{"a mistyped key", "{event: sample, fields: {}, item: /x}", `3:42: unknown key "item"; did you mean items?`},
		{"no mapping", "[]", "3:14: mapping: want a mapping of keys, not a list"},
		{"fields that are a list", "{event: sample, fields: [a]}", "3:38: fields: want a mapping of names, not a list"},
		{"a field twice", "{event: sample, fields: {good: /g, good: /h}}", "3:49: fields: good stands here twice"},
		{"a field that another event has", "{event: sample, fields: {service: /s, good: /g, total: /t, at: /a, title: /x}}", "3:81: mapping: fields.title: not a field of a sample"},
		{"a field that is missing", "{event: sample, fields: {service: /s, good: /g, total: /t}}", "3:14: mapping: fields.at: missing; every sample needs it"},
		{"no pointer", "{event: sample, fields: {service: s, good: /g, total: /t, at: /a}}", `3:39: mapping: fields.service.from: "s" is no JSON Pointer: it does not begin with /`},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := file(t, "evenkeel.yml", "sources:\n  - name: s\n    mapping: "+test.mapping+"\n")
			_, _, err := config.Load(name)
			if err == nil || err.Error() != name+":"+test.want {
				t.Errorf("got  %v\nwant %s:%s", err, name, test.want)
			}
		})
	}
}

// file writes text to a file of its own and returns its name.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	write(t, name, []byte(text))
	return name
}
