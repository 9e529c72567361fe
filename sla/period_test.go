package sla

import (
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
)

func TestPeriodsAreCutInTheirZone(t *testing.T) {
	for _, test := range []struct{ name, zone, from, to string }{
		{"2026-10", "", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"},
		{"2026-10", "Europe/Berlin", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"},
		{"2026", "Europe/Berlin", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"2026-Q4", "America/New_York", "2026-10-01T00:00:00-04:00", "2027-01-01T00:00:00-05:00"},
		{"2026-W01", "UTC", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"},
		{"2026-W53", "UTC", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"2026-10-25", "Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		{"2024-02", "UTC", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{"2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"},
	} {
		t.Run(test.name+" "+test.zone, func(t *testing.T) {
			got, err := Period(test.name, test.zone)
			if err != nil {
				t.Fatal(err)
			}
			if want := (Interval{instant(t, test.from), instant(t, test.to)}); got != want {
				t.Errorf("%s to %s, want %s to %s", got.From, got.To, want.From, want.To)
			}
		})
	}
}

func TestWhatIsNoPeriodIsRefused(t *testing.T) {
	for _, name := range []string{"", "2026-13", "2026-00", "2026-1", "2026-Q5", "2026-W54", "2025-W53", "2026-W00", "2026-02-29", "1969", "last month"} {
		if i, err := Period(name, "UTC"); err == nil {
			t.Errorf("period %q is %s to %s", name, i.From, i.To)
		}
	}
	if _, err := Period("2026-10", "Local"); err == nil {
		t.Error("the zone Local is taken")
	}
}

func TestTheWindowAtAnInstantHoldsIt(t *testing.T) {
	at := instant(t, "2026-10-31T23:30:00Z") // 1 November, 00:30 in Berlin
	for window, want := range map[string]string{
		"day": "2026-11-01", "week": "2026-W44", "month": "2026-11", "": "2026-11", "quarter": "2026-Q4", "year": "2026",
	} {
		i, name, err := WindowAt(window, at, zoneNamed(t, "Europe/Berlin"))
		if err != nil || name != want || !i.Contains(at) {
			t.Errorf("window %q is %s, %v, %v; want %s", window, name, i, err, want)
		}
	}
	if _, _, err := WindowAt("fortnight", at, zoneNamed(t, "UTC")); err == nil {
		t.Error("the window fortnight is taken")
	}
}

func TestDaysOfSummerTimeHave23And25Hours(t *testing.T) {
	// vectors/availability.json, dst
	for name, hours := range map[string]ingest.Millis{"2026-03-29": 23, "2026-10-25": 25} {
		i, err := Period(name, "Europe/Berlin")
		if err != nil || i.Length() != int64(hours*ingest.Hour) {
			t.Errorf("%s has %d ms, %v; want %d h", name, i.Length(), err, hours)
		}
	}
}
