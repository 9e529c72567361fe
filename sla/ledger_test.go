package sla

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// episode makes a critical or other episode of a service; an end of 0 is still firing.
func episode(name, service, severity string, from, to ingest.Millis) correlate.Episode {
	e := correlate.Episode{
		EpisodeKey: correlate.EpisodeKey{Tenant: ingest.DefaultTenant, Source: "am", Fingerprint: name, StartsAt: from},
		State:      correlate.Firing, EndsAt: to, Service: service, Severity: severity,
		Labels: ingest.Labels{{Name: "severity", Value: severity}},
	}
	if to != 0 {
		e.State = correlate.Resolved
	}
	return e
}

func unknownSince(e correlate.Episode, since ingest.Millis) correlate.Episode {
	e.State, e.EndsAt, e.UnknownSince = correlate.Unknown, 0, since
	return e
}

// net is what signed rows leave, as text, and in order. A row that is there other than
// once, or was taken back without being there, fails the test.
func net(t fataler, rows []SegmentRow, ledger []LedgerRow) []string {
	t.Helper()
	counts := make(map[string]int)
	for _, r := range rows {
		counts[fmt.Sprintf("%s %s/%s %s to %s %s (%s)", r.Tenant, r.Service, r.Agreement, r.From, r.To, r.Bucket, r.State)] += int(r.Sign)
	}
	for _, r := range ledger {
		counts[fmt.Sprintf("%s %s %s to %s %s", r.Tenant, r.Service, r.From, r.To, r.State)] += int(r.Sign)
	}
	maps.DeleteFunc(counts, func(row string, n int) bool {
		if n != 0 && n != 1 {
			t.Fatalf("%s stands there %d times", row, n)
		}
		return n == 0
	})
	return slices.Sorted(maps.Keys(counts))
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// book collects what a ledger gives out.
type book struct {
	*Ledger
	t   testing.TB
	all Output
}

func newBook(t testing.TB) *book { return &book{Ledger: NewLedger(), t: t} }

func (b *book) collect() Output {
	out := b.Flush()
	b.all.Ledger = append(b.all.Ledger, out.Ledger...)
	b.all.Segments = append(b.all.Segments, out.Segments...)
	return out
}

func (b *book) configure(at ingest.Millis, c Config) Output {
	b.t.Helper()
	b.Advance(at)
	if err := b.Configure(at, c); err != nil {
		b.t.Fatal(err)
	}
	return b.collect()
}

func (b *book) apply(at ingest.Millis, episodes ...correlate.Episode) Output {
	b.Advance(at)
	b.Apply(episodes)
	return b.collect()
}

// own returns the net rows of the default tenant's service itself, shortened.
func (b *book) own() []string {
	b.t.Helper()
	var rows []SegmentRow
	for _, r := range b.all.Segments {
		if r.Agreement == "" {
			rows = append(rows, r)
		}
	}
	return shorten(net(b.t, rows, nil))
}

func (b *book) ledger() []string {
	b.t.Helper()
	return shorten(net(b.t, nil, b.all.Ledger))
}

func shorten(rows []string) []string {
	for i := range rows {
		rows[i] = strings.NewReplacer("default ", "", "2026-10-", "", ":00.000Z", "", "shop/ ", "", "shop ", "").Replace(rows[i])
	}
	return rows
}

// at is a time of October 2026 in UTC, such as "05T10:00".
func at(t testing.TB, text string) ingest.Millis {
	t.Helper()
	return instant(t, "2026-10-"+text+":00Z")
}

func shop(agreements ...Agreement) Config {
	return Config{Services: []ServiceLevels{{Name: "shop", Agreements: agreements}}}
}

func same(t testing.TB, what string, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestAnOutageTakesItsTimeFromWhatIsUp(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T08:00"), shop())
	same(t, "before", b.own(), []string{
		"05T00:00 to 05T08:00 unknown (unknown)",
		"05T08:00 to 06T00:00 up (up)",
	})
	b.apply(at(t, "05T10:01"), episode("a", "shop", "critical", at(t, "05T10:00"), 0))
	same(t, "while it runs", b.own(), []string{
		"05T00:00 to 05T08:00 unknown (unknown)",
		"05T08:00 to 05T10:00 up (up)",
		"05T10:00 to 06T00:00 down (down)",
	})
	same(t, "the ledger while it runs", b.ledger(), []string{
		"05T08:00 to 06T00:00 covered",
		"05T10:00 to 06T00:00 down",
	})
	out := b.apply(at(t, "05T11:01"), episode("a", "shop", "critical", at(t, "05T10:00"), at(t, "05T11:00")))
	same(t, "afterwards", b.own(), []string{
		"05T00:00 to 05T08:00 unknown (unknown)",
		"05T08:00 to 05T10:00 up (up)",
		"05T10:00 to 05T11:00 down (down)",
		"05T11:00 to 06T00:00 up (up)",
	})
	if len(out.Segments) != 3 || len(out.Ledger) != 2 {
		t.Errorf("the end took %d segments and %d ledger rows, want 3 (-1 +1 +1) and 2 (-1 +1)", len(out.Segments), len(out.Ledger))
	}
	for _, r := range out.Segments {
		if r.RecordedAt != at(t, "05T11:01") {
			t.Errorf("recorded at %s", r.RecordedAt)
		}
	}
}

func TestARunningOutageGetsItsRowsAtMidnight(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T08:00"), shop())
	b.apply(at(t, "05T10:01"), episode("a", "shop", "critical", at(t, "05T10:00"), 0))
	if next, ok := b.NextTimer(); !ok || next != at(t, "06T00:00") {
		t.Errorf("next timer %s", next)
	}
	out := b.apply(at(t, "07T09:00"))
	for _, r := range out.Ledger {
		if r.From != r.RecordedAt {
			t.Errorf("the row of %s was recorded at %s", r.From, r.RecordedAt)
		}
	}
	same(t, "ledger", b.ledger(), []string{
		"05T08:00 to 06T00:00 covered",
		"05T10:00 to 06T00:00 down",
		"06T00:00 to 07T00:00 covered",
		"06T00:00 to 07T00:00 down",
		"07T00:00 to 08T00:00 covered",
		"07T00:00 to 08T00:00 down",
	})
	out = b.apply(at(t, "07T09:01"), episode("a", "shop", "critical", at(t, "05T10:00"), at(t, "05T11:00")))
	same(t, "a late end restates days that passed", b.ledger(), []string{
		"05T08:00 to 06T00:00 covered",
		"05T10:00 to 05T11:00 down",
		"06T00:00 to 07T00:00 covered",
		"07T00:00 to 08T00:00 covered",
	})
	if len(out.Ledger) != 4 {
		t.Errorf("%d rows of the ledger changed, want 4", len(out.Ledger))
	}
}

func TestTheWorstEpisodeSaysWhatAServiceIs(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	warning := episode("w", "shop", "warning", at(t, "05T01:00"), at(t, "05T09:00"))
	silent := unknownSince(episode("s", "shop", "warning", at(t, "05T02:00"), 0), at(t, "05T03:00"))
	critical := episode("c", "shop", "page", at(t, "05T04:00"), at(t, "05T05:00"))
	nothing := unknownSince(episode("n", "shop", "info", at(t, "05T00:30"), 0), at(t, "05T00:40"))
	b.apply(at(t, "05T10:00"), warning, silent, critical, nothing)
	same(t, "ledger", b.ledger(), []string{
		"05T00:00 to 06T00:00 covered",
		"05T01:00 to 05T03:00 degraded",
		"05T03:00 to 05T04:00 unknown",
		"05T04:00 to 05T05:00 down",
		"05T05:00 to 06T00:00 unknown",
	})
}

func TestRulesSayWhatAnEpisodeMeans(t *testing.T) {
	match := func(name, op, value string) []correlate.Match {
		return []correlate.Match{{Name: name, Op: op, Value: value}}
	}
	c := Config{
		Impact: []ImpactRule{{Matchers: match("severity", "=", "error"), State: Down}, {Matchers: match("team", "!~", "web|data"), State: Degraded}},
		Services: []ServiceLevels{
			{Name: "shop", Impact: []ImpactRule{{Matchers: match("severity", "=~", "crit.*"), State: Up}}},
			{Name: "cart"},
		},
	}
	l := NewLedger()
	if err := l.Configure(1, c); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, service string
		labels        map[string]string
		want          rank
	}{
		{"the service's own rule first", "shop", map[string]string{"severity": "critical", "team": "web"}, rankUp},
		{"then the root's", "cart", map[string]string{"severity": "error"}, rankDown},
		{"a label that is missing is empty", "cart", map[string]string{"severity": "info"}, rankDegraded},
		{"then the default", "cart", map[string]string{"severity": "critical", "team": "web"}, rankDown},
		{"patterns are anchored", "shop", map[string]string{"severity": "uncritical", "team": "web"}, rankUp},
		{"none of them", "cart", map[string]string{"severity": "info", "team": "data"}, rankUp},
	} {
		e := correlate.Episode{Service: test.service, Labels: ingest.LabelsOf(test.labels)}
		if got := l.impact(&e); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.state(), test.want.state())
		}
	}
}

func TestRulesThatChangeAreForEpisodesThatComeLater(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	b.apply(at(t, "05T01:00"), episode("a", "shop", "warning", at(t, "05T01:00"), 0))
	c := shop()
	c.Impact = []ImpactRule{{State: Down}}
	if out := b.configure(at(t, "05T02:00"), c); len(out.Ledger)+len(out.Segments) != 0 {
		t.Errorf("a change of rules restated %+v", out)
	}
	b.apply(at(t, "05T04:00"),
		episode("a", "shop", "warning", at(t, "05T01:00"), at(t, "05T03:00")),
		episode("b", "shop", "warning", at(t, "05T03:30"), at(t, "05T04:00")))
	same(t, "ledger", b.ledger(), []string{
		"05T00:00 to 06T00:00 covered",
		"05T01:00 to 05T03:00 degraded",
		"05T03:30 to 05T04:00 down",
	})
}

func TestCoverageIsTheTimeInTheConfigurationAndAnEpisodeBeforeIt(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "04T12:00"), Config{Services: []ServiceLevels{{Name: "other"}}})
	b.apply(at(t, "05T07:00"), episode("before", "shop", "critical", at(t, "05T02:00"), at(t, "05T03:00")))
	if got := b.ledger(); slices.ContainsFunc(got, func(row string) bool { return strings.Contains(row, "down") }) {
		t.Errorf("a service that is not configured has rows: %s", got)
	}
	b.all = Output{}
	b.configure(at(t, "05T08:00"), shop()) // other goes
	b.configure(at(t, "06T09:00"), Config{})
	b.apply(at(t, "06T09:30"), episode("in the gap", "shop", "critical", at(t, "06T08:30"), at(t, "06T10:30")))
	b.configure(at(t, "06T10:00"), shop())
	b.all.Ledger = slices.DeleteFunc(b.all.Ledger, func(r LedgerRow) bool { return r.Service != "shop" })
	same(t, "ledger", b.ledger(), []string{
		"05T02:00 to 05T03:00 covered",
		"05T02:00 to 05T03:00 down",
		"05T08:00 to 06T00:00 covered",
		"06T00:00 to 06T09:00 covered",
		"06T08:30 to 06T09:00 down",
		"06T10:00 to 06T10:30 down",
		"06T10:00 to 07T00:00 covered",
	})
	b.all.Segments = slices.DeleteFunc(b.all.Segments, func(r SegmentRow) bool { return r.Service != "shop" })
	same(t, "segments", b.own(), []string{
		"05T00:00 to 05T02:00 unknown (unknown)",
		"05T02:00 to 05T03:00 down (down)",
		"05T03:00 to 05T08:00 unknown (unknown)",
		"05T08:00 to 06T00:00 up (up)",
		"06T00:00 to 06T08:30 up (up)",
		"06T08:30 to 06T09:00 down (down)",
		"06T09:00 to 06T10:00 unknown (unknown)",
		"06T10:00 to 06T10:30 down (down)",
		"06T10:30 to 07T00:00 up (up)",
	})
}

func TestBucketsOfAnAgreementInOrder(t *testing.T) {
	c := shop(Agreement{Name: "gold", Calendar: "office", Zone: "Europe/Berlin"})
	c.Calendars = []Calendar{{Name: "office", Zone: "Europe/Berlin", Hours: []Hours{from("08:00", "18:00")}}}
	c.Services[0].Maintenance = []Maintenance{{From: int64(at(t, "05T05:00")), To: int64(at(t, "05T08:00"))}}
	b := newBook(t)
	b.configure(at(t, "05T00:00"), c)
	b.apply(at(t, "05T09:00"),
		episode("a", "shop", "critical", at(t, "05T04:00"), at(t, "05T07:00")),
		episode("w", "shop", "warning", at(t, "05T08:30"), at(t, "05T09:00")))
	gold := slices.DeleteFunc(b.all.Segments, func(r SegmentRow) bool { return r.Agreement != "gold" })
	same(t, "segments", shorten(net(t, gold, nil)), []string{
		"shop/gold 04T22:00 to 05T00:00 out_of_hours (unknown)",
		"shop/gold 05T00:00 to 05T04:00 out_of_hours (up)",
		"shop/gold 05T04:00 to 05T06:00 out_of_hours (down)",
		"shop/gold 05T06:00 to 05T07:00 maintenance (down)",
		"shop/gold 05T07:00 to 05T08:00 maintenance (up)",
		"shop/gold 05T08:00 to 05T08:30 up (up)",
		"shop/gold 05T08:30 to 05T09:00 degraded (degraded)",
		"shop/gold 05T09:00 to 05T16:00 up (up)",
		"shop/gold 05T16:00 to 05T22:00 out_of_hours (up)",
	})
}

// A 10 minute window of planned maintenance with 4 minutes down inside it counts 10
// minutes of maintenance, once (vectors/availability.json).
func TestMaintenanceIsRestatedWhenItIsAddedLateAndWhenItIsTakenBack(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	b.apply(at(t, "05T10:00"), episode("a", "shop", "critical", at(t, "05T09:04"), at(t, "05T09:08")))
	b.apply(at(t, "06T12:00"))
	before := b.own()
	c := shop()
	c.Services[0].Maintenance = []Maintenance{{From: int64(at(t, "05T09:00")), To: int64(at(t, "05T09:10"))}}
	out := b.configure(at(t, "06T12:00"), c)
	same(t, "with it", b.own(), []string{
		"05T00:00 to 05T09:00 up (up)",
		"05T09:00 to 05T09:04 maintenance (up)",
		"05T09:04 to 05T09:08 maintenance (down)",
		"05T09:08 to 05T09:10 maintenance (up)",
		"05T09:10 to 06T00:00 up (up)",
		"06T00:00 to 07T00:00 up (up)",
	})
	if len(out.Ledger) != 0 || len(out.Segments) != 8 {
		t.Errorf("it restated %d rows of the ledger and %d segments, want 0 and 8", len(out.Ledger), len(out.Segments))
	}
	b.configure(at(t, "06T13:00"), shop())
	same(t, "without it", b.own(), before)
}

func TestAChangeOfZoneLeavesNoHole(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "01T00:00"), shop())
	b.apply(at(t, "03T12:00"), episode("a", "shop", "critical", at(t, "02T10:00"), at(t, "02T11:00")))
	c := shop()
	for k, name := range []string{"Pacific/Auckland", "America/Los_Angeles", "UTC"} {
		c.Zone = name
		b.configure(at(t, "03T12:00")+ingest.Millis(k)*ingest.Day, c)
		assertCovered(t, b, name)
	}
	b.apply(at(t, "06T12:00"), episode("b", "shop", "critical", at(t, "01T23:30"), at(t, "02T00:30")))
	assertCovered(t, b, "after late data")
}

// assertCovered checks that the net rows of each agreement neither overlap nor leave a
// hole, from the beginning of coverage on.
func assertCovered(t *testing.T, b *book, when string) {
	t.Helper()
	counts := make(map[SegmentRow]int)
	for _, r := range b.all.Segments {
		sign := int(r.Sign)
		r.RecordedAt, r.Sign = 0, 0
		counts[r] += sign
	}
	maps.DeleteFunc(counts, func(_ SegmentRow, n int) bool { return n == 0 })
	rows := slices.SortedFunc(maps.Keys(counts), func(a, b SegmentRow) int {
		return strings.Compare(a.Agreement+a.From.String(), b.Agreement+b.From.String())
	})
	for k, r := range rows {
		if counts[r] != 1 {
			t.Fatalf("%s: %+v is there %d times", when, r, counts[r])
		}
		if k > 0 && rows[k-1].Agreement == r.Agreement && rows[k-1].To != r.From {
			t.Fatalf("%s: %q: %s is followed by %s", when, r.Agreement, rows[k-1].To, r.From)
		}
	}
}

func TestAnAgreementThatIsTakenOutKeepsItsDay(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop(Agreement{Name: "gold"}))
	b.configure(at(t, "05T12:00"), shop())
	b.apply(at(t, "06T12:00"), episode("late", "shop", "critical", at(t, "05T23:00"), at(t, "06T01:00")))
	gold := slices.DeleteFunc(slices.Clone(b.all.Segments), func(r SegmentRow) bool { return r.Agreement != "gold" })
	same(t, "taken out", shorten(net(t, gold, nil)), []string{
		"shop/gold 05T00:00 to 05T23:00 up (up)",
		"shop/gold 05T23:00 to 06T00:00 down (down)",
	})
	b.configure(at(t, "07T12:00"), shop(Agreement{Name: "gold"}))
	gold = slices.DeleteFunc(slices.Clone(b.all.Segments), func(r SegmentRow) bool { return r.Agreement != "gold" })
	same(t, "put in again", shorten(net(t, gold, nil)), []string{
		"shop/gold 05T00:00 to 05T23:00 up (up)",
		"shop/gold 05T23:00 to 06T00:00 down (down)",
		"shop/gold 06T00:00 to 06T01:00 down (down)",
		"shop/gold 06T01:00 to 07T00:00 up (up)",
		"shop/gold 07T00:00 to 08T00:00 up (up)",
	})
}

func TestAnotherTenantHasRowsOfWhatItSentAlertsOf(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), Config{Services: []ServiceLevels{{Name: "shop"}, {Name: "cart"}}})
	e := episode("a", "shop", "critical", at(t, "05T09:00"), at(t, "05T10:00"))
	e.Tenant = "acme"
	b.apply(at(t, "05T10:00"), e)
	same(t, "ledger", b.ledger(), []string{
		"acme 05T00:00 to 06T00:00 covered",
		"acme 05T09:00 to 05T10:00 down",
		"cart 05T00:00 to 06T00:00 covered",
		"05T00:00 to 06T00:00 covered",
	})
}

func TestClosedDaysStand(t *testing.T) {
	b := newBook(t)
	start := at(t, "05T00:00")
	b.configure(start, shop())
	now := start + (RestateDays+5)*ingest.Day + 12*ingest.Hour
	b.Advance(now)
	b.collect()
	b.all = Output{}
	b.apply(now, episode("long unheard of", "shop", "critical", start, 0))
	closed := start + 5*ingest.Day
	for _, r := range b.all.Ledger {
		if r.From < closed {
			t.Fatalf("a closed day was restated: %+v", r)
		}
	}
	var down int64
	for _, r := range b.all.Ledger {
		if r.State == Down {
			down += int64(r.Sign) * int64(r.To-r.From)
		}
	}
	if want := (RestateDays + 1) * day; down != want {
		t.Errorf("%d ms down, want %d", down, want)
	}
}

func TestAConfigurationThatIsNotValidChangesNothing(t *testing.T) {
	for name, c := range map[string]Config{
		"an unknown zone":            {Zone: "Mars/Olympus"},
		"a service twice":            {Services: []ServiceLevels{{Name: "a"}, {Name: "a"}}},
		"a service without a name":   {Services: []ServiceLevels{{}}},
		"an agreement without one":   shop(Agreement{}),
		"an agreement twice":         shop(Agreement{Name: "gold"}, Agreement{Name: "gold"}),
		"every agreement":            shop(Agreement{Name: EveryAgreement}),
		"a calendar that is missing": shop(Agreement{Name: "gold", Calendar: "office"}),
		"a calendar twice":           {Calendars: []Calendar{{Name: "a"}, {Name: "a"}}},
		"a pattern that is none":     {Impact: []ImpactRule{{Matchers: []correlate.Match{{Name: "a", Op: "=~", Value: "("}}, State: Down}}},
		"an operator that is none":   {Impact: []ImpactRule{{Matchers: []correlate.Match{{Name: "a", Op: "~", Value: "b"}}, State: Down}}},
		"a state that is none":       {Impact: []ImpactRule{{State: Covered}}},
		"an objective of 99.9":       shop(Agreement{Name: "gold", Objective: 99.9}),
		"a window that is none":      shop(Agreement{Name: "gold", Window: "fortnight"}),
		"a policy that is none":      shop(Agreement{Name: "gold", Policy: Policy{Preset: "none"}}),
	} {
		b := newBook(t)
		b.configure(at(t, "05T00:00"), shop())
		err := b.Configure(at(t, "05T01:00"), c)
		if err == nil {
			t.Errorf("%s is taken", name)
		}
		if out := b.Flush(); len(out.Ledger)+len(out.Segments) != 0 || !b.services["shop"].present {
			t.Errorf("%s: changed %+v", name, out)
		}
	}
}

func TestWhatEndedAsUnknownIsUnknownUntilThen(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "01T00:00"), shop())
	e := unknownSince(episode("a", "shop", "critical", at(t, "01T10:00"), 0), at(t, "01T11:00"))
	e.EndsAt = at(t, "01T15:00")
	b.apply(at(t, "01T16:00"), e)
	want := []string{
		"01T00:00 to 01T10:00 up (up)", "01T10:00 to 01T11:00 down (down)", "01T11:00 to 01T15:00 unknown (unknown)",
		"01T15:00 to 02T00:00 up (up)",
	}
	if diff := cmp.Diff(want, b.own()); diff != "" {
		t.Error(diff)
	}
}

func TestASilentSourceMakesItsServicesUnknownButForWhatIsDown(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "01T00:00"), shop())
	b.apply(at(t, "01T09:00"), episode("a", "shop", "critical", at(t, "01T08:00"), at(t, "01T09:00")), episode("b", "shop", "warning", at(t, "01T07:30"), at(t, "01T10:30")))
	silent := correlate.Silence{Source: "am", Services: []string{"nowhere", "shop"}, From: at(t, "01T08:30")}
	b.Advance(at(t, "01T10:00"))
	b.Silence([]correlate.Silence{silent})
	b.collect()
	saved, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.Ledger = NewLedger()
	if err := b.Restore(saved); err != nil {
		t.Fatal(err)
	}
	silent.To = at(t, "01T12:00")
	b.Advance(at(t, "01T12:00"))
	b.Silence([]correlate.Silence{silent})
	b.collect()
	want := []string{
		"01T00:00 to 01T07:30 up (up)", "01T07:30 to 01T08:00 degraded (degraded)", "01T08:00 to 01T09:00 down (down)",
		"01T09:00 to 01T12:00 unknown (unknown)", "01T12:00 to 02T00:00 up (up)",
	}
	if diff := cmp.Diff(want, b.own()); diff != "" {
		t.Error(diff)
	}
}

func TestAServiceThatASilenceDoesNotNameAnyMoreIsKnownAgain(t *testing.T) {
	silent := correlate.Silence{Source: "am", Services: []string{"shop"}, From: at(t, "01T08:30")}
	for name, c := range map[string]struct {
		then []correlate.Silence
		want []string
	}{
		"while it lasts it was not watched": {
			[]correlate.Silence{{Source: "am", From: silent.From}},
			[]string{"01T00:00 to 02T00:00 up (up)"},
		},
		"another silence of the source leaves it": {
			[]correlate.Silence{{Source: "am", From: at(t, "01T09:30")}},
			[]string{"01T00:00 to 01T08:30 up (up)", "01T08:30 to 02T00:00 unknown (unknown)"},
		},
		"a silence of another source leaves it": {
			[]correlate.Silence{{Source: "other", From: silent.From}},
			[]string{"01T00:00 to 01T08:30 up (up)", "01T08:30 to 02T00:00 unknown (unknown)"},
		},
		"after it is over it had been watched": {
			[]correlate.Silence{
				{Source: "am", Services: []string{"shop"}, From: silent.From, To: at(t, "01T10:00")},
				{Source: "am", From: silent.From, To: at(t, "01T10:00")},
			},
			[]string{"01T00:00 to 01T08:30 up (up)", "01T08:30 to 01T10:00 unknown (unknown)", "01T10:00 to 02T00:00 up (up)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.configure(at(t, "01T00:00"), shop())
			b.Advance(at(t, "01T09:00"))
			b.Silence([]correlate.Silence{silent})
			b.collect()
			b.Advance(at(t, "01T11:00"))
			for _, s := range c.then {
				b.Silence([]correlate.Silence{s})
			}
			b.collect()
			if diff := cmp.Diff(c.want, b.own()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownEpisodesLeaveMemoryInTheEnd(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "01T00:00"), shop())
	for n := range 200 {
		e := unknownSince(episode(fmt.Sprint("gone-", n), "shop", "critical", at(t, "01T10:00"), 0), at(t, "01T11:00"))
		e.EndsAt = at(t, "01T15:00")
		b.apply(at(t, "01T16:00"), e)
	}
	b.Silence([]correlate.Silence{{Source: "am", Services: []string{"shop"}, From: at(t, "01T08:30"), To: at(t, "01T09:30")}})
	b.Advance(at(t, "01T16:00") + 10*ingest.Day)
	b.collect()
	if len(b.episodes)+len(b.silences) != 0 {
		t.Errorf("%d episodes and %d silences remain", len(b.episodes), len(b.silences))
	}
}

func TestASnapshotOfAnotherVersionSaysSo(t *testing.T) {
	for name, other := range map[string]any{
		"of before":           struct{ Version int }{1},
		"that cannot be read": struct{ Version, Services int }{snapshotVersion + 1, 7},
	} {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(other); err != nil {
			t.Fatal(err)
		}
		if err := NewLedger().Restore(b.Bytes()); !errors.Is(err, ErrSnapshotVersion) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := NewLedger().Restore([]byte("broken")); err == nil || errors.Is(err, ErrSnapshotVersion) {
		t.Errorf("broken: %v", err)
	}
}
