package wire_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// same fails where a decoder that has seen a body, often, reads it otherwise than one that remembers nothing.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, d *wire.Decoder, rec ingest.Record) {
	t.Helper()
	want, wantErr := wire.Read(rec)
	for range 4 {
		got, err := d.Read(rec)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("error %v, want %v, of %q", err, wantErr, rec.Body)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s of %q", diff, rec.Body)
		}
	}
}

// again is an alert that is sent more than once, with another end.
func again(name, ends string) string {
	return `{"annotations":{"b":"c"},"endsAt":"` + ends + `","startsAt":"2026-11-22T11:00:00Z","labels":{"a":"` + name + `"}}`
}

// ofGrafana is an alert with so many extra fields that there is room behind them where they are kept.
func ofGrafana(name string) string {
	return `{"status":"firing","startsAt":"2026-11-22T11:00:00Z","labels":{"a":"` + name + `"},"annotations":{"description":"d"},` +
		`"dashboardURL":"x","panelURL":"y","silenceURL":"z"}`
}

// An alert that was read where it just was not nested too deep is no alert one level further down.
func TestAnAlertIsReadAgainAtNoGreaterDepth(t *testing.T) {
	d := remembering(t)
	alert := func(name, extra string) string {
		return `{"status":"firing","startsAt":"2026-11-22T11:00:00Z","labels":{"a":"` + name + `"}` + extra + `}`
	}
	deep := `,"x":` + strings.Repeat("[", 498) + strings.Repeat("]", 498)
	alerts := alert("1", "") + "," + alert("2", deep)
	same(t, d, record(ingest.PathAlerts, "["+alerts+"]"))
	same(t, d, record(ingest.PathAlertmanager, `{"version":"4","alerts":[`+alerts+`]}`))
}

func remembering(t testing.TB) *wire.Decoder {
	t.Helper()
	d, err := wire.New(wire.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func FuzzWhatIsRememberedIsWhatIsRead(f *testing.F) {
	for _, body := range []string{
		`{"version":"4","alerts":[` + firing + `,` + resolved + `,` + firing + `]}`,
		`{"version":"1","orgId":1,"alerts":[` + firing + `]}`,
		`[` + firing + `,` + firing + `]`,
		`[{"labels":{"a":"\u0022}","b":"\\"},"generatorURL":"\\\"","annotations":{"x":"{"}}]`,
		`[{"labels":{"a":"1","a":"2"}},{"labels":{"a":"1","a":"2"},"labels":null}]`,
		`[{"labels":{"a":{"b":"c"}}},{"labels":{ "a" : "x" } }]`,
		"[{\"labels\":{\"a\":\"\xff\"}},{\"labels\":{\"a\":\"\xff\"}}]",
		`[{"labels":{"a":"1"`,
		`[` + again("1", "2026-11-22T12:00:00Z") + `,` + again("2", "2026-11-22T12:00:00Z") + `,` + again("1", "2026-11-22T12:00:01Z") + `,` + again("2", "x") + `]`,
		`[` + again("1", "") + `,` + again("2", "") + ` , ` + again("1", `\u0030`) + `,` + again("2", `\"`) + `,` + again("1", "\x01") + `]`,
		`{"version":"1","orgId":1,"alerts":[` + ofGrafana("a") + `,` + ofGrafana("b") + `,` + ofGrafana("c") + `]}`,
		`[{"endsAt":"2026-11-22T12:00:00Z","labels":{"a":"1"},"endsAt":"2026-11-22T13:00:00Z"},{"labels":{"a":"2"}},{"labels":{"a":"2"},"endsAt":null}]`,
	} {
		f.Add(body)
	}
	d := remembering(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{ingest.PathAlertmanager, ingest.PathAlerts} {
			same(t, d, record(path, body))
		}
	})
}

// Bodies are drawn of few pieces, so that they share most, and differ in what is around them.
func TestADecoderThatRemembersReadsAsOneThatDoesNot(t *testing.T) {
	d := remembering(t)
	rapid.Check(t, func(t *rapid.T) {
		object := func(what string) string {
			pairs := rapid.SliceOfN(rapid.SampledFrom([]string{
				`"a":"1"`, `"a":"2"`, ` "b" : "x\"y"`, `"c":"\\"`, `"d":"}"`, `"e":null`, `"f":1`, `"":"x"`, `"g":""`, `"h":{"a":"1"}`,
			}), 0, 3).Draw(t, what)
			return "{" + strings.Join(pairs, ",") + "}"
		}
		alerts := make([]string, rapid.IntRange(1, 4).Draw(t, "alerts"))
		for i := range alerts {
			alerts[i] = `{"labels":` + object("labels") + `,"annotations":` + object("annotations") +
				`,"generatorURL":` + rapid.SampledFrom([]string{`"http://p/"`, `"\u0026"`, `null`, `3`}).Draw(t, "url") +
				`,"fingerprint":` + rapid.SampledFrom([]string{`""`, `"58ECC09DBB2B4AA8"`, `"x"`}).Draw(t, "fingerprint") +
				`,"status":` + rapid.SampledFrom([]string{`"firing"`, `"resolved"`, `"?"`}).Draw(t, "status") +
				`,"startsAt":"2026-11-22T11:54:21Z"}`
		}
		same(t, d, webhook(strings.Join(alerts, ",")))
		same(t, d, record(ingest.PathAlerts, "["+strings.Join(alerts, ",")+"]"))
	})
}

func TestManyMayDecodeAtOnceAndMoreThanIsRemembered(t *testing.T) {
	d := remembering(t)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 200 {
				long := strings.Repeat("x", 3000)
				body := fmt.Sprintf(`[{"labels":{"a":"%d","b":%q},"startsAt":"2026-11-22T11:54:21Z"}]`, (i*7+worker)%150, long)
				for range 2 {
					got, err := d.Read(record(ingest.PathAlerts, body))
					if err != nil || len(got.Events) != 1 || got.Events[0].Alert.Labels.Get("a") != fmt.Sprint((i*7+worker)%150) {
						t.Errorf("%v %v", got, err)
						return
					}
				}
			}
		})
	}
	all.Wait()
}
