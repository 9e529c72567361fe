package wire_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

func read(text string) (records []ingest.Record, err error) {
	for rec, err := range wire.Recorded(strings.NewReader(text)) {
		if err != nil {
			return records, err
		}
		records = append(records, rec)
	}
	return records, nil
}

func TestARecordedFileComesBackAsItWasWritten(t *testing.T) {
	records := []ingest.Record{
		{Kind: ingest.KindDelivery, ReceivedAt: 1788739496374, Path: ingest.PathAlertmanager, Tenant: "default", Source: "alertmanager", Body: []byte(`{"a":"<\u00e9>"}`)},
		{Kind: ingest.KindDelivery, ReceivedAt: 1788739496375, Path: ingest.PathChanges, Tenant: "t", Source: "s", Body: []byte(`[1.50,null]`)},
		{Kind: ingest.KindDelivery, ReceivedAt: 1788739496376, Path: ingest.PathDetect, Tenant: "default", Body: []byte("\x0a\xff{")},
		{Kind: ingest.KindDelivery, ReceivedAt: 1788739496376, Path: ingest.PathDetect, Tenant: "default", Source: "alertmanager", Body: []byte(`{}`)},
		{
			Kind: ingest.KindDelivery, ReceivedAt: 1788739496376, Path: ingest.PathAlerts, Tenant: "default", Source: "prometheus", Body: []byte(`[]`),
			Origin: &ingest.Origin{Stream: "s", Topic: "t", Partition: 3, Offset: 1 << 40, At: 1788739496001},
		},
	}
	var text []byte
	for _, rec := range records {
		var err error
		if text, err = wire.AppendRecorded(text, rec); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"received_at":"2026-09-07T00:04:56.374Z","path":"/api/v1/ingest/alertmanager","body":{"a":"<\u00e9>"}}
{"received_at":"2026-09-07T00:04:56.375Z","path":"/api/v1/ingest/changes","tenant":"t","source":"s","body":[1.50,null]}
{"received_at":"2026-09-07T00:04:56.376Z","path":"/api/v1/ingest","body_base64":"Cv97"}
{"received_at":"2026-09-07T00:04:56.376Z","path":"/api/v1/ingest","source":"alertmanager","body":{}}
{"received_at":"2026-09-07T00:04:56.376Z","path":"/api/v2/alerts","source":"prometheus","origin":{"stream":"s","topic":"t","partition":3,"offset":1099511627776,"at":"2026-09-07T00:04:56.001Z"},"body":[]}
`
	if string(text) != want {
		t.Errorf("got\n%s", text)
	}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	if _, err := zip.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{string(text), zipped.String(), "\n" + string(text) + "\n\n"} {
		got, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(records, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// When a record of a stream was written, not when it was read, says whether what it promised was kept and when
// its alerts began.
func TestARecordThatWasReadLateIsDecodedFromAFileAsItWasThen(t *testing.T) {
	written := ingest.Millis(1790000000000)
	live := ingest.Record{
		Kind: ingest.KindDelivery, Path: ingest.PathAlerts, Tenant: "default", ReceivedAt: written + 10*ingest.Minute,
		Body: fmt.Appendf(nil, `[{"labels":{"alertname":"Promised"},"startsAt":%q,"endsAt":%q},{"labels":{"alertname":"Begun"}}]`,
			written, written+4*ingest.Minute),
		Origin: &ingest.Origin{Stream: "s", Topic: "t", Offset: 7, At: written},
	}
	line, err := wire.AppendRecorded(nil, live)
	if err != nil {
		t.Fatal(err)
	}
	replayed, err := read(string(line))
	if err != nil {
		t.Fatal(err)
	}
	want, err := wire.Read(live)
	if err != nil {
		t.Fatal(err)
	}
	got, err := wire.Read(replayed[0])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Events, got.Events); diff != "" || len(want.Events) != 2 {
		t.Errorf("%d events (-live +replayed)\n%s", len(want.Events), diff)
	}
}

// Some producers stamp microseconds as milliseconds.
func TestARecordFromTheYear50000CanBeWrittenDown(t *testing.T) {
	line, err := wire.AppendRecorded(nil, ingest.Record{
		ReceivedAt: 1790000000000, Path: "/p", Body: []byte("{}"), Origin: &ingest.Origin{Stream: "s", Topic: "t", Offset: 7, At: 1790000000000000},
	})
	if err != nil {
		t.Fatal(err)
	}
	records, err := read(string(line))
	if err != nil || len(records) != 1 {
		t.Fatalf("%s: %v", line, err)
	}
	if diff := cmp.Diff(&ingest.Origin{Stream: "s", Topic: "t", Offset: 7}, records[0].Origin); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestALineBreakInsideABodyDoesNotBreakTheLine(t *testing.T) {
	text, err := wire.AppendRecorded(nil, ingest.Record{ReceivedAt: 1, Path: "/p", Source: "alertmanager", Body: []byte("{\n \"a\": 1 }\n")})
	if err != nil || strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), `"body":{"a":1}`) {
		t.Errorf("%s %v", text, err)
	}
}

func TestABadLineIsNamed(t *testing.T) {
	const good = `{"received_at":"2026-09-07T00:04:56Z","path":"/p","body":{}}` + "\n"
	for _, test := range []struct{ text, want string }{
		{good + "\n{", "line 3: column 2: the text ends where a name in quotes should be"},
		{good + `{"path":"/p","body":{}}`, "line 2: received_at: missing"},
		{`{"received_at":"now","path":"/p","body":{}}`, `line 1: received_at: "now" is not RFC 3339`},
		{`{"received_at":"2026-09-07T00:04:56Z","body":{}}`, "line 1: path: missing"},
		{`{"received_at":"2026-09-07T00:04:56Z","path":"/p"}`, "line 1: body: missing"},
		{`{"received_at":"2026-09-07T00:04:56Z","path":"/p","body_base64":"!"}`, "line 1: body_base64: illegal base64 data at input byte 0"},
		{`{"received_at":"2026-09-07T00:04:56Z","path":"/p","origin":[],"body":{}}`, "line 1: origin: json: cannot unmarshal array into Go value of type ingest.Origin"},
		{"\x1f\x8bnot gzip", "line 1: gzip: invalid header"},
	} {
		records, err := read(test.text)
		if err == nil || err.Error() != test.want {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
		if want := strings.Count(test.text, good); len(records) != want {
			t.Errorf("%q: %d records before the error, want %d", test.text, len(records), want)
		}
	}
}

func TestAnEmptyFileHasNoDeliveries(t *testing.T) {
	if records, err := read(""); err != nil || len(records) > 0 {
		t.Error(records, err)
	}
}
