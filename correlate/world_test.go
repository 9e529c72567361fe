package correlate_test

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"encoding/json"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// arrival is one record: when it was received, and what it said.
type arrival struct {
	at     ingest.Millis
	events []ingest.Event
}

// world folds arrivals and keeps the newest row of everything, as a store would.
type world struct {
	fold        *correlate.Fold
	episodes    map[correlate.EpisodeKey]correlate.Episode
	incidents   map[string]correlate.Incident
	transitions []correlate.Transition
	outputs     []correlate.Output
}

func newWorld(t testing.TB, c correlate.Config) *world {
	t.Helper()
	w := &world{
		fold:     correlate.New(0),
		episodes: map[correlate.EpisodeKey]correlate.Episode{}, incidents: map[string]correlate.Incident{},
	}
	if err := w.fold.Configure(c); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) run(arrivals ...arrival) *world {
	for _, a := range arrivals {
		w.fold.Advance(a.at)
		for _, e := range a.events {
			w.fold.Apply(e)
		}
		w.flush()
	}
	return w
}

// until lets time pass without anything arriving.
func (w *world) until(at ingest.Millis) *world {
	w.fold.Advance(at)
	w.flush()
	return w
}

func (w *world) flush() {
	out := w.fold.Flush()
	w.outputs = append(w.outputs, out)
	for _, e := range out.Episodes {
		w.episodes[e.EpisodeKey] = e
	}
	for _, i := range out.Incidents {
		w.incidents[i.ID] = i
	}
	w.transitions = append(w.transitions, out.Transitions...)
}

// final is what must not depend on the order of arrival.
type final struct {
	Key       correlate.EpisodeKey
	State     correlate.EpisodeState
	EndsAt    ingest.Millis // or when it was last known
	Until     ingest.Millis // 0 while it is open
	Aliases   []ingest.Millis
	Incident  string
	OpenedAt  ingest.Millis
	Resolved  ingest.Millis
	IncidentS correlate.IncidentState
	Members   int
	Service   string
	Reasons   []string
	Whole     correlate.Incident // without address and recorded_at
}

// final lists every episode with the incident it is in.
func (w *world) final() []final {
	var all []final
	for _, k := range slices.SortedFunc(maps.Keys(w.episodes), compareKeys) {
		e := w.episodes[k]
		i := w.incidents[e.Incident]
		all = append(all, final{
			k, e.State, e.End(), e.EndsAt, e.Aliases, e.Incident, i.OpenedAt, i.ResolvedAt, i.State, i.Episodes, e.Service, e.Reasons, i,
		})
	}
	return all
}

func compareKeys(a, b correlate.EpisodeKey) int {
	return cmp.Or(cmp.Compare(a.StartsAt, b.StartsAt), cmp.Compare(a.Tenant, b.Tenant),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

// shuffled puts arrivals in another order: each is late by up to late, but no
// alert's own order changes.
func shuffled(arrivals []arrival, late ingest.Millis, random *rand.Rand) []arrival {
	type placed struct {
		arrival
		due ingest.Millis
	}
	last := map[[2]string]ingest.Millis{}
	all := make([]placed, len(arrivals))
	for i, a := range arrivals {
		due := a.at + ingest.Millis(random.Int64N(int64(late)+1))
		for _, e := range a.events {
			if e.Alert != nil {
				due = max(due, last[[2]string{e.Tenant + e.Source, e.Alert.Fingerprint}])
			}
		}
		for _, e := range a.events {
			if e.Alert != nil {
				last[[2]string{e.Tenant + e.Source, e.Alert.Fingerprint}] = due
			}
		}
		all[i] = placed{a, due}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.due, b.due) })
	out := make([]arrival, len(all))
	for i, p := range all {
		out[i] = p.arrival
	}
	return out
}

// twice delivers everything again a little later, as copies of high-availability peers
// and retries do. The copies carry the time at which they came.
func twice(arrivals []arrival, within ingest.Millis, random *rand.Rand) []arrival {
	all := slices.Clone(arrivals)
	for _, a := range arrivals {
		late := ingest.Millis(random.Int64N(int64(within)))
		again := arrival{at: a.at + late}
		for _, e := range a.events {
			e.ReceivedAt += late
			again.events = append(again.events, e)
		}
		all = append(all, again)
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return all
}

// end is the last instant of arrivals.
func end(arrivals []arrival) ingest.Millis {
	var last ingest.Millis
	for _, a := range arrivals {
		last = max(last, a.at)
	}
	return last
}

// recordedStorm reads a recorded storm and its catalogue.
func recordedStorm(t testing.TB, name string) ([]arrival, correlate.Config) {
	t.Helper()
	folder := rig.Shared(t, "data/storms/"+name)
	c, _, err := config.Load("", filepath.Join(folder, "catalogue.yml"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(folder, "deliveries.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []arrival
	for rec, err := range wire.Recorded(f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, decoded(t, rec))
	}
	return all, c.Correlation()
}

func decoded(t testing.TB, rec ingest.Record) arrival {
	t.Helper()
	events, dead, err := wire.Decode(rec)
	if err != nil || len(dead) > 0 {
		t.Fatalf("decode: %v %v", err, dead)
	}
	return arrival{rec.ReceivedAt, events}
}

// recordedWebhooks are the deliveries of a real Alertmanager 0.34 in the order of their
// files. They carry no received_at: each is stamped one second after the latest
// instant that any of them told so far.
func recordedWebhooks(t testing.TB) []arrival {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(rig.Shared(t, "data/alertmanager-0.34/webhook"), "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no deliveries: %v", err)
	}
	var all []arrival
	var at ingest.Millis
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Body json.RawMessage }
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		one := decoded(t, ingest.Record{Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager, Body: file.Body})
		for _, e := range one.events {
			at = max(at, e.Alert.StartsAt, e.Alert.EndsAt)
		}
		at += ingest.Second
		one.at = at
		for i := range one.events {
			one.events[i].ReceivedAt = at
		}
		all = append(all, one)
	}
	return all
}
