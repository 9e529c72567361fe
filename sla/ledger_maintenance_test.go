package sla

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
)

// window makes a maintenance window of the shop as it is told, by times of October 2026.
func window(t testing.TB, id, from, to string) ingest.Event {
	t.Helper()
	return ingest.Event{Source: "itsm", Maintenance: &ingest.Maintenance{ID: id, Service: "shop", From: at(t, from), To: at(t, to)}}
}

func cancelled(e ingest.Event) ingest.Event {
	m := *e.Maintenance
	m.Cancelled = true
	e.Maintenance = &m
	return e
}

// maintain tells of windows at an instant.
func (b *book) maintain(at ingest.Millis, told ...ingest.Event) Output {
	b.t.Helper()
	b.Advance(at)
	for _, e := range told {
		if _, refused := b.Maintain(e); refused != "" {
			b.t.Fatal(refused)
		}
	}
	return b.collect()
}

// restart puts a ledger in the place of the one it was, from a snapshot.
func (b *book) restart() {
	b.t.Helper()
	saved, err := b.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	b.Ledger = NewLedger()
	if err := b.Restore(saved); err != nil {
		b.t.Fatal(err)
	}
}

func TestWhatWasToldLastOfAWindowCounts(t *testing.T) {
	first := window(t, "1", "05T09:00", "05T11:00")
	moved := window(t, "1", "05T14:00", "05T15:00")
	other := first
	other.Source = "ci"
	elsewhere := window(t, "1", "05T09:00", "05T11:00")
	elsewhere.Maintenance.Service = "cart"
	worded := window(t, "1", "05T09:00", "05T11:00")
	worded.Maintenance.Reason = "again"
	type said struct {
		at string
		e  ingest.Event
	}
	for name, test := range map[string]struct {
		told []said
		want []string // of maintenance
	}{
		"in advance":         {[]said{{"05T08:00", first}}, []string{"05T09:00 to 05T11:00"}},
		"while it runs":      {[]said{{"05T10:00", first}}, []string{"05T09:00 to 05T11:00"}},
		"after it":           {[]said{{"05T20:00", first}}, []string{"05T09:00 to 05T11:00"}},
		"days after it":      {[]said{{"07T20:00", first}}, []string{"05T09:00 to 05T11:00"}},
		"moved":              {[]said{{"05T08:00", first}, {"05T08:30", moved}}, []string{"05T14:00 to 05T15:00"}},
		"moved at once":      {[]said{{"05T08:00", first}, {"05T08:00", moved}}, []string{"05T14:00 to 05T15:00"}},
		"moved when it ran":  {[]said{{"05T08:00", first}, {"05T10:00", moved}}, []string{"05T14:00 to 05T15:00"}},
		"extended":           {[]said{{"05T08:00", first}, {"05T10:00", window(t, "1", "05T09:00", "05T13:00")}}, []string{"05T09:00 to 05T13:00"}},
		"shortened":          {[]said{{"05T08:00", first}, {"05T10:00", window(t, "1", "05T09:00", "05T10:00")}}, []string{"05T09:00 to 05T10:00"}},
		"moved by an hour":   {[]said{{"05T08:00", first}, {"05T08:30", window(t, "1", "05T10:00", "05T12:00")}}, []string{"05T10:00 to 05T12:00"}},
		"cancelled":          {[]said{{"05T08:00", first}, {"05T08:30", cancelled(first)}}, nil},
		"cancelled after it": {[]said{{"05T08:00", first}, {"06T08:30", cancelled(first)}}, nil},
		"cancelled and told again": {
			[]said{{"05T08:00", first}, {"05T08:10", cancelled(first)}, {"05T08:20", first}}, []string{"05T09:00 to 05T11:00"},
		},
		"cancelled before it was told":      {[]said{{"05T08:00", cancelled(first)}, {"05T08:01", first}}, []string{"05T09:00 to 05T11:00"}},
		"of another service":                {[]said{{"05T08:00", first}, {"05T08:30", elsewhere}}, nil},
		"told twice":                        {[]said{{"05T08:00", first}, {"05T08:10", first}}, []string{"05T09:00 to 05T11:00"}},
		"a late copy does not move it back": {[]said{{"05T08:00", first}, {"05T08:02", moved}, {"05T08:05", first}}, []string{"05T14:00 to 05T15:00"}},
		"a late copy does not restore it":   {[]said{{"05T08:00", first}, {"05T08:02", cancelled(first)}, {"05T08:05", first}}, nil},
		"moved back":                        {[]said{{"05T08:00", first}, {"05T08:02", moved}, {"05T08:06", first}}, []string{"05T09:00 to 05T11:00"}},
		"moved back in other words":         {[]said{{"05T08:00", first}, {"05T08:02", moved}, {"05T08:03", worded}}, []string{"05T09:00 to 05T11:00"}},
		"a late copy of what was told again": {
			[]said{{"05T08:00", first}, {"05T08:10", first}, {"05T08:11", moved}, {"05T08:14", first}}, []string{"05T14:00 to 05T15:00"},
		},
		"a copy of a copy is none": {
			[]said{{"05T08:00", first}, {"05T08:04", first}, {"05T08:05", moved}, {"05T08:08", first}}, []string{"05T09:00 to 05T11:00"},
		},
		"two that overlap count once": {
			[]said{{"05T08:00", first}, {"05T08:00", window(t, "2", "05T10:00", "05T12:00")}}, []string{"05T09:00 to 05T12:00"},
		},
		"of two that overlap one is cancelled": {
			[]said{{"05T08:00", first}, {"05T08:00", window(t, "2", "05T10:00", "05T12:00")}, {"05T08:30", cancelled(first)}},
			[]string{"05T10:00 to 05T12:00"},
		},
		"another source has ids of its own": {[]said{{"05T08:00", first}, {"05T08:30", cancelled(other)}}, []string{"05T09:00 to 05T11:00"}},
		"over midnight": {
			[]said{{"05T08:00", window(t, "1", "05T22:00", "06T02:00")}}, []string{"05T22:00 to 06T00:00", "06T00:00 to 06T02:00"},
		},
	} {
		for _, restarted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted %t", name, restarted), func(t *testing.T) {
				b := newBook(t)
				b.configure(at(t, "05T00:00"), shop())
				for _, s := range test.told {
					b.maintain(at(t, s.at), s.e)
					if restarted {
						b.restart()
					}
				}
				b.apply(at(t, "07T21:00"))
				assertCovered(t, b, "in the end")
				same(t, "maintenance", maintained(b.own()), test.want)
			})
		}
	}
}

// maintained returns the times of rows that are maintenance.
func maintained(rows []string) []string {
	var times []string
	for _, row := range rows {
		if when, is := strings.CutSuffix(row, " maintenance (up)"); is {
			times = append(times, when)
		}
	}
	return times
}

// Law 9: what was known before stands, and the telling is recorded when it came.
func TestAWindowThatIsToldLateIsRecordedWhenItIsTold(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	b.apply(at(t, "05T10:00"), episode("a", "shop", "critical", at(t, "05T09:00"), at(t, "05T10:00")))
	b.apply(at(t, "07T12:00"))
	before := b.own()
	out := b.maintain(at(t, "07T12:00"), window(t, "1", "05T09:30", "05T10:30"))
	if len(out.Ledger) != 0 || len(out.Segments) != 6 {
		t.Errorf("it restated %d rows of the ledger and %d segments, want 0 and 6", len(out.Ledger), len(out.Segments))
	}
	for _, r := range out.Segments {
		if r.RecordedAt != at(t, "07T12:00") {
			t.Errorf("recorded at %s", r.RecordedAt)
		}
	}
	same(t, "with it", b.own(), []string{
		"05T00:00 to 05T09:00 up (up)",
		"05T09:00 to 05T09:30 down (down)",
		"05T09:30 to 05T10:00 maintenance (down)",
		"05T10:00 to 05T10:30 maintenance (up)",
		"05T10:30 to 06T00:00 up (up)",
		"06T00:00 to 07T00:00 up (up)",
		"07T00:00 to 08T00:00 up (up)",
	})
	b.maintain(at(t, "07T13:00"), cancelled(window(t, "1", "05T09:30", "05T10:30")))
	same(t, "without it", b.own(), before)
}

func TestWindowsOfTheCatalogueAndSentOnesCountOnce(t *testing.T) {
	c := shop(Agreement{Name: "gold", Calendar: "office"})
	c.Calendars = []Calendar{{Name: "office", Zone: "UTC", Hours: []Hours{from("02:00", "12:00")}}}
	c.Services[0].Maintenance = []Maintenance{{From: int64(at(t, "05T01:00")), To: int64(at(t, "05T02:30"))}}
	b := newBook(t)
	b.configure(at(t, "05T00:00"), c)
	b.maintain(at(t, "05T00:10"), window(t, "1", "05T00:30", "05T04:00"))
	b.apply(at(t, "05T10:00"), episode("a", "shop", "critical", at(t, "05T05:00"), at(t, "05T06:00")))
	same(t, "itself", b.own(), []string{
		"05T00:00 to 05T00:30 up (up)",
		"05T00:30 to 05T04:00 maintenance (up)",
		"05T04:00 to 05T05:00 up (up)",
		"05T05:00 to 05T06:00 down (down)",
		"05T06:00 to 06T00:00 up (up)",
	})
	gold := slices.DeleteFunc(slices.Clone(b.all.Segments), func(r SegmentRow) bool { return r.Agreement != "gold" })
	same(t, "its agreement", shorten(net(t, gold, nil)), []string{
		"shop/gold 05T00:00 to 05T02:00 out_of_hours (up)",
		"shop/gold 05T02:00 to 05T04:00 maintenance (up)",
		"shop/gold 05T04:00 to 05T05:00 up (up)",
		"shop/gold 05T05:00 to 05T06:00 down (down)",
		"shop/gold 05T06:00 to 05T12:00 up (up)",
		"shop/gold 05T12:00 to 06T00:00 out_of_hours (up)",
	})
	b.maintain(at(t, "05T11:00"), cancelled(window(t, "1", "05T00:30", "05T04:00")))
	same(t, "the catalogue's stays", maintained(b.own()), []string{"05T01:00 to 05T02:30"})
}

func TestAWindowOfAServiceThatIsNotKnownYetWaits(t *testing.T) {
	b := newBook(t)
	if out := b.maintain(at(t, "05T00:00"), window(t, "1", "05T09:00", "05T10:00")); len(out.Segments)+len(out.Ledger) != 0 {
		t.Errorf("it has rows: %+v", out)
	}
	b.restart()
	b.configure(at(t, "05T08:00"), shop())
	same(t, "once it is known", maintained(b.own()), []string{"05T09:00 to 05T10:00"})
}

func TestEveryTenantHasWindowsOfItsOwn(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	of := window(t, "1", "05T09:00", "05T10:00")
	of.Tenant = "acme"
	b.maintain(at(t, "05T00:10"), of)
	same(t, "of one that sent no alert", maintained(b.own()), nil)
	e := episode("a", "shop", "critical", at(t, "05T01:00"), at(t, "05T02:00"))
	e.Tenant = "acme"
	b.apply(at(t, "05T02:00"), e)
	same(t, "of both", maintained(b.own()), []string{"acme 05T09:00 to 05T10:00"})
	mine := window(t, "1", "05T11:00", "05T12:00")
	b.maintain(at(t, "05T02:00"), mine)
	same(t, "of both", maintained(b.own()), []string{"acme 05T09:00 to 05T10:00", "05T11:00 to 05T12:00"})
}

// What is told of closed days changes no row, nor does it come back when a window over the border is cancelled.
func TestWindowsRestateNoClosedDay(t *testing.T) {
	b := newBook(t)
	start := at(t, "05T00:00")
	b.configure(start, shop())
	now := start + (RestateDays+10)*ingest.Day + 12*ingest.Hour
	b.Advance(now)
	b.collect()
	oldest := b.oldest()
	long := window(t, "1", "05T00:00", "30T00:00")
	for _, told := range []struct {
		at ingest.Millis
		e  ingest.Event
	}{{now, long}, {now + 3*ingest.Day, cancelled(long)}, {now + 4*ingest.Day, long}, {now + 6*ingest.Day, window(t, "1", "05T00:00", "28T00:00")}} {
		for _, r := range b.maintain(told.at, told.e).Segments {
			if r.From < oldest {
				t.Fatalf("told at %s, a closed day was restated: %+v", told.at, r)
			}
		}
		assertCovered(t, b, told.at.String())
		for _, step := range b.sent[seriesKey{ingest.DefaultTenant, "shop"}] {
			if step.n != ([3]int32{}) && step.n != ([3]int32{inWindow - 1: 1}) {
				t.Fatalf("told at %s, there are %v windows at %s", told.at, step.n, step.at)
			}
		}
	}
	closed := window(t, "2", "05T00:00", "06T00:00")
	closed.Maintenance.Service = "cart"
	b.maintain(now+6*ingest.Day, closed)
	if b.restart(); len(b.sent) != 1 {
		t.Errorf("a window of closed days is held: %v", b.sent)
	}
}

func TestWindowsLeaveMemoryInTheEnd(t *testing.T) {
	b := newBook(t)
	for n := range 200 {
		e := window(t, fmt.Sprint(n), "01T09:00", "01T10:00")
		if n%2 == 0 {
			e.Maintenance.To = at(t, "01T10:00") + 1000*ingest.Day
			b.maintain(at(t, "01T08:00"), e)
			e = cancelled(e)
		}
		b.maintain(at(t, "01T08:00"), e)
	}
	b.maintain(at(t, "01T23:57"), window(t, "late", "01T09:00", "01T10:00"), cancelled(window(t, "late", "01T09:00", "01T10:00")))
	b.Advance(at(t, "02T00:00"))
	if n := len(b.windows[ingest.DefaultTenant]); n != 101 {
		t.Errorf("after the first midnight %d windows are remembered, want the 100 that took place and the one of which a copy may come", n)
	}
	last := at(t, "02T00:00") + (RestateDays+3)*ingest.Day
	b.Advance(last - 1)
	if n := len(b.windows[ingest.DefaultTenant]); n != 100 {
		t.Errorf("%d windows are remembered on the last day that could be restated", n)
	}
	b.Advance(last)
	if len(b.windows)+len(b.sent) != 0 {
		t.Errorf("%d tenants with windows and %d services remain", len(b.windows), len(b.sent))
	}
	if _, waits := b.NextTimer(); waits {
		t.Error("a ledger that knows nothing waits for midnight")
	}
}

func TestAWindowTooManyIsRefusedAndTheOthersCanBeChanged(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	b.windows[ingest.DefaultTenant] = make(map[sentKey]*sentWindow)
	b.maintain(at(t, "05T00:00"), window(t, "0", "05T09:00", "05T10:00"))
	for n := 1; n < maxWindows; n++ {
		b.windows[ingest.DefaultTenant][sentKey{"itsm", fmt.Sprint(n)}] = &sentWindow{}
	}
	news, refused := b.Maintain(window(t, "one more", "05T11:00", "05T12:00"))
	if news || !strings.Contains(refused, `"one more"`) || !strings.Contains(refused, fmt.Sprint(maxWindows)) {
		t.Errorf("%t, %q", news, refused)
	}
	b.maintain(at(t, "05T00:10"), window(t, "0", "05T09:00", "05T09:30"))
	same(t, "maintenance", maintained(b.own()), []string{"05T09:00 to 05T09:30"})
	other := window(t, "one more", "05T11:00", "05T12:00")
	other.Tenant = "acme"
	if news, refused := b.Maintain(other); !news || refused != "" {
		t.Errorf("another tenant: %t, %q", news, refused)
	}
}

func TestOnlyWhatIsNewIsNews(t *testing.T) {
	b := newBook(t)
	b.configure(at(t, "05T00:00"), shop())
	first, moved := window(t, "1", "05T09:00", "05T11:00"), window(t, "1", "05T10:00", "05T11:00")
	for _, told := range []struct {
		e    ingest.Event
		news bool
	}{{first, true}, {first, false}, {moved, true}, {first, false}, {moved, false}, {cancelled(moved), true}, {cancelled(moved), false}} {
		if news, _ := b.Maintain(told.e); news != told.news {
			t.Errorf("%+v is news: %t", told.e.Maintenance, news)
		}
	}
}

// A flood of tellings of one window is bounded, and what is remembered of it is the newest.
func TestOfAWindowThatIsToldAndToldLittleIsRemembered(t *testing.T) {
	b := newBook(t)
	told := func(n int) ingest.Event {
		e := window(t, "1", "05T09:00", "05T11:00")
		e.Maintenance.Reason = fmt.Sprint(n)
		return e
	}
	for n := range 1000 {
		b.maintain(at(t, "05T00:00"), told(n))
	}
	w := b.windows[ingest.DefaultTenant][sentKey{"itsm", "1"}]
	if len(w.superseded) != maxSuperseded {
		t.Errorf("%d tellings are remembered", len(w.superseded))
	}
	if news, _ := b.Maintain(told(990)); news {
		t.Error("a copy of a recent one is news")
	}
	b.maintain(at(t, "05T00:06"), told(1000))
	if len(w.superseded) != 0 {
		t.Errorf("%d tellings of long ago are remembered", len(w.superseded))
	}
}
