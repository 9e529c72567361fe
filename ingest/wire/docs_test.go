package wire_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

var update = flag.Bool("update", false, "write what deliveries become into the pages of the formats")

// shownDelivery is a delivery of a page, and what the page says that it becomes.
var shownDelivery = regexp.MustCompile("(?s)\n```json\n(.*?\n)```\n(.*?)\n```jsonl\n(.*?)```\n")

// Every delivery that a page shows becomes the events that the page shows, at 12:00, by the page's own
// path and by its content. The page of mapped JSON has its test with the configuration.
func TestDeliveriesOfThePagesBecomeWhatThePagesSay(t *testing.T) {
	for page, path := range map[string]string{
		"alertmanager": ingest.PathAlertmanager, "grafana": ingest.PathAlertmanager, "prometheus": ingest.PathAlerts,
		"event-recorder": ingest.PathAlertmanager, "cloudevents": ingest.PathCloudEvents, "changes": ingest.PathChanges,
		"samples": ingest.PathSamples,
	} {
		name := filepath.Join("../../docs/formats", page+".md")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		text = shownDelivery.ReplaceAllFunc(text, func(block []byte) []byte {
			shown++
			parts := shownDelivery.FindSubmatch(block)
			becomes := become(t, path, parts[1])
			if diff := cmp.Diff(becomes, become(t, ingest.PathDetect, parts[1])); diff != "" {
				t.Errorf("%s: by content it is something else (-path +content)\n%s", page, diff)
			}
			if diff := cmp.Diff(becomes, string(parts[3])); diff != "" && !*update {
				t.Errorf("%s (-code +page)\n%s", name, diff)
			}
			return bytes.Join([][]byte{[]byte("\n```json\n"), parts[1], []byte("```\n"), parts[2], []byte("\n```jsonl\n"), []byte(becomes), []byte("```\n")}, nil)
		})
		if shown == 0 {
			t.Errorf("%s shows no delivery", name)
		}
		if *update {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func become(t *testing.T, path string, body []byte) string {
	t.Helper()
	d, err := wire.Read(ingest.Record{Kind: ingest.KindDelivery, Path: path, ReceivedAt: 1795348800000, Body: body})
	if err != nil || len(d.Dead)+len(d.Warnings) > 0 {
		t.Error(err, d.Dead, d.Warnings)
	}
	var lines strings.Builder
	for _, e := range d.Events {
		one, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		// Who sent it, and when, is the same for all.
		_, rest, _ := strings.Cut(string(one), `"received_at":"2026-11-22T12:00:00.000Z",`)
		lines.WriteString("{" + rest + "\n")
	}
	return lines.String()
}
