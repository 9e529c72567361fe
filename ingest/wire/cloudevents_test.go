package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// cloud wraps data as a CloudEvent of a type that says nothing.
func cloud(data string) string {
	return `{"specversion":"1.0","id":"1","source":"/ci","type":"com.example.thing","datacontenttype":"application/json","traceparent":"x","data":` + data + `}`
}

func TestTheDataOfACloudEventIsAnyOtherFormat(t *testing.T) {
	encoded := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	text, _ := json.Marshal(change)
	for _, test := range []struct{ name, body, want string }{
		{"told by content", cloud(string(webhook(firing).Body)), "a"},
		{"told by type", strings.Replace(cloud(`{"labels":{"a":"1"}}`), "com.example.thing", "evenkeel.alerts", 1), "a"},
		{"told by schema", strings.Replace(cloud(`{"labels":{"a":"1"}}`), `"id":"1"`, `"id":"1","dataschema":"evenkeel.alerts"`, 1), "a"},
		{"a batch of different ones", "[" + cloud("["+sample+","+sample+"]") + "," + cloud(window) + "]", "ssm"},
		{"an empty batch", "[]", ""},
		{"in base64", `{"specversion":"1.0","id":"1","source":"/ci","type":"t","data_base64":"` + encoded(binary(t, happenings[0].json)) + `"}`, "a"},
		{"as a text that holds JSON", cloud(string(text)), "c"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := wire.Read(record(ingest.PathCloudEvents, test.body))
			if err != nil || kinds(d.Events) != test.want || len(d.Dead) > 0 {
				t.Errorf("%v, %q, dead %v", err, kinds(d.Events), d.Dead)
			}
		})
	}
}

func TestWhoNamesNoSourceIsOfTheOneThatTheKindOfEventHas(t *testing.T) {
	batch := "[" + cloud(string(webhook(firing).Body)) + "," + cloud(change) + "," + cloud(window) + "," + cloud("["+sample+",7]") + "," +
		cloud("["+change+",7]") + "," + cloud(happenings[6].json) + "]"
	for _, test := range []struct {
		name, path, body, source string
		events, dead             []string
	}{
		{"a batch", ingest.PathCloudEvents, batch, "", []string{"alertmanager", "changes", "changes", "samples", "changes", "alertmanager"}, []string{"samples", "changes"}},
		{"a change that is detected", ingest.PathDetect, change, "", []string{"changes"}, nil},
		{"a sample that is detected", ingest.PathDetect, sample, "", []string{"samples"}, nil},
		{"an alert that is detected", ingest.PathDetect, string(webhook(firing).Body), "", []string{"alertmanager"}, nil},
		{"a change that somebody sends", ingest.PathDetect, change, "ci", []string{"ci"}, nil},
		{"what nothing is known of", ingest.PathCloudEvents, "[" + cloud(change) + "," + cloud("{}") + "]", "", []string{"changes"}, []string{"alertmanager"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			rec := record(test.path, test.body)
			rec.Source = test.source
			d, err := wire.Read(rec)
			if err != nil {
				t.Fatal(err)
			}
			var events, dead []string
			for _, e := range d.Events {
				events = append(events, e.Source)
			}
			for _, l := range d.Dead {
				dead = append(dead, l.Source)
			}
			if diff := cmp.Diff([][]string{test.events, test.dead}, [][]string{events, dead}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestOneBadCloudEventIsADeadLetter(t *testing.T) {
	for _, test := range []struct{ name, bad, reason string }{
		{"no data", `{"specversion":"1.0","id":"1","source":"s","type":"t"}`, `events[1].data: missing`},
		{"no id", `{"specversion":"1.0","source":"s","type":"t","data":{}}`, `events[1].id: missing`},
		{"another version", strings.Replace(cloud("{}"), "1.0", "0.3", 1), `events[1].specversion: "0.3" is not supported; CloudEvents are read of version 1.0`},
		{"data of no format", cloud(`{"x":1}`), `events[1].data: line 1, column 1 (byte 0): not of a known format`},
		{"a text that is not UTF-8", cloud(`"[{\"labels\":{\"a\":\"` + "\xff" + `\"}}]"`), `events[1].data: not valid UTF-8`},
		{"data within data", cloud(cloud("{}")), `events[1].data: line 1, column 1 (byte 0): a CloudEvent inside of a CloudEvent`},
		{"broken base64", `{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"!"}`, `events[1].data_base64: illegal base64 data`},
		{"two kinds of data", `{"specversion":"1.0","id":"1","source":"s","type":"t","data":1,"data_base64":"aGk="}`, `events[1].data: data_base64 is there, too`},
		{"one bad change in it", cloud("[" + change + ",7]"), `events[1].data.changes[1]: number is not an object`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := wire.Read(record(ingest.PathCloudEvents, "["+cloud(change)+","+test.bad+"]"))
			if err != nil || len(d.Events) == 0 || len(d.Dead) != 1 || !strings.HasPrefix(d.Dead[0].Reason, test.reason) {
				t.Errorf("%v %v %v", err, d.Events, d.Dead)
			}
		})
	}
	if _, err := wire.Read(record(ingest.PathCloudEvents, cloud("{}"))); err == nil {
		t.Error("a CloudEvent of which nothing can be used is accepted")
	}
}

func TestABinaryCloudEventBecomesAStructuredOne(t *testing.T) {
	for _, test := range []struct {
		name    string
		headers []wire.Header
		body    string
		want    map[string]any // nil: it is none
	}{
		{"over HTTP, its values unescaped", []wire.Header{{"Ce-Specversion", "1.0"}, {"Ce-Id", "a%20%C3%BC%"}, {"ce-type", "t"}, {"ce-source", "s"}, {"Content-Type", "application/json; charset=utf-8"}, {"X", "y"}},
			change, map[string]any{"specversion": "1.0", "id": "a ü%", "type": "t", "source": "s", "data": jsonOf(change)}},
		{"in Kafka, its values as they are", []wire.Header{{"ce_specversion", "1.0"}, {"ce_id", "a%20"}, {"ce_type", "t"}, {"ce_source", "s"}},
			change, map[string]any{"specversion": "1.0", "id": "a%20", "type": "t", "source": "s", "data": jsonOf(change)}},
		{"of bytes", []wire.Header{{"ce_specversion", "1.0"}, {"ce_data", "sly"}, {"content-type", "application/protobuf"}},
			"\x0a\xff", map[string]any{"specversion": "1.0", "data_base64": "Cv8="}},
		{"that says it is JSON", []wire.Header{{"ce_specversion", "1.0"}, {"content-type", "application/json"}},
			"{", map[string]any{"specversion": "1.0", "data_base64": "ew=="}},
		{"headers of something else", []wire.Header{{"ce_id", "1"}, {"content-type", "application/json"}}, change, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, binary := wire.Structured(test.headers, []byte(test.body))
			if test.want == nil {
				if binary || string(got) != test.body {
					t.Errorf("%v %s", binary, got)
				}
				return
			}
			if diff := cmp.Diff(any(test.want), jsonOf(string(got))); diff != "" || !binary {
				t.Errorf("%s (-want +got)\n%s", got, diff)
			}
		})
	}
	structured, _ := wire.Structured([]wire.Header{{"ce_specversion", "1.0"}, {"ce_id", "1"}, {"ce_type", "t"}, {"ce_source", "s"}}, []byte(change))
	if d, err := wire.Read(record(ingest.PathCloudEvents, string(structured))); err != nil || kinds(d.Events) != "c" {
		t.Error(err, d)
	}
}

func jsonOf(text string) (v any) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}
