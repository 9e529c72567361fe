package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/eventrecorder/eventrecorderpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// fuzzed are the paths by their number in a corpus.
var fuzzed = []string{
	ingest.PathAlertmanager, ingest.PathChanges, ingest.PathAlerts, ingest.PathSamples, ingest.PathCloudEvents, ingest.PathMapped, ingest.PathDetect,
	ingest.PathProgress,
}

// FuzzDecode checks what must hold for any bytes on any path: no panic, and either an error that
// points into them, or events that the fold can rely on.
func FuzzDecode(f *testing.F) {
	decoder, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"bridge": nagios}})
	if err != nil {
		f.Fatal(err)
	}
	for _, body := range seeds(f) {
		for path := range fuzzed {
			f.Add([]byte(body), uint8(path))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, path uint8) {
		rec := at(1795348800000, fuzzed[int(path)%len(fuzzed)], string(body))
		rec.Source = "bridge"
		d, err := decoder.Read(rec)
		if err != nil {
			checkError(t, body, d.Events, d.Dead, err)
			return
		}
		if rec.Path != ingest.PathDetect && !json.Valid(body) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		for _, e := range d.Events {
			checkEvent(t, e)
		}
		for _, dead := range d.Dead {
			if dead.Reason == "" || len(dead.Body) > ingest.MaxDeadLetterBytes || dead.Tenant == "" {
				t.Errorf("dead letter %+v", dead)
			}
		}
		again, err := decoder.Read(rec)
		if !reflect.DeepEqual(d, again) || err != nil { // it is faster than cmp
			t.Errorf("read again it is something else: %v\n%s", err, cmp.Diff(d, again))
		}
		readAhead(t, decoder, rec, d)
		recordedBack(t, rec)
	})
}

// readAhead checks that a record that was decoded before it was stamped gives what it gives anew, whenever it was
// received since: where what was read ahead does not hold any more, it is not taken.
func readAhead(t *testing.T, decoder *wire.Decoder, rec ingest.Record, want ingest.Decoded) {
	t.Helper()
	for _, moved := range []ingest.Millis{0, 1, -ingest.Minute, ingest.Day, -ingest.Day} {
		ahead, err := decoder.ReadAhead(rec, rec.ReceivedAt+moved)
		if err != nil {
			t.Fatalf("read ahead: %v", err)
		}
		if within := ahead.From <= rec.ReceivedAt && rec.ReceivedAt < ahead.Until; moved == 0 && !within {
			t.Errorf("what was read for %s holds from %s to %s", rec.ReceivedAt, ahead.From, ahead.Until)
		}
		stamped := rec
		stamped.Reading = ahead
		got, err := decoder.Read(stamped)
		if !reflect.DeepEqual(want, got) || err != nil {
			t.Errorf("read ahead by %d ms it is something else: %v\n%s", moved, err, cmp.Diff(want, got))
		}
	}
}

// seeds are deliveries of every format, whole and broken.
func seeds(f *testing.F) []string {
	all := []string{
		string(webhook(firing + "," + resolved).Body),
		string(webhook(`{"status":"resolved","labels":{"a":"\ud83d\ude00\ud800"},"startsAt":"2026-01-01T00:00:00Z","endsAt":""},7`).Body),
		`{"version":"4","alerts":null,"truncatedAlerts":-1.5e+7}`, `{"version":"4"`, `[`, ``, "\xff", `{"a":"\u12"}`,
		change, "[" + change + ",{},null]", `{"id":`, `[[[[`, grafana, posted, "[" + posted + ",7]", sample, window,
		cloud(sample), "[" + cloud(string(webhook(firing).Body)) + "," + cloud(`"x"`) + "]",
		checks(`{"uid":77,"state":2,"since":1795348461.5,"check/name":"disk","tags":{"n":5,"deep":{}},"out":[{"text":"full"}]},{"state":[]}`),
	}
	all = append(all, `{"stream":"bus","read_to":"2026-09-22T00:00:00.123Z"}`)
	for _, h := range happenings {
		one := string(binary(f, h.json))
		all = append(all, h.json, one, string(protowire.AppendBytes(protowire.AppendBytes(nil, []byte(one)), []byte(one))))
	}
	if os.Getenv("EVENKEEL_SHARED") != "" {
		for _, rec := range deliveries(f) {
			all = append(all, string(rec.Body))
		}
	}
	return all
}

// recordedBack writes a record to a file and reads it.
func recordedBack(t *testing.T, rec ingest.Record) {
	line, err := wire.AppendRecorded(nil, rec)
	if err != nil {
		t.Fatal(err)
	}
	for back, err := range wire.Recorded(bytes.NewReader(line)) {
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if !json.Valid(rec.Body) && !bytes.Equal(back.Body, rec.Body) {
			t.Errorf("%q came back as %q", rec.Body, back.Body)
		}
	}
}

func checkError(t *testing.T, body []byte, events []ingest.Event, dead []ingest.DeadLetter, err error) {
	var e *wire.Error
	if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(body) || e.Line < 1 || e.Column < 1 || e.Reason == "" {
		t.Errorf("error %#v for %d bytes", err, len(body))
	}
	if len(events)+len(dead) > 0 {
		t.Errorf("events or dead letters beside an error: %v %v", events, dead)
	}
}

func checkEvent(t *testing.T, e ingest.Event) {
	if len(kinds([]ingest.Event{e})) != 1 || e.Tenant == "" || e.Source == "" {
		t.Fatalf("event %+v", e)
	}
	switch {
	case e.Alert != nil:
		checkAlert(t, e.Alert)
	case e.Change != nil:
		if c := e.Change; c.ID == "" || c.Service == "" || c.Kind == "" || c.StartedAt <= 0 || c.FinishedAt != 0 && c.FinishedAt < c.StartedAt {
			t.Errorf("change %+v", c)
		}
	case e.Maintenance != nil:
		if m := e.Maintenance; m.ID == "" || m.Service == "" || m.From <= 0 || m.To <= m.From {
			t.Errorf("maintenance %+v", m)
		}
	case e.Sample != nil:
		if s := e.Sample; s.Service == "" || s.SLI == "" || s.Good < 0 || s.Good > s.Total || s.At <= 0 {
			t.Errorf("sample %+v", s)
		}
	case e.Link != nil:
		if l := e.Link; l.At <= 0 || l.Kind == "" || (len(l.Alerts) == 0) != (l.Kind == ingest.LinkSilence) || (len(l.Causes) == 0) != (l.Kind != ingest.LinkInhibited) {
			t.Errorf("link %+v", l)
		}
	case e.Progress != nil:
		if p := e.Progress; p.Stream == "" || p.ReadTo <= 0 {
			t.Errorf("progress %+v", p)
		}
	}
}

func checkAlert(t *testing.T, a *ingest.Alert) {
	if a.Fingerprint == "" || a.StartsAt <= 0 || a.EndsAt < 0 || !a.Resolved && a.EndsAt != 0 && !a.EndsByTimeout || len(a.Labels) == 0 {
		t.Errorf("alert %+v", a)
	}
	for _, ls := range []ingest.Labels{a.Labels, a.Annotations} {
		strictly := slices.IsSortedFunc(ls, func(x, y ingest.Label) int {
			if c := strings.Compare(x.Name, y.Name); c != 0 {
				return c
			}
			return -1 // the same name twice is not sorted either
		})
		if !strictly || slices.ContainsFunc(ls, func(l ingest.Label) bool { return l.Name == "" || l.Value == "" }) {
			t.Errorf("labels %+v", ls)
		}
	}
}

// FuzzRecordedProtobufIsReadAsTheLibraryReadsIt compares the reader of protobuf, which knows only what is
// needed, with the code that Alertmanager's own definition is compiled to: what that reads as an event of the
// recorder means the same in its JSON.
func FuzzRecordedProtobufIsReadAsTheLibraryReadsIt(f *testing.F) {
	for _, h := range happenings {
		f.Add(binary(f, h.json))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var e eventrecorderpb.Event
		if proto.Unmarshal(body, &e) != nil || e.Timestamp == nil || e.Data == nil {
			return
		}
		canonical, err := proto.MarshalOptions{Deterministic: true}.Marshal(&e)
		if err != nil {
			return
		}
		asJSON, err := protojson.Marshal(&e)
		if err != nil || !e.Timestamp.IsValid() {
			return // instants that JSON cannot write
		}
		fromProto, errProto := wire.Read(record(ingest.PathDetect, string(canonical)))
		fromJSON, errJSON := wire.Read(record(ingest.PathDetect, string(asJSON)))
		if (errProto == nil) != (errJSON == nil) {
			t.Fatalf("protobuf: %v, JSON: %v, from %s", errProto, errJSON, asJSON)
		}
		if diff := cmp.Diff(fromJSON.Events, fromProto.Events); diff != "" {
			t.Errorf("%s (-JSON +protobuf)\n%s", asJSON, diff)
		}
	})
}

// FuzzMappedValuesAreThoseThatEncodingJSONReads compares pointers with walking over what the standard library read.
func FuzzMappedValuesAreThoseThatEncodingJSONReads(f *testing.F) {
	for _, seed := range [][2]string{{`{"a":{"b":[1,"x"]}}`, "/a/b/1"}, {`{"a/b":1,"m~n":2,"":{"":3}}`, "/a~1b"}, {`{"a":1,"a":{"c":2}}`, "/a/c"}, {`{"0":"x"}`, "/0"}, {`{"a":["y"]}`, "/a/00"}} {
		f.Add([]byte(seed[0]), seed[1])
	}
	f.Fuzz(func(t *testing.T, item []byte, pointer string) {
		if pointer == "" || pointer[0] != '/' || strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(pointer), "~") || !utf8.ValidString(pointer) {
			return
		}
		var object map[string]any
		if json.Unmarshal(item, &object) != nil || object == nil {
			return
		}
		decoder, err := wire.New(wire.Config{Mappings: map[string]wire.Mapping{"bridge": {Event: wire.MappedAlert, Fields: map[string]wire.Field{
			"status": {Constant: "firing"}, "labels.always": {Constant: "x"}, "labels.found": {From: pointer},
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		rec := record(ingest.PathMapped, string(item))
		rec.Source = "bridge"
		d, err := decoder.Read(rec)
		var got string
		if err == nil && len(d.Events) == 1 {
			got = d.Events[0].Alert.Labels.Get("found")
		}
		if want, scalar := walk(object, pointer); scalar && got != want && len(want) <= 8<<10 && utf8.Valid(item) {
			t.Errorf("%q in %s: %q, encoding/json has %q (%v)", pointer, item, got, want, err)
		}
	})
}

// walk follows a pointer and returns the text there, "" where there is nothing; false where it is no text.
func walk(v any, pointer string) (string, bool) {
	for name := range strings.SplitSeq(pointer[1:], "/") {
		name = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
		switch in := v.(type) {
		case map[string]any:
			v = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || strconv.Itoa(i) != name || i < 0 || i >= len(in) {
				return "", true
			}
			v = in[i]
		default:
			return "", true
		}
	}
	text, is := v.(string)
	return text, is || v == nil
}

// FuzzTextIsReadAsEncodingJSONReadsIt compares the scanner with the standard library, which is
// slower and says less, but was read by many.
func FuzzTextIsReadAsEncodingJSONReadsIt(f *testing.F) {
	for _, text := range []string{`"a"`, `"\u00e9\n\"\\\/\b\f\r\t"`, `"\ud83d\ude00"`, `"\ud800x"`, `"\ud800\u0041"`, `"é"`, `{"a":"b","a":"c"}`, `{"é\u0000":"x"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		body := `{"version":"4","alerts":[{"status":"firing","startsAt":"2026-01-01T00:00:00Z","labels":{"l":"x"},"annotations":{"a":` + string(value) + `}}]}`
		var std struct {
			Alerts []struct{ Annotations map[string]string }
		}
		events, dead, err := wire.Decode(record(ingest.PathAlertmanager, body))
		if json.Valid([]byte(body)) != (err == nil) {
			t.Fatalf("valid for encoding/json: %v, here: %v: %q", json.Valid([]byte(body)), err, body)
		}
		if err != nil || len(dead) > 0 || len(events) != 1 || json.Unmarshal([]byte(body), &std) != nil {
			return
		}
		if got, want := events[0].Alert.Annotations.Get("a"), std.Alerts[0].Annotations["a"]; got != want {
			t.Errorf("%q, encoding/json reads %q, from %q", got, want, value)
		}
	})
}

// FuzzABinaryCloudEventIsAlwaysWellFormed checks that no header and no body can break out of the structured form.
func FuzzABinaryCloudEventIsAlwaysWellFormed(f *testing.F) {
	f.Add("ce-id", "a%20%C3%BC%", "application/json", []byte(change))
	f.Add(`ce_x","data":{}`, "\xff\"\\", "text/plain; charset=x", []byte("\x00\xff"))
	f.Add("ce_data_base64", "eA==", "application/cloudevents+json", []byte(`{"a":1} {}`))
	f.Fuzz(func(t *testing.T, name, value, contentType string, body []byte) {
		structured, binary := wire.Structured([]wire.Header{{Name: "ce_specversion", Value: "1.0"}, {Name: name, Value: value}, {Name: "Content-Type", Value: contentType}}, body)
		var event struct {
			Data   json.RawMessage `json:"data"`
			Base64 []byte          `json:"data_base64"`
		}
		if err := json.Unmarshal(structured, &event); err != nil || !binary {
			t.Fatalf("%v, %v: %s", binary, err, structured)
		}
		if (event.Data == nil) == (event.Base64 == nil) && len(body) > 0 {
			t.Errorf("data %s, base64 %q of %q", event.Data, event.Base64, body)
		}
		if event.Data == nil && !bytes.Equal(event.Base64, body) {
			t.Errorf("%q became %q", body, event.Base64)
		}
	})
}
