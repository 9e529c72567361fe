package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// kinds says what events a delivery holds, by their first letters.
func kinds(events []ingest.Event) string {
	var out strings.Builder
	for _, e := range events {
		switch {
		case e.Alert != nil:
			out.WriteByte('a')
		case e.Change != nil:
			out.WriteByte('c')
		case e.Maintenance != nil:
			out.WriteByte('m')
		case e.Sample != nil:
			out.WriteByte('s')
		case e.Link != nil:
			out.WriteByte('l')
		case e.Progress != nil:
			out.WriteByte('p')
		}
	}
	return out.String()
}

func TestEveryFormatIsToldByItsContent(t *testing.T) {
	for _, test := range []struct{ name, body, want string }{
		{"Alertmanager's webhook", string(webhook(firing + "," + resolved).Body), "aa"},
		{"Alertmanager's webhook with its names in another order", `{"version":"4","data":1,"alerts":[` + firing + `]}`, "a"},
		{"Grafana's webhook", grafana, "a"},
		{"API v2, a list", "[" + posted + "]", "a"},
		{"API v2, one", posted, "a"},
		{"the event recorder", happenings[2].json, "al"},
		{"the event recorder, a batch", "[" + happenings[6].json + "," + happenings[0].json + "]", "la"},
		{"the event recorder in protobuf", string(binary(t, happenings[2].json)), "al"},
		{"a change", change, "c"},
		{"changes after something else", "[7," + change + "," + window + "]", "cm"},
		{"maintenance", window, "m"},
		{"a sample", sample, "s"},
		{"samples", "[" + sample + "," + sample + "]", "ss"},
		{"a CloudEvent", cloud(sample), "s"},
		{"CloudEvents", "[" + cloud(change) + "," + cloud(posted) + "]", "ca"},
		{"nothing in a list", " [ ] ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := wire.Read(record(ingest.PathDetect, test.body))
			if err != nil || kinds(d.Events) != test.want {
				t.Errorf("%v, %q, dead %v", err, kinds(d.Events), d.Dead)
			}
		})
	}
}

func TestWhatNoFormatKnowsIsRefusedWithWhatWasTried(t *testing.T) {
	const tried = "not of a known format, tried: an Alertmanager or Grafana webhook (alerts)"
	for _, test := range []struct{ name, body, want string }{
		{"an object of its own", ` {"host":"a","state":2}`, "line 1, column 2 (byte 1): " + tried},
		{"labels alone are no alert", `{"labels":{"a":"b"}}`, tried},
		{"numbers", `[1,2]`, tried},
		{"broken JSON", `{"host":`, "line 1, column 9 (byte 8): the text ends where a value should be"},
		{"a broken webhook", `{"alerts":[{]`, "line 1, column 13 (byte 12): ']' where a name in quotes should be"},
		{"nothing", "", "the text ends where a delivery should be"},
		{"a word", "hello", "'h' where JSON of a known format, or protobuf of Alertmanager's event recorder, should be"},
		{"space", " \n", "the text ends where JSON of a known format"},
		{"protobuf of something else", "\x0a\x03abc", "should be"},
		{"protobuf cut short", string(binary(t, happenings[0].json)[:40]), "should be"},
		{"a number", "7", "'7' where JSON of a known format"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := wire.Read(record(ingest.PathDetect, test.body))
			var e *wire.Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), test.want) || len(d.Events)+len(d.Dead) > 0 {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}
