package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
	"github.com/evenkeel/evenkeel/sla/store"
)

func TestTablesHaveTheColumnsThatGoListsForThem(t *testing.T) {
	if err := clickhouse.Check(t.Context(), rig.ClickHouse(t), store.Ledger, store.Segments); err != nil {
		t.Error(err)
	}
}

// deed is one thing that happens: a configuration, what is told of a window, or the current row of an episode.
type deed struct {
	at        ingest.Millis
	configure *sla.Config
	window    *ingest.Maintenance
	episode   correlate.Episode
}

// begin is two days before the end of summer time in Berlin.
var begin = instant("2026-10-23T00:00:00Z")

func instant(text string) ingest.Millis {
	var m ingest.Millis
	if err := m.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil {
		panic(err)
	}
	return m
}

const span = 5 * ingest.Day

// moments are any instants of the histories, to the millisecond.
func moments() *rapid.Generator[ingest.Millis] {
	return rapid.Custom(func(t *rapid.T) ingest.Millis {
		return begin + ingest.Millis(rapid.Int64Range(0, int64(span)).Draw(t, "ms"))
	})
}

var services = []string{`shop`, `it's "a\b"	tab`}

func deeds(t *rapid.T) []deed {
	var all []deed
	for range rapid.IntRange(1, 3).Draw(t, "configurations") {
		c := configuration(t)
		all = append(all, deed{at: moments().Draw(t, "configured at"), configure: &c})
	}
	for k := range rapid.IntRange(0, 8).Draw(t, "windows") {
		all = append(all, deed{at: moments().Draw(t, "window told at"), window: window(t, k)})
	}
	for k := range rapid.IntRange(0, 10).Draw(t, "episodes") {
		e := correlate.Episode{
			EpisodeKey: correlate.EpisodeKey{Tenant: ingest.DefaultTenant, Source: "am", Fingerprint: fmt.Sprint(k), StartsAt: moments().Draw(t, "from")},
			Service:    rapid.SampledFrom(services).Draw(t, "service"), State: correlate.Firing,
			Labels: ingest.Labels{{Name: "severity", Value: rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "severity")}},
		}
		told := max(e.StartsAt, moments().Draw(t, "told at"))
		all = append(all, deed{at: told, episode: e})
		if rapid.Bool().Draw(t, "falls silent") {
			told = max(told, moments().Draw(t, "noticed at"))
			e.State, e.UnknownSince = correlate.Unknown, max(e.StartsAt, told-ingest.Hour)
			all = append(all, deed{at: told, episode: e})
		}
		if rapid.Bool().Draw(t, "ends") {
			told = max(told, moments().Draw(t, "end told at"))
			e.State, e.UnknownSince = correlate.Resolved, 0
			e.EndsAt = e.StartsAt + ingest.Millis(rapid.Int64Range(0, int64(told-e.StartsAt)).Draw(t, "length"))
			all = append(all, deed{at: told, episode: e})
		}
	}
	slices.SortStableFunc(all, func(a, b deed) int { return int(a.at - b.at) })
	return all
}

// window draws what is told of one of two windows, which may lie in the future of the histories; the words of each telling are its own.
func window(t *rapid.T, telling int) *ingest.Maintenance {
	from := moments().Draw(t, "sent from") + rapid.SampledFrom([]ingest.Millis{0, 0, 3 * ingest.Day}).Draw(t, "later")
	return &ingest.Maintenance{
		ID: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "window"), Service: rapid.SampledFrom(services).Draw(t, "window of"),
		From: from, To: from + ingest.Millis(rapid.Int64Range(1, int64(2*ingest.Day)).Draw(t, "sent for")),
		Cancelled: rapid.IntRange(0, 3).Draw(t, "cancelled") == 0, Reason: fmt.Sprint(telling),
	}
}

func configuration(t *rapid.T) sla.Config {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}
	c := sla.Config{Zone: rapid.SampledFrom(zones).Draw(t, "root zone")}
	c.Calendars = []sla.Calendar{{Name: "office", Zone: "Europe/Berlin", Hours: []sla.Hours{{Weekdays: []int{0, 1, 5}, From: 8*60 + 7, To: 18 * 60}}}}
	for _, name := range services[:rapid.IntRange(1, 2).Draw(t, "services")] {
		s := sla.ServiceLevels{Name: name, Agreements: []sla.Agreement{{
			Name: "gold", Calendar: "office", Zone: rapid.SampledFrom(zones).Draw(t, "zone"), Objective: .99,
			Policy: sla.Policy{Preset: rapid.SampledFrom(sla.Presets()).Draw(t, "preset"), DegradedWeight: .3},
		}}}
		for range rapid.IntRange(0, 2).Draw(t, "maintenance") {
			from := moments().Draw(t, "maintained from")
			s.Maintenance = append(s.Maintenance, sla.Maintenance{From: int64(from), To: int64(from + 3*ingest.Hour)})
		}
		c.Services = append(c.Services, s)
	}
	return c
}

// told is what a history comes to: rows, each with an address, and the last configuration.
type told struct {
	sla.Output
	windows []ingeststore.MaintenanceRow
	config  sla.Config
}

// fold returns what happened up to asOf.
func fold(t *rapid.T, all []deed, asOf ingest.Millis) told {
	l := sla.NewLedger()
	var h told
	for k, d := range all {
		if d.at > asOf {
			break
		}
		l.Advance(d.at)
		switch {
		case d.configure != nil:
			h.config = *d.configure
			if err := l.Configure(d.at, h.config); err != nil {
				t.Fatal(err)
			}
		case d.window != nil:
			if news, _ := l.Maintain(ingest.Event{Source: "itsm", Maintenance: d.window}); news {
				h.windows = append(h.windows, ingeststore.MaintenanceRow{
					Address: ingest.Address{Position: uint64(k + 1)}, RecordedAt: d.at, Source: "itsm", ReceivedAt: d.at, Maintenance: *d.window,
				})
			}
		default:
			l.Apply([]correlate.Episode{d.episode})
		}
		add(&h.Output, k+1, l.Flush())
	}
	l.Advance(asOf)
	add(&h.Output, len(all)+1, l.Flush())
	return h
}

// planned returns the windows of a service that take place, as known at asOf.
func (h *told) planned(service string, asOf ingest.Millis) sla.Set {
	last := make(map[string]ingest.Maintenance)
	for _, w := range h.windows {
		if w.RecordedAt <= asOf {
			last[w.ID] = w.Maintenance
		}
	}
	var all []sla.Interval
	for _, w := range last {
		if w.Service == service && !w.Cancelled {
			all = append(all, sla.Interval{From: w.From, To: w.To})
		}
	}
	return sla.Union(all...)
}

// add appends the rows that the record at position made.
func add(out *sla.Output, position int, next sla.Output) {
	for i := range next.Ledger {
		next.Ledger[i].Position, next.Ledger[i].Ordinal = uint64(position), uint32(i)
	}
	for i := range next.Segments {
		next.Segments[i].Position, next.Segments[i].Ordinal = uint64(position), uint32(i)
	}
	out.Ledger, out.Segments = append(out.Ledger, next.Ledger...), append(out.Segments, next.Segments...)
}

// database is a migrated database with a writer. Each random history goes to a tenant of its own.
type database struct {
	conn    *clickhouse.Conn
	writer  *clickhouse.Writer
	tenants atomic.Uint64
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	conn := rig.ClickHouse(t)
	w, err := clickhouse.NewWriter(conn, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &database{conn: conn, writer: w}
}

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// keep stores rows for a new tenant and returns its name.
func (d *database) keep(ctx context.Context, t fataler, out sla.Output, windows ...ingeststore.MaintenanceRow) string {
	n := d.tenants.Add(1)
	tenant := fmt.Sprintf("tenant %d's", n)
	last := uint64(1)
	ledger, segments := slices.Clone(out.Ledger), slices.Clone(out.Segments)
	for i := range ledger {
		ledger[i].Tenant, ledger[i].Partition = tenant, uint32(n)
		last = max(last, ledger[i].Position)
	}
	for i := range segments {
		segments[i].Tenant, segments[i].Partition = tenant, uint32(n)
		last = max(last, segments[i].Position)
	}
	windows = slices.Clone(windows)
	for i := range windows {
		windows[i].Tenant, windows[i].Partition = tenant, uint32(n)
		last = max(last, windows[i].Position)
	}
	err := d.writer.Insert(ctx, clickhouse.Batch{Partition: uint32(n), First: 1, Last: last, Tables: []clickhouse.TableRows{
		store.Ledger.Rows(ledger), store.Segments.Rows(segments), ingeststore.Maintenance.Rows(windows),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// measured is the pure computation: the availability that rows come to.
func measured(t *rapid.T, h told, c sla.Config, window sla.Interval, asOf ingest.Millis) []sla.Availability {
	type key struct{ service, agreement string }
	terms := make(map[key]sla.Terms)
	all, err := c.Terms()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		terms[key{one.Service, one.Agreement}] = one
	}
	sums := make(map[key]*sla.Matrix)
	for k := range terms {
		sums[k] = new(sla.Matrix)
	}
	past := window.Clip(sla.Interval{From: 0, To: asOf})
	for _, r := range h.Segments {
		ms := sla.Interval{From: r.From, To: r.To}.Clip(past).Length()
		if r.RecordedAt > asOf || ms == 0 {
			continue
		}
		k := key{r.Service, r.Agreement}
		if sums[k] == nil {
			sums[k], terms[k] = new(sla.Matrix), c.DefaultTerms(r.Service, r.Agreement)
		}
		if err := sums[k].Add(r.Bucket, r.State, int64(r.Sign)*ms); err != nil {
			t.Fatal(err)
		}
	}
	configured := make(map[key]bool)
	for _, one := range all {
		configured[key{one.Service, one.Agreement}] = true
	}
	var results []sla.Availability
	for k, m := range sums {
		if !configured[k] && *m == (sla.Matrix{}) { // all was taken back
			continue
		}
		if err := m.Close(window, asOf); err != nil {
			t.Fatal(err)
		}
		one := terms[k]
		one.Maintenance = one.Maintenance.Union(h.planned(k.service, asOf))
		results = append(results, one.Measure(window, asOf, *m))
	}
	slices.SortFunc(results, func(a, b sla.Availability) int {
		return strings.Compare(a.Service+"\x00"+a.Agreement, b.Service+"\x00"+b.Agreement)
	})
	return results
}

// Law 5 and law 9: for any window and any as_of, SQL gives what the rows come to in
// Go, what a fold that ends at as_of gives, and buckets that sum to the window.
func TestAvailabilityIsWhatTheRowsComeToForAnyWindowAndAnyAsOf(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	rapid.Check(t, func(r *rapid.T) {
		all := deeds(r)
		out := fold(r, all, begin+span)
		last := out.config
		tenant := d.keep(t.Context(), r, out.Output, out.windows...)
		for range 4 {
			a, b := moments().Draw(r, "from"), moments().Draw(r, "to")
			window := sla.Interval{From: min(a, b), To: max(a, b) + 1}
			asOf := rapid.OneOf(moments(), rapid.Just(begin+span)).Draw(r, "as of")
			q := store.AvailabilityQuery{
				Tenant: tenant, Agreement: sla.EveryAgreement, From: window.From, To: window.To, AsOf: asOf, Config: last,
			}
			got, err := reader.Availability(t.Context(), q)
			if err != nil {
				r.Fatal(err)
			}
			for i := range got {
				if got[i].Matrix.Sum() != window.Length() {
					r.Fatalf("%s: buckets of %d ms in a window of %d", got[i].Service, got[i].Matrix.Sum(), window.Length())
				}
				if got[i].Tenant != tenant {
					r.Fatalf("tenant %q", got[i].Tenant)
				}
				got[i].Tenant = ""
			}
			if diff := cmp.Diff(measured(r, out, last, window, asOf), got); diff != "" {
				r.Fatalf("rows up to as_of (-Go +SQL):\n%s", diff)
			}
			then := fold(r, all, asOf)
			if diff := cmp.Diff(measured(r, then, last, window, asOf), got); diff != "" {
				r.Fatalf("a fold up to as_of (-Go +SQL):\n%s", diff)
			}
		}
	})
}

// stretch is a segment or a stretch of the ledger without what rows say beside it.
type stretch struct {
	what     string
	from, to ingest.Millis
	open     bool
}

// joined nets rows and joins what touches, in Go.
func joined(rows map[string]map[sla.Interval]int, past sla.Interval, asOf ingest.Millis, reaches bool) []stretch {
	var all []stretch
	for what, counts := range rows {
		var set []sla.Interval
		for i, n := range counts {
			if n > 0 {
				set = append(set, i)
			}
		}
		for _, i := range sla.Union(set...) {
			if in := i.Clip(past); !in.Empty() {
				all = append(all, stretch{what, in.From, in.To, reaches && i.To > asOf})
			}
		}
	}
	return sorted(all)
}

func sorted(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int {
		return strings.Compare(fmt.Sprint(a.what, a.from), fmt.Sprint(b.what, b.from))
	})
	return all
}

func note(rows map[string]map[sla.Interval]int, what string, i sla.Interval, sign int8) {
	if rows[what] == nil {
		rows[what] = make(map[sla.Interval]int)
	}
	rows[what][i] += int(sign)
}

func TestSegmentsAndStretchesAreWhatTheRowsLeave(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	rapid.Check(t, func(r *rapid.T) {
		out := fold(r, deeds(r), begin+span)
		tenant := d.keep(t.Context(), r, out.Output, out.windows...)
		a, b := moments().Draw(r, "from"), moments().Draw(r, "to")
		window := sla.Interval{From: min(a, b), To: max(a, b) + 1}
		midnight := begin + ingest.Day*ingest.Millis(rapid.IntRange(1, 5).Draw(r, "day"))
		asOf := rapid.OneOf(moments(), rapid.Just(begin+span), rapid.Just(window.To), rapid.Just(midnight)).Draw(r, "as of")
		past := window.Clip(sla.Interval{From: 0, To: asOf})
		reaches := window.To >= asOf

		rows := make(map[string]map[sla.Interval]int)
		for _, s := range out.Segments {
			if s.RecordedAt <= asOf {
				note(rows, fmt.Sprint(s.Service, "/", s.Agreement, "/", s.Bucket, "/", s.State), sla.Interval{From: s.From, To: s.To}, s.Sign)
			}
		}
		segments, err := reader.Segments(t.Context(), store.SegmentsQuery{
			Tenant: tenant, Agreement: sla.EveryAgreement, From: window.From, To: window.To, AsOf: asOf,
		})
		if err != nil {
			r.Fatal(err)
		}
		var got []stretch
		for _, s := range segments {
			got = append(got, stretch{fmt.Sprint(s.Service, "/", s.Agreement, "/", s.Bucket, "/", s.State), s.From, s.To, s.Open})
			if s.StatedAt == 0 || s.StatedAt > asOf {
				r.Fatalf("stated at %s, as of %s", s.StatedAt, asOf)
			}
		}
		if diff := cmp.Diff(joined(rows, past, asOf, reaches), sorted(got), cmp.AllowUnexported(stretch{})); diff != "" {
			r.Fatalf("segments in %s to %s as of %s (-Go +SQL):\n%s", window.From, window.To, asOf, diff)
		}

		rows = make(map[string]map[sla.Interval]int)
		for _, s := range out.Ledger {
			if s.RecordedAt <= asOf {
				note(rows, fmt.Sprint(s.Service, "/", s.State), sla.Interval{From: s.From, To: s.To}, s.Sign)
			}
		}
		stretches, err := reader.Stretches(t.Context(), store.StretchesQuery{Tenant: tenant, From: window.From, To: window.To, AsOf: asOf})
		if err != nil {
			r.Fatal(err)
		}
		got = nil
		for _, s := range stretches {
			got = append(got, stretch{fmt.Sprint(s.Service, "/", s.State), s.From, s.To, s.Open})
		}
		if diff := cmp.Diff(joined(rows, past, asOf, reaches), sorted(got), cmp.AllowUnexported(stretch{})); diff != "" {
			r.Fatalf("stretches in %s to %s as of %s (-Go +SQL):\n%s", window.From, window.To, asOf, diff)
		}
	})
}

func TestWhatAFoldWritesReconciles(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	rapid.Check(t, func(r *rapid.T) {
		out := fold(r, deeds(r), begin+span)
		tenant := d.keep(t.Context(), r, out.Output, out.windows...)
		found, err := reader.Reconcile(t.Context(), store.ReconcileQuery{
			Tenant: tenant, From: begin - 2*ingest.Day, To: begin + span + 2*ingest.Day, AsOf: begin + span, Config: out.config,
		})
		if err != nil {
			r.Fatal(err)
		}
		if len(found) != 0 {
			r.Fatalf("%+v", found)
		}
	})
}

// A reconciliation that cannot fail proves nothing: each of these is one row too many, too few
// or in the wrong place.
func TestReconcileFindsWhatIsWrong(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	day := sla.Interval{From: begin, To: begin + ingest.Day}
	hour := sla.Interval{From: begin + 9*ingest.Hour, To: begin + 10*ingest.Hour}
	config := sla.Config{Services: []sla.ServiceLevels{{Name: "shop"}}}
	right := func() sla.Output {
		l := sla.NewLedger()
		l.Advance(begin)
		if err := l.Configure(begin, config); err != nil {
			t.Fatal(err)
		}
		l.Apply([]correlate.Episode{{
			EpisodeKey: correlate.EpisodeKey{StartsAt: hour.From}, State: correlate.Resolved, EndsAt: hour.To, Service: "shop",
			Labels: ingest.Labels{{Name: "severity", Value: "page"}},
		}})
		return l.Flush()
	}
	for _, test := range []struct {
		name    string
		break_  func(*sla.Output)
		problem string
	}{
		{"nothing", func(*sla.Output) {}, ""},
		{"a segment twice", func(o *sla.Output) { o.Segments = append(o.Segments, o.Segments[0]) }, "net count 2"},
		{"a segment that was never there is taken back", func(o *sla.Output) {
			o.Segments = append(o.Segments, sla.SegmentRow{RecordedAt: begin, Service: "shop", Bucket: sla.DownBucket, State: sla.Down, From: day.From, To: day.To, Sign: -1})
		}, "net count -1"},
		{"a row of the ledger twice", func(o *sla.Output) { o.Ledger = append(o.Ledger, o.Ledger[0]) }, "net count 2"},
		{"a segment is missing", func(o *sla.Output) { o.Segments = slices.Delete(o.Segments, 1, 2) }, "after"},
		{"a segment over another", func(o *sla.Output) {
			o.Segments = append(o.Segments, sla.SegmentRow{RecordedAt: begin, Service: "shop", Bucket: sla.DownBucket, State: sla.Down, From: hour.From, To: hour.To + 1, Sign: 1})
		}, "after"},
		{"a row of the ledger over another", func(o *sla.Output) {
			o.Ledger = append(o.Ledger, sla.LedgerRow{RecordedAt: begin, Service: "shop", State: sla.Degraded, From: hour.From, To: hour.To, Sign: 1})
		}, "begins before"},
		{"an outage that the ledger alone has", func(o *sla.Output) {
			o.Ledger = append(o.Ledger, sla.LedgerRow{RecordedAt: begin, Service: "shop", State: sla.Down, From: hour.To, To: hour.To + 1, Sign: 1})
		}, "the ledger has 3600001 ms down"},
	} {
		t.Run(test.name, func(t *testing.T) {
			broken := right()
			test.break_(&broken)
			var out sla.Output
			add(&out, 1, broken)
			tenant := d.keep(t.Context(), t, out)
			found, err := reader.Reconcile(t.Context(), store.ReconcileQuery{Tenant: tenant, From: day.From, To: day.To, AsOf: day.To, Config: config})
			if err != nil {
				t.Fatal(err)
			}
			if test.problem == "" {
				if len(found) != 0 {
					t.Errorf("%+v", found)
				}
				return
			}
			if !slices.ContainsFunc(found, func(p sla.Discrepancy) bool {
				return strings.Contains(p.Problem, test.problem) && p.Tenant == tenant && p.Service == "shop"
			}) {
				t.Errorf("%q is not among %+v", test.problem, found)
			}
		})
	}
}

func TestARunningOutageIsFoundWithItsBeginning(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	l := sla.NewLedger()
	l.Advance(begin)
	c := sla.Config{Services: []sla.ServiceLevels{{Name: "shop"}, {Name: "cart"}, {Name: "mail"}}}
	if err := l.Configure(begin, c); err != nil {
		t.Fatal(err)
	}
	firing := func(service, severity string, from, to ingest.Millis) correlate.Episode {
		e := correlate.Episode{
			EpisodeKey: correlate.EpisodeKey{Fingerprint: service, StartsAt: from}, State: correlate.Firing, Service: service,
			Labels: ingest.Labels{{Name: "severity", Value: severity}},
		}
		if to != 0 {
			e.State, e.EndsAt = correlate.Resolved, to
		}
		return e
	}
	l.Apply([]correlate.Episode{
		firing("shop", "critical", begin+9*ingest.Hour, 0),
		firing("cart", "warning", begin+10*ingest.Hour, begin+11*ingest.Hour),
		firing("mail", "warning", begin+30*ingest.Hour, 0),
	})
	midnight := begin + 3*ingest.Day
	l.Advance(midnight + ingest.Hour)
	var out sla.Output
	add(&out, 1, l.Flush())
	tenant := d.keep(t.Context(), t, out)
	for _, asOf := range []ingest.Millis{midnight - 1, midnight, midnight + ingest.Hour} {
		running, err := reader.Running(t.Context(), tenant, asOf)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range running {
			got = append(got, fmt.Sprintf("%s %s since %s to %s", s.Service, s.State, s.From, s.To))
		}
		want := []string{
			fmt.Sprintf("mail degraded since %s to %s", begin+30*ingest.Hour, asOf),
			fmt.Sprintf("shop down since %s to %s", begin+9*ingest.Hour, asOf),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("as of %s (-want +got):\n%s", asOf, diff)
		}
	}
}

func TestAServiceWithoutRowsIsUnknownWithAReason(t *testing.T) {
	reader := store.NewReader(rig.ClickHouse(t))
	c := sla.Config{Services: []sla.ServiceLevels{{Name: "shop", Agreements: []sla.Agreement{{Name: "gold", Objective: .999}}}}}
	got, err := reader.Availability(t.Context(), store.AvailabilityQuery{
		Services: []string{"shop", "nobody"}, Agreement: sla.EveryAgreement, From: begin, To: begin + ingest.Day, AsOf: begin + ingest.Day, Config: c,
	})
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, a := range got {
		names[a.Service+"/"+a.Agreement] = true
		if a.Ratio != nil || a.Reason == "" || a.Matrix.Unknown != int64(ingest.Day) || a.Tenant != ingest.DefaultTenant {
			t.Errorf("%+v", a)
		}
	}
	if diff := cmp.Diff(map[string]bool{"shop/": true, "shop/gold": true, "nobody/": true}, names); diff != "" {
		t.Error(diff)
	}
}

// A service is listed for what is known of it, or because somebody asks for it, but not for rows
// that were taken back.
func TestAServiceWhoseRowsWereTakenBackIsListedOnlyWhereItIsAskedFor(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	with := func(names ...string) (c sla.Config) {
		for _, name := range names {
			c.Services = append(c.Services, sla.ServiceLevels{Name: name, Agreements: []sla.Agreement{{Name: "gold", Objective: .99}}})
		}
		return c
	}
	l := sla.NewLedger()
	var out sla.Output
	for i, reload := range []struct {
		at ingest.Millis
		c  sla.Config
	}{
		{begin, with("shop")},
		{begin + ingest.Hour, with("shop", "cart")}, // cart comes,
		{begin + ingest.Hour, with("shop")},         // and goes before any time has passed
		{begin + 2*ingest.Hour, with("shop", "mail")},
		{begin + 3*ingest.Hour, with("shop")}, // mail was there for an hour
	} {
		l.Advance(reload.at)
		if err := l.Configure(reload.at, reload.c); err != nil {
			t.Fatal(err)
		}
		add(&out, i+1, l.Flush())
	}
	l.Advance(begin + 2*ingest.Day)
	add(&out, 9, l.Flush())
	if !slices.ContainsFunc(out.Segments, func(r sla.SegmentRow) bool { return r.Service == "cart" && r.Sign < 0 }) {
		t.Fatal("no row of cart was taken back: this test shows nothing")
	}
	tenant := d.keep(t.Context(), t, out)
	for _, test := range []struct {
		name   string
		asked  []string
		config sla.Config
		want   []string
	}{
		{"all, with what is configured", nil, with("shop"), []string{"mail/", "mail/gold", "shop/", "shop/gold"}},
		{"all, and it is configured again", nil, with("cart"), []string{"cart/", "cart/gold", "mail/", "mail/gold", "shop/", "shop/gold"}},
		{"by its name", []string{"cart"}, with("shop"), []string{"cart/"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := reader.Availability(t.Context(), store.AvailabilityQuery{
				Tenant: tenant, Services: test.asked, Agreement: sla.EveryAgreement,
				From: begin, To: begin + ingest.Day, AsOf: begin + 2*ingest.Day, Config: test.config,
			})
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range got {
				names = append(names, a.Service+"/"+a.Agreement)
				if a.Service == "cart" && (a.Matrix.Unknown != int64(ingest.Day) || a.Ratio != nil || a.Reason == "") {
					t.Errorf("%+v", a)
				}
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// vectors/availability.json, invalid_windows
func TestAWindowThatDoesNotEndAfterItsStartIsRefused(t *testing.T) {
	reader := store.NewReader(nil)
	for _, w := range [][2]ingest.Millis{{2000, 2000}, {2000, 1000}} {
		_, err := reader.Availability(t.Context(), store.AvailabilityQuery{From: w[0], To: w[1], AsOf: 3000})
		if err == nil || !strings.Contains(err.Error(), "end must be after start") {
			t.Errorf("%v: %v", w, err)
		}
	}
	if _, err := reader.Segments(t.Context(), store.SegmentsQuery{From: 1, To: 2}); err == nil {
		t.Error("an answer without as_of is given")
	}
}
