package improve_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
)

func TestTheThirteenWeeksAreWholeAndEndInThePeriod(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo"}
	rapid.Check(t, func(rt *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(rt, "zone")
		month := time.Date(rapid.IntRange(1995, 2040).Draw(rt, "year"), time.Month(rapid.IntRange(1, 12).Draw(rt, "month")), 1, 0, 0, 0, 0, time.UTC)
		p := period(t, month.Format("2006-01"), zone)
		weeks := p.Weeks(improve.WeeksOfTrend, p.To)
		for i, w := range weeks {
			from := w.From.Time().In(w.Location())
			if from.Weekday() != time.Monday || from.Hour() > 1 {
				rt.Fatalf("week %d begins on %s", i, from)
			}
			if i > 0 && weeks[i-1].To != w.From {
				rt.Fatalf("weeks %d and %d do not join", i-1, i)
			}
		}
		last := weeks[len(weeks)-1]
		if !p.Contains(last.To-1) || p.Contains(last.To+7*ingest.Day-2*ingest.Hour) {
			rt.Fatalf("the last week ends at %s, the period is %s to %s", last.To, p.From, p.To)
		}
	})
}

func TestAWeekThatHasNotEndedIsNotWhole(t *testing.T) {
	p := period(t, "2026-10", "UTC")
	for _, c := range []struct{ asOf, last string }{
		{"2026-11-02", "2026-W43"},       // October ends on a Saturday: the week with its 31st ends in November
		{"2026-10-25T23:59", "2026-W42"}, // a minute before the Sunday is over
		{"2026-10-26", "2026-W43"},
		{"2026-10-02", "2026-W39"}, // none of the period's has ended: the last before it
	} {
		weeks := p.Weeks(13, at(t, c.asOf))
		if got := weeks[12].ISOWeek(); got != c.last {
			t.Errorf("as of %s the last whole week is %s, want %s", c.asOf, got, c.last)
		}
	}
}

func TestPeriodsHaveNamesAndNeighbours(t *testing.T) {
	for _, c := range []struct{ name, kind, title, before string }{
		{"2026-10", "month", "October 2026", "2026-09"},
		{"2026-01", "month", "January 2026", "2025-12"},
		{"2026-Q1", "quarter", "quarter 1 of 2026", "2025-Q4"},
		{"2026", "year", "2026", "2025"},
		{"2026-W01", "week", "week 1 of 2026", "2025-W52"},
		{"2026-10-25", "day", "25 October 2026", "2026-10-24"},
	} {
		p := period(t, c.name, "Europe/Berlin")
		b, err := p.Before()
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind() != c.kind || p.Title() != c.title || b.Name != c.before || b.To != p.From {
			t.Errorf("%s is a %s, %q, after %s which ends at %s", c.name, p.Kind(), p.Title(), b.Name, b.To)
		}
	}
	for _, bad := range []string{"", "2026-13", "october", "2026-Q5", "26-10"} {
		if p, err := improve.ParsePeriod(bad, "UTC"); err == nil {
			t.Errorf("%q was read as %+v", bad, p)
		}
	}
	if _, err := improve.ParsePeriod("2026-10", "Local"); err == nil {
		t.Error("the zone Local means something else on every machine, and was taken")
	}
}
