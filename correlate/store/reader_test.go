package store_test

import (
	order "cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const t0 = ingest.Millis(1_790_000_000_000)

func row(position uint64, ordinal uint32) ingest.Address {
	return ingest.Address{Position: position, Ordinal: ordinal}
}

// The life of two incidents: b opens first and is merged into a, which began before it; c is
// opened and resolved a day later.
var (
	incidentB1 = correlate.Incident{
		Address: row(1, 0), RecordedAt: t0 + 10, Tenant: "default", ID: "b", Kind: correlate.Fault, State: correlate.IncidentOpen, Title: "CartSlow at cart",
		Severity: "warning", OpenedAt: t0 + 5, Services: []string{"cart"}, Episodes: 1, Firing: 1,
		Causes: []correlate.Cause{{Service: "cart", Score: 0.5, Why: "it is there"}},
	}
	incidentA2 = correlate.Incident{
		Address: row(2, 0), RecordedAt: t0 + 20, Tenant: "default", ID: "a", Kind: correlate.Fault, State: correlate.IncidentOpen, Title: "DBDown at db",
		Severity: "critical", OpenedAt: t0, Services: []string{"cart", "db"}, Episodes: 2, Firing: 1, Unknown: 1,
		Causes: []correlate.Cause{{Service: "db", Score: 0.9, Why: "cart depends on it"}},
	}
	incidentB2 = correlate.Incident{
		Address: row(2, 1), RecordedAt: t0 + 20, Tenant: "default", ID: "b", Kind: correlate.Fault, State: correlate.IncidentMerged, MergedInto: "a",
		OpenedAt: t0 + 5, Services: []string{}, Causes: []correlate.Cause{},
	}
	incidentA3 = correlate.Incident{
		Address: row(3, 0), RecordedAt: t0 + 30, Tenant: "default", ID: "a", Kind: correlate.Fault, State: correlate.IncidentResolved, Title: "DBDown at db",
		Severity: "critical", OpenedAt: t0, ResolvedAt: t0 + 28, Services: []string{"cart", "db"}, Episodes: 2,
		Causes: []correlate.Cause{{Service: "db", Score: 0.9, Why: "cart depends on it"}},
	}
	incidentC4 = correlate.Incident{
		Address: row(4, 0), RecordedAt: t0 + ingest.Day, Tenant: "default", ID: "c", Kind: correlate.Silent, State: correlate.IncidentOpen, Title: "WebSlow at web",
		OpenedAt: t0 + ingest.Day, Services: []string{"web"}, Episodes: 1, Firing: 1, Causes: []correlate.Cause{},
	}

	key = correlate.EpisodeKey{Tenant: "default", Source: "alertmanager", Fingerprint: "f1", StartsAt: t0 + 5}

	episode1 = correlate.Episode{
		Address: row(1, 0), RecordedAt: t0 + 10, EpisodeKey: key, State: correlate.Firing, FirstSeenAt: t0 + 10, Service: "cart",
		Severity: "warning", AlertName: "CartSlow", Labels: ingest.Labels{{Name: "alertname", Value: "CartSlow"}}, Annotations: ingest.Labels{},
		Incident: "b", FirstIncident: "b", Reasons: []string{"first alert"},
	}
	episode3 = correlate.Episode{
		Address: row(3, 0), RecordedAt: t0 + 30, EpisodeKey: key, State: correlate.Resolved, EndsAt: t0 + 28, FirstSeenAt: t0 + 10, Service: "cart",
		Severity: "warning", AlertName: "CartSlow", Labels: ingest.Labels{{Name: "alertname", Value: "CartSlow"}}, Annotations: ingest.Labels{},
		GeneratorURL: "http://prometheus/graph", Aliases: []ingest.Millis{t0 + 6, t0 + 7}, Incident: "a", FirstIncident: "b",
		Reasons: []string{"cart depends on db", "within 5 ms"},
	}

	transitions = []correlate.Transition{
		{Address: row(1, 0), RecordedAt: t0 + 10, Tenant: "default", Incident: "b", Kind: correlate.Opened, At: t0 + 5, Episode: &key, Actor: "evenkeel", Reason: "first alert"},
		{Address: row(2, 0), RecordedAt: t0 + 20, Tenant: "default", Incident: "b", Kind: correlate.Merged, At: t0 + 5, Other: "a", Actor: "evenkeel", Reason: "cart depends on db"},
		{Address: row(3, 0), RecordedAt: t0 + 30, Tenant: "default", Incident: "a", Kind: correlate.Settled, At: t0 + 28, Actor: "evenkeel", Reason: "every alert has ended"},
		{Address: row(4, 0), RecordedAt: t0 + ingest.Day, Tenant: "default", Incident: "c", Kind: correlate.Opened, At: t0 + ingest.Day, Actor: "evenkeel", Reason: "first alert"},
	}
)

func seeded(t *testing.T) *store.Reader {
	t.Helper()
	db := rig.ClickHouse(t)
	w, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Insert(t.Context(), clickhouse.Batch{First: 1, Last: 4, Tables: []clickhouse.TableRows{
		store.Incidents.Rows([]correlate.Incident{incidentB1, incidentA2, incidentB2, incidentA3, incidentC4}),
		store.Episodes.Rows([]correlate.Episode{episode1, episode3}),
		store.Transitions.Rows(transitions),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return store.NewReader(db)
}

func TestIncidentsStandAsTheyStoodAtTheInstantAskedFor(t *testing.T) {
	reader := seeded(t)
	for _, c := range []struct {
		name  string
		query store.IncidentQuery
		want  []correlate.Incident
	}{
		{"now, newest first, merged ones left out", store.IncidentQuery{}, []correlate.Incident{incidentC4, incidentA3}},
		{"before the merge", store.IncidentQuery{AsOf: t0 + 10}, []correlate.Incident{incidentB1}},
		{"before it was resolved", store.IncidentQuery{AsOf: t0 + 29}, []correlate.Incident{incidentA2}},
		{"merged ones where they are asked for", store.IncidentQuery{State: correlate.IncidentMerged}, []correlate.Incident{incidentB2}},
		{"of a service", store.IncidentQuery{Service: "db"}, []correlate.Incident{incidentA3}},
		{"that were not over before a window", store.IncidentQuery{From: t0 + 29}, []correlate.Incident{incidentC4}},
		{"that opened before a window's end", store.IncidentQuery{To: t0 + ingest.Day}, []correlate.Incident{incidentA3}},
		{"of another tenant", store.IncidentQuery{Tenant: "other"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			page, err := reader.Incidents(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, page.Incidents, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if page.Next != "" {
				t.Errorf("there is a next page %q", page.Next)
			}
		})
	}
}

func TestPagesFollowEachOtherWithoutGapOrRepetition(t *testing.T) {
	reader := seeded(t)
	var ids []string
	query := store.IncidentQuery{Limit: 1}
	for range 3 {
		page, err := reader.Incidents(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Incidents {
			ids = append(ids, i.ID)
		}
		if query.Cursor = page.Next; query.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"c", "a"}, ids); diff != "" {
		t.Error(diff)
	}
	if _, err := reader.Incidents(t.Context(), store.IncidentQuery{Cursor: "nonsense"}); err == nil {
		t.Error("a cursor that is none was taken")
	}
}

func TestAnIncidentThatWasMergedIsFoundAsTheOneItLivesOnAs(t *testing.T) {
	reader := seeded(t)
	got, err := reader.Incident(t.Context(), "", "b", 0)
	if err != nil || got.ID != "a" {
		t.Errorf("b is found as %q, %v; want a", got.ID, err)
	}
	before, err := reader.Incident(t.Context(), "", "b", t0+10)
	if err != nil || before.ID != "b" {
		t.Errorf("before the merge b is found as %q, %v", before.ID, err)
	}
	if _, err := reader.Incident(t.Context(), "", "unheard-of", 0); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an incident that never was gives %v, want ErrNotFound", err)
	}
}

func TestEpisodesAreReadWholeAndByWhatTheyBelongToNow(t *testing.T) {
	reader := seeded(t)
	for _, c := range []struct {
		name  string
		query store.EpisodeQuery
		want  []correlate.Episode
	}{
		{"of the incident it moved to", store.EpisodeQuery{Incident: "a"}, []correlate.Episode{episode3}},
		{"no more of the one it was in", store.EpisodeQuery{Incident: "b"}, nil},
		{"of the one it was in then", store.EpisodeQuery{Incident: "b", AsOf: t0 + 10}, []correlate.Episode{episode1}},
		{"of a service", store.EpisodeQuery{Service: "cart"}, []correlate.Episode{episode3}},
		{"that had ended before a window", store.EpisodeQuery{From: t0 + 29}, nil},
		{"that overlap a window", store.EpisodeQuery{From: t0 + 28, To: t0 + 40}, []correlate.Episode{episode3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := reader.Episodes(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTransitionsIncludeWhatWasMergedIn(t *testing.T) {
	reader := seeded(t)
	for _, id := range []string{"a", "b"} {
		got, err := reader.Transitions(t.Context(), "", id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(transitions[:3], got); diff != "" {
			t.Errorf("transitions of %s:\n%s", id, diff)
		}
	}
}

// Whatever the rows and the question are, the answer is what going through all rows gives.
func TestEpisodesAreThoseThatGoingThroughAllRowsFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	within := func(n int) ingest.Millis { return t0 + ingest.Millis(random.IntN(n)) }
	var rows []correlate.Episode
	for position := range uint64(400) {
		e := correlate.Episode{
			Address: row(position+1, 0), RecordedAt: t0 + ingest.Millis(position), FirstSeenAt: t0,
			EpisodeKey: correlate.EpisodeKey{Tenant: one("default", "default", "other"), Source: one("a", "b"), Fingerprint: one("x", "y", "z"), StartsAt: within(8)},
			State:      correlate.Firing, Service: one("cart", "db"), Incident: one("i", "j", "k"), FirstIncident: "i",
		}
		switch random.IntN(4) {
		case 0:
			e.State, e.EndsAt = correlate.Resolved, within(400)
		case 1:
			e.State, e.UnknownSince = correlate.Unknown, within(400)
		case 2:
			e.State, e.UnknownSince, e.EndsAt = correlate.Unknown, within(400), within(400)
		}
		rows = append(rows, e)
		if random.IntN(3) == 0 { // two rows of one record
			e.Ordinal, e.Incident, e.Service = 1, one("i", "j", "k"), one("cart", "db")
			rows = append(rows, e)
		}
	}
	db := rig.ClickHouse(t)
	w, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Insert(t.Context(), clickhouse.Batch{First: 1, Last: 400, Tables: []clickhouse.TableRows{store.Episodes.Rows(rows)}}, false); err != nil {
		t.Fatal(err)
	}
	found := 0
	for range 60 {
		q := store.EpisodeQuery{Tenant: one("default", "default", "other"), Incident: one("", "", "i", "j"), Service: one("", "", "cart"), AsOf: within(420)}
		if random.IntN(2) == 0 {
			q.From = within(420)
		}
		if random.IntN(3) == 0 {
			q.To = within(10)
		}
		if random.IntN(3) == 0 {
			q.Limit = 1 + random.IntN(4)
		}
		want := through(rows, q)
		found += len(want)
		got, err := store.NewReader(db).Episodes(t.Context(), q)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%+v: %v\n%s", q, err, diff)
		}
	}
	if found < 100 {
		t.Errorf("%d episodes were found in all: the questions ask for nothing", found)
	}
}

// through answers q by going through all rows, in the order of their addresses.
func through(rows []correlate.Episode, q store.EpisodeQuery) []correlate.Episode {
	newest := map[correlate.EpisodeKey]correlate.Episode{}
	for _, e := range rows {
		to := q.To
		if to == 0 {
			to = q.AsOf + 1
		}
		if e.Tenant == q.Tenant && e.StartsAt < to && e.RecordedAt <= q.AsOf {
			newest[e.EpisodeKey] = e
		}
	}
	var all []correlate.Episode
	for _, e := range newest {
		end := e.EndsAt
		if end != 0 && e.State == correlate.Unknown {
			end = e.UnknownSince
		}
		if (q.Incident == "" || e.Incident == q.Incident) && (q.Service == "" || e.Service == q.Service) && (end == 0 || end >= q.From) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b correlate.Episode) int {
		return order.Or(order.Compare(a.StartsAt, b.StartsAt), order.Compare(a.Source, b.Source), order.Compare(a.Fingerprint, b.Fingerprint))
	})
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	return all
}
