package improve_test

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

func finding(r *improve.Report, kind string) *improve.Finding {
	i := slices.IndexFunc(r.Findings.List, func(f improve.Finding) bool { return f.Kind == kind })
	if i < 0 {
		return nil
	}
	return &r.Findings.List[i]
}

func level(t *testing.T, r *improve.Report, service string) improve.Level {
	t.Helper()
	i := slices.IndexFunc(r.Availability.Levels, func(l improve.Level) bool { return l.Service == service })
	if i < 0 {
		t.Fatalf("%s is not in the report", service)
	}
	return r.Availability.Levels[i]
}

func TestEveryNumberStatesWhatItRestsOn(t *testing.T) {
	m, p := october(t)
	r := build(t, m, p)
	bases := []improve.Basis{
		r.Quality.Basis, r.Availability.Basis, r.Incidents.Basis, r.Noise.Basis, r.Weeks.Basis,
		r.Incidents.Change.Now.Basis, r.Incidents.Change.Before.Basis,
	}
	for _, l := range r.Availability.Levels {
		bases = append(bases, l.Basis)
	}
	for _, f := range r.Findings.List {
		bases = append(bases, f.Basis)
		if f.Trend.Verdict == "" || f.Action == "" || f.Statement == "" {
			t.Errorf("finding %d lacks a verdict, a statement or an action: %+v", f.Rank, f)
		}
	}
	for i, b := range bases {
		if b.Length() <= 0 || b.Zone == "" || b.Of == "" || b.Policy == "" || b.Coverage == nil {
			t.Errorf("basis %d lacks its window, zone, n, coverage or policy: %+v", i, b)
		}
	}
}

func TestStandings(t *testing.T) {
	m, p := october(t)
	r := build(t, m, p)
	for service, want := range map[string]improve.Standing{
		"checkout": improve.Missed, "payment": improve.NotProven, "cart": improve.Met, "shipping": improve.Met, "email": improve.NoObjective,
	} {
		if got := level(t, r, service).Standing; got != want {
			t.Errorf("%s: %s, want %s", service, got, want)
		}
	}
	if r.Availability.Met != 3 || r.Availability.Missed != 1 || r.Availability.Unproven != 1 {
		t.Errorf("%d met, %d missed, %d not proven", r.Availability.Met, r.Availability.Missed, r.Availability.Unproven)
	}
}

func TestAnOutageOverTheEdgeOfTheMonthCountsInsideOnly(t *testing.T) {
	m, p := october(t)
	r := build(t, m, p)
	search := level(t, r, "search") // down from 21:30 to 22:20 UTC; October begins at 22:00 in Berlin
	if search.Measured.Downtime != 20*60_000 || search.Outages != 1 {
		t.Errorf("%d ms in %d outages", search.Measured.Downtime, search.Outages)
	}
	if o := r.Availability.Outages[0]; o.Service != "search" || !o.Before || o.After || o.Running {
		t.Errorf("%+v", o)
	}
}

func TestAnOutageThatRunsIsSaidToRun(t *testing.T) {
	m, p := october(t)
	p.AsOf = at(t, "2026-10-20")
	m.states = append(m.states, state(t, "email", sla.DownBucket, "2026-10-19T23:00", "2026-10-21"))
	r := build(t, m, p)
	o := r.Availability.Outages[len(r.Availability.Outages)-1]
	if !o.Running || o.To != p.AsOf || r.Complete {
		t.Errorf("%+v in a report that is complete: %v", o, r.Complete)
	}
	if l := level(t, r, "checkout"); l.Measured.Final || l.Measured.Matrix.NotYet == 0 {
		t.Errorf("a running month has no time to come: %+v", l.Measured)
	}
	if !strings.Contains(strings.Join(r.Quality.Caveats, "\n"), "had not ended") {
		t.Errorf("no caveat says that the period runs: %q", r.Quality.Caveats)
	}
}

func TestAgreementsAreMeasuredInTheirOwnWindowsAndZones(t *testing.T) {
	m, p := october(t)
	p.Levels.Services[0].Agreements = []sla.Agreement{
		{Name: "gold", Objective: 0.99, Window: "week"}, {Name: "office", Objective: 0.99, Window: "quarter", Zone: "America/New_York"},
	}
	var weeks, quarters []improve.Level
	for _, l := range build(t, m, p).Availability.Levels {
		switch {
		case l.Service == "cart" && l.Agreement == "gold":
			weeks = append(weeks, l)
		case l.Service == "cart":
			quarters = append(quarters, l)
		}
	}
	if len(weeks) != 4 {
		t.Errorf("%d weeks end in October 2026, want 4", len(weeks))
	}
	if len(quarters) != 1 || quarters[0].Partial == "" || quarters[0].Basis.From != at(t, "2026-10-01T00:00:00-04:00") || quarters[0].Basis.To != at(t, "2026-11-01T00:00:00-04:00") {
		t.Errorf("the quarter that runs: %+v", quarters)
	}
}

// What became maintenance when it had passed improves a number: the report says so.
func TestMaintenanceThatWasToldLateIsACaveat(t *testing.T) {
	m, p := october(t)
	notice := func(service, given, from, to string) improve.Notice {
		return improve.Notice{Service: service, Given: at(t, given), From: at(t, from), To: at(t, to)}
	}
	m.notices = []improve.Notice{notice("cart", "2026-10-01", "2026-10-02", "2026-10-03"), notice("cart", "2026-10-04", "2026-10-04", "2026-10-05")}
	if r := build(t, m, p); len(r.Quality.LateWindows) != 0 || strings.Contains(strings.Join(r.Quality.Caveats, "\n"), "maintenance") {
		t.Errorf("notice was given in time, and yet: %q", r.Quality.Caveats)
	}
	m.notices = append(m.notices, notice("cart", "2026-10-07", "2026-10-06", "2026-10-08"), notice("cart", "2026-10-12", "2026-10-09", "2026-10-10"),
		notice("email", "2026-10-12", "2026-10-09", "2026-10-10"), notice("shipping", "2026-12-01", "2026-11-08", "2026-11-09"))
	r := build(t, m, p)
	want := "3 maintenance windows were told or changed after they had begun: time that had passed became maintenance, of cart, email."
	if !slices.Contains(r.Quality.Caveats, want) || !slices.Equal(r.Quality.LateWindows, []string{"cart", "cart", "email"}) {
		t.Errorf("%q: %q", r.Quality.LateWindows, r.Quality.Caveats)
	}
	m.notices = m.notices[4:5]
	if said := strings.Join(build(t, m, p).Quality.Caveats, "\n"); !strings.Contains(said, "1 maintenance window was told or changed after") {
		t.Error(said)
	}
}

func TestTheSilenceOfASourceWithAHeartbeatIsNoCaveat(t *testing.T) {
	m, p := october(t)
	p.Heartbeats = []string{"alertmanager", "grafana"}
	for _, c := range build(t, m, p).Quality.Caveats {
		if strings.Contains(c, "heartbeat") {
			t.Errorf("both sources declare one, and yet: %s", c)
		}
	}
}

func TestTheSecondHalfOfAFloodIsNotNewsOfAnotherCause(t *testing.T) {
	m, p := october(t)
	for k := range 60 { // sixty incidents of one flapping alert and nothing else
		from := at(t, "2026-10-02") + ingest.Millis(k)*8*ingest.Hour
		id := "flap-" + string(rune('a'+k%26)) + string(rune('a'+k/26))
		m.incidents = append(m.incidents, correlate.Incident{
			ID: id, OpenedAt: from, ResolvedAt: from + ingest.Minute, State: correlate.IncidentClosed, Services: []string{"email"},
			Causes: []correlate.Cause{{Service: "email", Score: 1}},
		})
		m.episodes = append(m.episodes, improve.Episode{
			Source: "alertmanager", Fingerprint: "q", StartsAt: from, End: from + ingest.Minute, State: correlate.Resolved,
			FirstSeenAt: from, AlertName: "QueueFlaps", Service: "email", Incident: id,
		})
	}
	r := build(t, m, p)
	if f := finding(r, improve.FindingCause); f == nil || f.Subject == "email" {
		t.Errorf("the recurring cause is %+v", f)
	}
	if f := finding(r, improve.FindingNoise); f == nil {
		t.Error("no noise was found")
	}
}

func TestFewerFindingsAreSaidToBeFewer(t *testing.T) {
	m, p := october(t)
	m.episodes, m.incidents = nil, nil
	r := build(t, m, p)
	if n := len(r.Findings.List); n != 3 || r.Findings.Note == "" {
		t.Errorf("%d findings, note %q: %+v", n, r.Findings.Note, r.Findings.List)
	}
	for i, f := range r.Findings.List {
		if f.Rank != i+1 {
			t.Errorf("finding %d has rank %d", i+1, f.Rank)
		}
	}
}

func TestNothingIsComparedWithATimeThatNobodySaw(t *testing.T) {
	m, p := october(t)
	m.history = at(t, "2026-09-27T20:00")
	r := build(t, m, p)
	if r.Incidents.Change != nil || r.Incidents.ChangeNote == "" {
		t.Errorf("October is compared with three days of September: %+v", r.Incidents.Change)
	}
	if r.Weeks.Trend.Verdict != improve.TooLittleData || r.Weeks.Trend.N != 4 {
		t.Errorf("%s over %d weeks", r.Weeks.Trend.Verdict, r.Weeks.Trend.N)
	}
}

// Deliveries are kept for a time only. A report on what lies further back has its incidents and
// availability, and says that what arrived cannot be counted any more.
func TestCountsOfWhatIsNoLongerKeptAreSaidToBeGone(t *testing.T) {
	for _, c := range []struct {
		name, forgotten string
		gone            bool
		says, never     string
	}{
		{"all of it is kept", "2026-09-20", false, "No heartbeat declared", "no longer kept"},
		{"half of it is kept", "2026-10-15T22:00", false, "What was received before 2026-10-16 00:00", "Nothing was received"},
		{"nothing of it is kept", "2026-11-20", true, "What was received in the period is no longer kept", "Nothing was"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, p := october(t)
			m.forgotten = at(t, c.forgotten)
			if c.gone {
				m.intake = nil
			}
			r := build(t, m, p)
			said := strings.Join(r.Quality.Caveats, "\n")
			if !strings.Contains(said, c.says) || strings.Contains(said, c.never) || r.Quality.Gone() != c.gone {
				t.Errorf("gone %t until %s:\n%s", r.Quality.Gone(), r.Quality.GoneUntil, said)
			}
			if r.Incidents.Count == 0 || r.Quality.HistoryFrom != m.history || r.Weeks.Trend.N < improve.MinWeeks {
				t.Errorf("%d incidents, history from %s, %d weeks", r.Incidents.Count, r.Quality.HistoryFrom, r.Weeks.Trend.N)
			}
			var page bytes.Buffer
			if err := report.Markdown(&page, r); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(page.String(), "| no longer kept") != c.gone {
				t.Errorf("the table of sources:\n%.1500s", page.String())
			}
		})
	}
}

func TestAPeriodThatHasNotBegunIsRefused(t *testing.T) {
	m, p := october(t)
	for _, asOf := range []ingest.Millis{0, p.Period.From} {
		p.AsOf = asOf
		if _, err := improve.Build(context.Background(), m, p); err == nil {
			t.Errorf("as of %d there is a report", asOf)
		}
	}
}

// broken fails where fail says so.
type broken struct {
	*memory
	fail string
}

var errBroken = errors.New("the store is away")

func (b broken) Intake(ctx context.Context, q improve.Query) ([]improve.Intake, error) {
	if b.fail == "intake" {
		return nil, errBroken
	}
	return b.memory.Intake(ctx, q)
}

func (b broken) Episodes(ctx context.Context, q improve.Query) iter.Seq2[improve.Episode, error] {
	if b.fail != "episodes" {
		return b.memory.Episodes(ctx, q)
	}
	return func(yield func(improve.Episode, error) bool) { yield(improve.Episode{}, errBroken) }
}

func (b broken) Segments(ctx context.Context, q improve.Query) ([]sla.Segment, error) {
	if b.fail == "segments" {
		return nil, errBroken
	}
	return b.memory.Segments(ctx, q)
}

func TestWhatCannotBeReadIsAnErrorAndNoReport(t *testing.T) {
	for _, fail := range []string{"intake", "episodes", "segments"} {
		m, p := october(t)
		if r, err := improve.Build(context.Background(), broken{m, fail}, p); !errors.Is(err, errBroken) || r != nil {
			t.Errorf("%s fail: report %v, error %v", fail, r, err)
		}
	}
}

func TestWordsAndLengths(t *testing.T) {
	for l, want := range map[improve.Length]string{
		0: "0 s", 999: "999 ms", 59_999: "59 s", 60_000: "1 min", 125_000: "2 min 05 s", 3_600_000: "1 h", 7_500_000: "2 h 05 min",
		86_400_000: "1 d", 131_000_000: "1 d 12 h", -60_000: "-1 min",
	} {
		if got := l.String(); got != want {
			t.Errorf("%d ms is %q, want %q", int64(l), got, want)
		}
	}
	for share, want := range map[float64]string{0: "0.00 %", 0.29: "29.00 %", 0.999999: "99.99 %", 1: "100.00 %"} {
		if got := improve.Percent(share, 2); got != want {
			t.Errorf("%g is %q, want %q", share, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0 %", 0.004: "< 1 %", 0.375: "38 %", 0.996: "> 99 %", 1: "100 %"} {
		if got := improve.Share(share); got != want {
			t.Errorf("%g is %q, want %q", share, got, want)
		}
	}
}
