package sla

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, text string) ingest.Millis {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return ingest.MillisOf(at)
}

func TestMidnightsWhereClocksDoStrangeThings(t *testing.T) {
	for _, test := range []struct{ name, zone, after, want string }{
		{"an ordinary day", "Europe/Berlin", "2026-06-01T12:00:00+02:00", "2026-06-02T00:00:00+02:00"},
		{"at midnight comes the next one", "Europe/Berlin", "2026-06-01T00:00:00+02:00", "2026-06-02T00:00:00+02:00"},
		{"a day of 23 hours", "Europe/Berlin", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		{"a day of 25 hours", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		{"clocks go forward at midnight: the day begins at one", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", "2018-11-04T01:00:00-02:00"},
		{"clocks go back at midnight: eleven comes twice", "America/Sao_Paulo", "2018-02-17T12:00:00-02:00", "2018-02-18T00:00:00-03:00"},
		{"a date that was left out", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00"},
		{"the last day of a leap year past the table of changes", "Europe/Berlin", "2040-12-31T12:00:00+01:00", "2041-01-01T00:00:00+01:00"},
		{"half an hour of summer time", "Australia/Lord_Howe", "2026-04-04T12:00:00+11:00", "2026-04-05T00:00:00+11:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := MidnightAfter(instant(t, test.after), zoneNamed(t, test.zone))
			if want := instant(t, test.want); got != want {
				t.Errorf("midnight after %s is %s, want %s", test.after, got, want)
			}
		})
	}
}

var someZones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe",
	"Africa/Casablanca", "Asia/Beirut", "America/St_Johns", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Cairo",
}

func TestNoDayIsLongerThanARowMayBe(t *testing.T) {
	for _, name := range someZones {
		loc := zoneNamed(t, name)
		from, to := instant(t, "2000-01-01T00:00:00Z"), instant(t, "2062-01-01T00:00:00Z")
		for at := from; at < to; {
			next := MidnightAfter(at, loc)
			if next <= at || next-at > MaxSegment {
				t.Fatalf("%s: from %s to %s is no day", name, at, next)
			}
			at = next
		}
	}
}

func TestSplitKeepsAllOfAnInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := LoadZone(rapid.SampledFrom(someZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		from := ingest.Millis(rapid.Int64Range(1e12, 2e12).Draw(t, "from"))
		i := Interval{from, from + ingest.Millis(rapid.Int64Range(1, 10*day).Draw(t, "length"))}
		at := i.From
		for k, part := range Split(i, loc) {
			if part.From != at || part.Empty() || k > 0 && MidnightAfter(part.From-1, loc) != part.From {
				t.Fatalf("part %d of %v is %v", k, i, part)
			}
			at = part.To
		}
		if at != i.To {
			t.Fatalf("the parts of %v end at %d", i, at)
		}
	})
}

func TestKeptMidnightsAreTheOnesThatAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(someZones).Draw(t, "zone")
		loc, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		z := &zone{name: name, loc: loc}
		for range 20 {
			at := ingest.Millis(rapid.Int64Range(1_500_000_000_000, 1_520_000_000_000).Draw(t, "at"))
			d := z.day(at)
			if !d.Contains(at) || MidnightAfter(at, loc) != d.To || MidnightAfter(d.From-1, loc) != d.From {
				t.Fatalf("%s lies in %v", at, d)
			}
		}
	})
}

func TestLocalIsNoZone(t *testing.T) {
	for _, name := range []string{"Local", "Europe/Nowhere"} {
		if _, err := LoadZone(name); err == nil {
			t.Errorf("zone %q is taken", name)
		}
	}
}
