package simulate_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// stories are shared by the tests: nothing that reads a story changes it.
var stories = map[string]func() *simulate.Story{
	"a day of sixty services": sync.OnceValue(func() *simulate.Story { return simulate.Storm(simulate.StormOptions{Seed: 1}) }),
	"three dense hours": sync.OnceValue(func() *simulate.Story {
		return simulate.Storm(simulate.StormOptions{Seed: 3, Duration: 3 * time.Hour, Services: 120, Faults: 30})
	}),
	"a history across the change of clocks": sync.OnceValue(func() *simulate.Story {
		return simulate.History(simulate.HistoryOptions{Seed: 5, End: at("2026-04-01T00:00:00Z"), Days: 20})
	}),
}

// ninetyDays is a whole history. It is large: only what needs its length reads it.
var ninetyDays = sync.OnceValue(func() *simulate.Story { return simulate.History(historyOptions(1)) })

func historyOptions(seed uint64) simulate.HistoryOptions {
	return simulate.HistoryOptions{Seed: seed, End: at("2026-11-22T00:00:00Z")}
}

func at(s string) ingest.Millis {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return ingest.MillisOf(t)
}

func eachStory(t *testing.T, do func(t *testing.T, s *simulate.Story)) {
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		t.Run(name, func(t *testing.T) { do(t, stories[name]()) })
	}
}

// all is everything of a story in one text.
func all(t *testing.T, s *simulate.Story) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.WriteDeliveries(&b); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteTruth(&b); err != nil {
		t.Fatal(err)
	}
	b.Write(s.Catalogue)
	causes, err := json.Marshal(s.Causes)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(causes)
	return b.String()
}

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	storm := simulate.StormOptions{Seed: 1}
	if all(t, simulate.Storm(storm)) != all(t, stories["a day of sixty services"]()) {
		t.Error("two tellings of a storm differ")
	}
	history := simulate.HistoryOptions{Seed: 5, End: at("2026-04-01T00:00:00Z"), Days: 20}
	if all(t, simulate.History(history)) != all(t, stories["a history across the change of clocks"]()) {
		t.Error("two tellings of a history differ")
	}
}

func TestAnotherSeedGivesAnotherStory(t *testing.T) {
	if all(t, stories["a day of sixty services"]()) == all(t, simulate.Storm(simulate.StormOptions{Seed: 2})) {
		t.Error("storms of seeds 1 and 2 are the same")
	}
	short := simulate.HistoryOptions{Seed: 1, End: at("2026-11-22T00:00:00Z"), Days: 5}
	other := short
	other.Seed = 2
	if all(t, simulate.History(short)) == all(t, simulate.History(other)) {
		t.Error("histories of seeds 1 and 2 are the same")
	}
}

func TestRecordsComeInOrderAndCanBeStopped(t *testing.T) {
	eachStory(t, func(t *testing.T, s *simulate.Story) {
		var last ingest.Millis
		n := 0
		for r := range s.Records() {
			if r.ReceivedAt < last {
				t.Fatalf("record %d was received at %v, before the one ahead of it at %v", n, r.ReceivedAt, last)
			}
			if r.Kind != ingest.KindDelivery || r.Position != 0 || len(r.Body) == 0 {
				t.Fatalf("record %d is no delivery for a journal: %+v", n, r)
			}
			last = r.ReceivedAt
			n++
		}
		if n != s.Len() || n == 0 {
			t.Errorf("%d records came, Len says %d", n, s.Len())
		}
		for range s.Records() {
			break
		}
	})
}

// events decodes a whole story with the decoder of the pipeline.
func events(t *testing.T, s *simulate.Story) []ingest.Event {
	t.Helper()
	var events []ingest.Event
	for r := range s.Records() {
		got, dead, err := wire.Decode(r)
		if err != nil || len(dead) > 0 || len(got) == 0 {
			t.Fatalf("%s at %v: %d events, dead letters %v, error %v", r.Path, r.ReceivedAt, len(got), dead, err)
		}
		events = append(events, got...)
	}
	return events
}

type key struct {
	fingerprint string
	startsAt    ingest.Millis
}

func TestEveryDeliveryIsUnderstoodAndTheTruthKnowsEveryFiring(t *testing.T) {
	eachStory(t, func(t *testing.T, s *simulate.Story) {
		delivered := map[key]bool{}
		changes := map[string]bool{}
		for _, e := range events(t, s) {
			if e.Change != nil {
				changes[e.Change.ID] = true
				continue
			}
			delivered[key{e.Alert.Fingerprint, e.Alert.StartsAt}] = true
			if e.Alert.Resolved != (e.Alert.EndsAt != 0) || e.Alert.EndsAt > e.ReceivedAt || e.Alert.StartsAt >= e.ReceivedAt {
				t.Fatalf("an alert that nobody could have seen at %v: %+v", e.ReceivedAt, e.Alert)
			}
		}
		told := map[key]bool{}
		for _, truth := range s.Truth {
			k := key{truth.Fingerprint, truth.StartsAt}
			if told[k] {
				t.Errorf("the truth has %v twice", k)
			}
			told[k] = true
			if truth.Fault == "" || truth.Root == "" || truth.AlertName == "" || !slices.Contains(truth.Roots, truth.Root) {
				t.Errorf("half a truth: %+v", truth)
			}
		}
		if diff := cmp.Diff(delivered, told); diff != "" {
			t.Errorf("the truth does not tell of what was delivered (-delivered +told):\n%s", diff)
		}
		for fault, change := range s.Causes {
			if !changes[change] {
				t.Errorf("%s began with %s, which was never posted", fault, change)
			}
		}
	})
}

// The only firings of one alert that overlap, as its receiver sees them, would be
// aliases: a story must not have any, or its truth would count them twice.
func TestAnEpisodeIsToldToHaveEndedBeforeItsAlertFiresAgain(t *testing.T) {
	eachStory(t, func(t *testing.T, s *simulate.Story) {
		ended := map[key]ingest.Millis{}
		open := map[string]ingest.Millis{}
		for _, e := range events(t, s) {
			if e.Alert == nil {
				continue
			}
			k := key{e.Alert.Fingerprint, e.Alert.StartsAt}
			_, known := ended[k]
			switch {
			case e.Alert.Resolved:
				ended[k] = e.Alert.EndsAt
				if open[k.fingerprint] == k.startsAt {
					delete(open, k.fingerprint)
				}
			case known: // a late copy
			case open[k.fingerprint] != 0 && open[k.fingerprint] != k.startsAt:
				t.Fatalf("%v fires at %v while its firing of %v is open", k, e.ReceivedAt, open[k.fingerprint])
			default:
				open[k.fingerprint] = k.startsAt
			}
		}
	})
}

func TestTheCatalogueLoads(t *testing.T) {
	eachStory(t, func(t *testing.T, s *simulate.Story) {
		c := catalogueOf(t, s)
		services := map[string]bool{"": true}
		for _, service := range c.Correlation().Services {
			services[service.Name] = true
		}
		for _, truth := range s.Truth {
			if !services[truth.Service] {
				t.Errorf("the catalogue has no %s", truth.Service)
			}
		}
	})
}

// What Alertmanager 0.34 really posts has the same fields, also those of its alerts.
func TestBodiesHaveTheFieldsOfARealAlertmanager(t *testing.T) {
	text, err := os.ReadFile(rig.Shared(t, "data/alertmanager-0.34/webhook/001-default.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Body map[string]any `json:"body"`
	}
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	for r := range stories["a day of sixty services"]().Records() {
		body = nil // not merged with the one before
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if body["alerts"] != nil {
			break
		}
	}
	if diff := cmp.Diff(fields(recorded.Body), fields(body)); diff != "" {
		t.Errorf("fields (-real +ours):\n%s", diff)
	}
	alert := func(body map[string]any) map[string]any {
		return body["alerts"].([]any)[0].(map[string]any)
	}
	if diff := cmp.Diff(fields(alert(recorded.Body)), fields(alert(body))); diff != "" {
		t.Errorf("fields of alerts (-real +ours):\n%s", diff)
	}
}

// fields lists the names of an object with the kinds of their values.
func fields(object map[string]any) []string {
	var names []string
	for name, value := range object {
		kind := "text"
		switch value.(type) {
		case map[string]any:
			kind = "object"
		case []any:
			kind = "list"
		case float64:
			kind = "number"
		case nil:
			kind = "null"
		}
		names = append(names, name+" "+kind)
	}
	slices.Sort(names)
	return names
}

func catalogueOf(t *testing.T, s *simulate.Story) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "catalogue.yml")
	if err := os.WriteFile(name, s.Catalogue, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.LoadCatalogue(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
