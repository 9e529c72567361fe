package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

func TestProgressIsReadAsItWasWritten(t *testing.T) {
	want := ingest.Progress{Stream: "bus", ReadTo: 1_790_035_200_123}
	rec, err := wire.ProgressOf("shop", "bridge", want)
	if err != nil {
		t.Fatal(err)
	}
	rec.ReceivedAt = 1_790_035_201_000
	if got, want := string(rec.Body), `{"stream":"bus","read_to":"2026-09-22T00:00:00.123Z"}`; got != want {
		t.Errorf("the body is %s, want %s", got, want)
	}
	line, err := wire.AppendRecorded(nil, rec) // as an export writes it
	if err != nil {
		t.Fatal(err)
	}
	for again, err := range wire.Recorded(bytes.NewReader(line)) {
		if err != nil {
			t.Fatal(err)
		}
		events, dead, err := wire.Decode(again)
		event := ingest.Event{Tenant: "shop", Source: "bridge", ReceivedAt: rec.ReceivedAt, Progress: &want}
		if diff := cmp.Diff([]ingest.Event{event}, events); diff != "" || len(dead) > 0 || err != nil {
			t.Error(diff, dead, err)
		}
	}
}

func TestProgressThatSaysTooLittleIsAnError(t *testing.T) {
	for body, want := range map[string]string{
		`{"read_to":"2026-09-22T00:00:00Z"}`:            "progress.stream: missing",
		`{"stream":"bus"}`:                              "progress.read_to: missing",
		`{"stream":"bus","read_to":"soon"}`:             "progress.read_to: \"soon\" is not RFC 3339",
		`{"stream":1,"read_to":"2026-09-22T00:00:00Z"}`: "progress.stream: number is not a string",
		`"bus"`: "string is neither a progress",
	} {
		_, _, err := wire.Decode(ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathProgress, Body: []byte(body)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// It is a sign of life: whoever may send anything else must not be able to give it.
func TestNobodyCanSendProgress(t *testing.T) {
	if slices.Contains(ingest.Paths(), ingest.PathProgress) {
		t.Error("it can be posted")
	}
	body := `{"stream":"bus","read_to":"2026-09-22T00:00:00.123Z"}`
	for _, sent := range []string{body, "[" + body + "]",
		`{"specversion":"1.0","id":"1","source":"/s","type":"evenkeel.progress","data":` + body + `}`,
	} {
		for _, path := range ingest.Paths() {
			events, _, _ := wire.Decode(ingest.Record{Kind: ingest.KindDelivery, Path: path, Body: []byte(sent)})
			if len(events) > 0 {
				t.Errorf("%s by %s is %+v", sent, path, events)
			}
		}
	}
}
