package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// history is ninety days of the simulated shop, folded and stored.
type history struct {
	rows   partition.Rows // all that the fold made
	last   uint64         // position
	config partition.Configuration
	end    ingest.Millis
	reader *store.Reader
}

// stored folds the shop's history into a database of its own.
func stored(t *testing.T) *history {
	t.Helper()
	end := ingest.Millis(1793491200000) // 2026-11-01
	story := simulate.History(simulate.HistoryOptions{Seed: 1, End: end, Days: 100})
	h := &history{config: configured(t, story.Catalogue), end: end}
	record, err := h.config.Record()
	if err != nil {
		t.Fatal(err)
	}
	fold := partition.NewFold(0)
	record.Position, record.ReceivedAt = 1, end-101*ingest.Day
	h.rows = fold.Apply(record)
	last := record.Position
	for r := range story.Records() {
		last++
		r.Position, r.Source, r.Tenant = last, "alertmanager", ingest.DefaultTenant
		h.rows.Append(fold.Apply(r))
	}
	for n, from := range []ingest.Millis{end - 2*ingest.Day, end} { // of services that nobody measures: the story stays as it is
		last++
		body := fmt.Sprintf(`{"kind":"maintenance","id":"%d","service":"unmeasured-%d","from":%q,"to":%q}`, n, n, from, from+ingest.Hour)
		h.rows.Append(fold.Apply(ingest.Record{Position: last, ReceivedAt: end - 1, Kind: ingest.KindDelivery, Path: ingest.PathChanges, Body: []byte(body)}))
	}
	last++
	h.rows.Append(fold.Apply(ingest.Record{Position: last, ReceivedAt: end + ingest.Day, Kind: ingest.KindTick}))
	h.last, h.reader = last, store.NewReader(write(t, h.rows, last))
	return h
}

func configured(t *testing.T, catalogue []byte) partition.Configuration {
	t.Helper()
	name := filepath.Join(t.TempDir(), "catalogue.yml")
	if err := os.WriteFile(name, catalogue, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.LoadCatalogue(name)
	if err != nil {
		t.Fatal(err)
	}
	levels := c.Levels()
	levels.Zone = simulate.ShopZone
	return partition.Configuration{Correlation: c.Correlation(), Levels: levels}
}

func write(t *testing.T, rows partition.Rows, last uint64) clickhouse.Querier {
	t.Helper()
	db := rig.ClickHouse(t)
	writer, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var to partition.ClickHouse
	to.Use(writer)
	if err := to.Write(t.Context(), partition.Batch{First: 1, Last: last, Rows: rows}, false); err != nil {
		t.Fatal(err)
	}
	return db
}

func (h *history) report(t *testing.T, name string, asOf ingest.Millis) *improve.Report {
	t.Helper()
	p, err := improve.ParsePeriod(name, simulate.ShopZone)
	if err != nil {
		t.Fatal(err)
	}
	r, err := improve.Build(t.Context(), h.reader, improve.Params{
		Tenant: ingest.DefaultTenant, Period: p, AsOf: asOf, Services: h.config.Correlation.Services, Levels: h.config.Levels,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// One engine and one history serve all of these: folding and storing it is what costs.
func TestReportsOutOfClickHouse(t *testing.T) {
	h := stored(t)
	t.Run("the queries answer what pure Go answers, at any instant", h.testQueries)
	t.Run("notice of maintenance is what was given by then", h.testNotices)
	t.Run("the report tells the story that was simulated", h.testStory)
	t.Run("a report of the past is the same after more was recorded", h.testRestated)
	t.Run("a tenant that never sent anything has an empty report", h.testStranger)
	t.Run("the history begins where it did when deliveries are no longer kept", h.testForgotten)
}

func (h *history) testNotices(t *testing.T) {
	late := improve.Notice{Service: "unmeasured-0", From: h.end - 2*ingest.Day, To: h.end - 2*ingest.Day + ingest.Hour, Given: h.end - 1}
	early := improve.Notice{Service: "unmeasured-1", From: h.end, To: h.end + ingest.Hour, Given: h.end - 1}
	for _, c := range []struct {
		to, asOf ingest.Millis
		want     []improve.Notice
	}{{h.end, h.end, []improve.Notice{late}}, {h.end + 1, h.end, []improve.Notice{late, early}}, {h.end, h.end - 2, []improve.Notice{}}} {
		got, err := h.reader.Notices(t.Context(), improve.Query{Tenant: ingest.DefaultTenant, From: h.end - 30*ingest.Day, To: c.to, AsOf: c.asOf})
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("until %s as of %s (-want +got):\n%s", c.to, c.asOf, diff)
		}
	}
	if r := h.report(t, "2026-10", h.end+ingest.Day); !slices.Equal(r.Quality.LateWindows, []string{"unmeasured-0"}) {
		t.Errorf("the report has %q", r.Quality.LateWindows)
	}
}

// testForgotten stores the history without what retention takes: all deliveries but those of the
// last days.
func (h *history) testForgotten(t *testing.T) {
	kept := h.end - 10*ingest.Day
	rows := h.rows
	rows.Deliveries = slices.DeleteFunc(slices.Clone(rows.Deliveries), func(d ingeststore.DeliveryRow) bool {
		return d.ReceivedAt < kept && d.Kind != ingest.KindConfiguration
	})
	reader := store.NewReader(write(t, rows, h.last))
	for _, asOf := range []ingest.Millis{h.end, h.end - 60*ingest.Day, h.end - 200*ingest.Day} {
		whole, err := h.reader.History(t.Context(), ingest.DefaultTenant, asOf)
		if err != nil {
			t.Fatal(err)
		}
		left, err := reader.History(t.Context(), ingest.DefaultTenant, asOf)
		if err != nil {
			t.Fatal(err)
		}
		if whole.From != whole.Kept || (whole.From == 0) != (asOf < h.end-100*ingest.Day) {
			t.Errorf("as of %s nothing is gone, but the history is from %s and deliveries from %s", asOf, whole.From, whole.Kept)
		}
		if late := left.From - whole.From; late < 0 || late > ingest.Day {
			t.Errorf("as of %s the history begins at %s, with all deliveries at %s", asOf, left.From, whole.From)
		}
		if wantKept := asOf >= kept; (left.Kept != 0) != wantKept || wantKept && left.Kept < kept {
			t.Errorf("as of %s deliveries are kept from %s, and were deleted before %s", asOf, left.Kept, kept)
		}
	}
}

func (h *history) testQueries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := 0
	for range 12 {
		q := improve.Query{Tenant: ingest.DefaultTenant, From: h.end - ingest.Millis(random.IntN(90*24))*ingest.Hour}
		q.To = q.From + ingest.Millis(1+random.IntN(40*24))*ingest.Hour
		q.AsOf = q.From + ingest.Millis(random.IntN(50*24*60))*ingest.Minute
		incidents, err := h.reader.Incidents(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("incidents %+v", q), incidents, h.incidents(q))
		var episodes []improve.Episode
		for e, err := range h.reader.Episodes(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			episodes = append(episodes, e)
		}
		same(t, fmt.Sprintf("episodes %+v", q), episodes, h.episodes(q))
		some += len(incidents)
	}
	if some < 100 {
		t.Errorf("only %d incidents were compared", some)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("%s (-Go +SQL):\n%s", what, diff)
	}
}

func (h *history) incidents(q improve.Query) []correlate.Incident {
	newest := map[string]correlate.Incident{}
	for _, i := range h.rows.Incidents { // in the order of their addresses
		if i.RecordedAt <= q.AsOf && i.OpenedAt >= q.From && i.OpenedAt < q.To {
			newest[i.ID] = i
		}
	}
	var list []correlate.Incident
	for _, i := range newest {
		if i.State != correlate.IncidentMerged {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b correlate.Incident) int {
		return cmp.Or(cmp.Compare(a.OpenedAt, b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (h *history) episodes(q improve.Query) []improve.Episode {
	newest := map[correlate.EpisodeKey]correlate.Episode{}
	for _, e := range h.rows.Episodes {
		if e.RecordedAt <= q.AsOf && e.StartsAt >= q.From && e.StartsAt < q.To {
			newest[e.EpisodeKey] = e
		}
	}
	var list []improve.Episode
	for _, e := range newest {
		list = append(list, improve.Episode{
			Source: e.Source, Fingerprint: e.Fingerprint, StartsAt: e.StartsAt, End: e.End(), State: e.State, FirstSeenAt: e.FirstSeenAt,
			AlertName: e.AlertName, Service: e.Service, Incident: e.Incident,
		})
	}
	slices.SortFunc(list, func(a, b improve.Episode) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.StartsAt, b.StartsAt))
	})
	return list
}

func (h *history) testStory(t *testing.T) {
	r := h.report(t, "2026-10", h.end+ingest.Day)
	if r.Weeks.Trend.N != improve.WeeksOfTrend || r.Weeks.Weeks[12].Name != "2026-W43" {
		t.Errorf("%d weeks were observed, the last is %s", r.Weeks.Trend.N, r.Weeks.Weeks[12].Name)
	}
	if name := r.Noise.ByName[0].Name; name != "QueueDepthHigh" {
		t.Errorf("the noisiest alert is %q, and was to be the flapping one", name)
	}
	kinds := map[string]string{}
	for _, f := range r.Findings.List {
		kinds[f.Kind] = f.Statement
		t.Log(f.Kind, "|", f.Statement, "|", f.Trend.Verdict)
	}
	if kinds[improve.FindingMissed] == "" || kinds[improve.FindingNoise] == "" {
		t.Errorf("the findings lack the broken promise or the noisy alert: %v", kinds)
	}
	for _, l := range r.Availability.Levels {
		if l.Measured.Matrix.Sum() != int64(l.Basis.Length()) {
			t.Errorf("%s: the buckets sum to %d in a window of %d", l.Service, l.Measured.Matrix.Sum(), l.Basis.Length())
		}
		var down int64
		for _, o := range r.Availability.Outages {
			if o.Service == l.Service && o.Agreement == l.Agreement && l.Basis.Contains(o.From) {
				down += int64(o.To - o.From)
			}
		}
		if down != l.Measured.Matrix.Down {
			t.Errorf("%s under %q: the outages last %d ms, the bucket holds %d", l.Service, l.Agreement, down, l.Measured.Matrix.Down)
		}
	}
}

func (h *history) testRestated(t *testing.T) {
	middle := h.end - 40*ingest.Day
	then := h.report(t, "2026-09", middle)
	later := write(t, h.restated(middle), h.last)
	only := &history{config: h.config, end: h.end, reader: store.NewReader(later)}
	if diff := gocmp.Diff(then, only.report(t, "2026-09", middle)); diff != "" {
		t.Errorf("rows recorded later change a report of %s (-with +without):\n%s", middle, diff)
	}
	if now := h.report(t, "2026-09", h.end); now.Incidents.Count == then.Incidents.Count {
		t.Error("nothing happened after the middle of the history: the comparison says nothing")
	}
}

// restated returns the rows that were recorded up to an instant.
func (h *history) restated(asOf ingest.Millis) partition.Rows {
	r := h.rows
	r.Deliveries = upTo(r.Deliveries, func(i int) ingest.Millis { return r.Deliveries[i].RecordedAt }, asOf)
	r.Events = upTo(r.Events, func(i int) ingest.Millis { return r.Events[i].RecordedAt }, asOf)
	r.Changes = upTo(r.Changes, func(i int) ingest.Millis { return r.Changes[i].RecordedAt }, asOf)
	r.Maintenance = upTo(r.Maintenance, func(i int) ingest.Millis { return r.Maintenance[i].RecordedAt }, asOf)
	r.Episodes = upTo(r.Episodes, func(i int) ingest.Millis { return r.Episodes[i].RecordedAt }, asOf)
	r.Transitions = upTo(r.Transitions, func(i int) ingest.Millis { return r.Transitions[i].RecordedAt }, asOf)
	r.Incidents = upTo(r.Incidents, func(i int) ingest.Millis { return r.Incidents[i].RecordedAt }, asOf)
	r.Ledger = upTo(r.Ledger, func(i int) ingest.Millis { return r.Ledger[i].RecordedAt }, asOf)
	r.Segments = upTo(r.Segments, func(i int) ingest.Millis { return r.Segments[i].RecordedAt }, asOf)
	return r
}

func upTo[R any](rows []R, recorded func(int) ingest.Millis, asOf ingest.Millis) []R {
	var kept []R
	for i, r := range rows {
		if recorded(i) <= asOf {
			kept = append(kept, r)
		}
	}
	return kept
}

func (h *history) testStranger(t *testing.T) {
	p, err := improve.ParsePeriod("2026-10", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	r, err := improve.Build(t.Context(), h.reader, improve.Params{Tenant: "stranger", Period: p, AsOf: h.end})
	if err != nil {
		t.Fatal(err)
	}
	if r.Incidents.Count != 0 || r.Quality.Events != 0 || r.Noise.Episodes != 0 || len(r.Availability.Levels) != 0 {
		t.Errorf("another tenant's rows are in it: %+v", r)
	}
	if r.Weeks.Trend.Verdict != improve.TooLittleData || len(r.Findings.List) != 0 {
		t.Errorf("a verdict %q and %d findings rest on nothing", r.Weeks.Trend.Verdict, len(r.Findings.List))
	}
}
