package sla

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

var workdays = []int{1, 2, 3, 4, 5}

func schedule(t testing.TB, zone string, holidays []string, hours ...Hours) *Schedule {
	t.Helper()
	s, err := NewSchedule(Calendar{Zone: zone, Hours: hours, Holidays: holidays}, "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func from(clock string, to string) Hours {
	minute := func(s string) int {
		c, _ := time.Parse("15:04", s)
		return 60*c.Hour() + c.Minute()
	}
	return Hours{Weekdays: workdays, From: minute(clock), To: minute(to)}
}

// GLPI's and Zammad's facts, out of vectors/sla_clocks.json.
func TestWorkingTime(t *testing.T) {
	glpi := schedule(t, "UTC", nil, from("08:00", "20:00"))
	short := schedule(t, "UTC", nil, from("08:00", "18:00"))
	zammad := schedule(t, "Europe/Berlin", nil, from("09:00", "18:00"))
	everyDay := Hours{Weekdays: []int{0, 1, 2, 3, 4, 5, 6}, From: 8 * 60, To: 20 * 60}
	holidays := schedule(t, "UTC", []string{"2026-10-07", "2026-10-08"}, everyDay)

	for _, test := range []struct {
		name     string
		s        *Schedule
		from, to string
		hours    float64
	}{
		{"a week with one weekend, from a Tuesday", glpi, "2019-01-01T00:00:00Z", "2019-01-08T00:00:00Z", 60},
		{"the first hour of a day", glpi, "2019-01-01T07:00:00Z", "2019-01-01T09:00:00Z", 1},
		{"reversed", glpi, "2019-01-01T09:00:00Z", "2019-01-01T07:00:00Z", 0},
		{"Zammad's hour before a pause", zammad, "2026-06-01T09:00:00Z", "2026-06-01T10:00:00Z", 1},
		{"summer time: from 07:00 UTC", zammad, "2026-06-01T00:00:00Z", "2026-06-01T08:00:00Z", 1},
		{"winter time: from 08:00 UTC", zammad, "2026-12-01T00:00:00Z", "2026-12-01T08:30:00Z", .5},
	} {
		if got := test.s.Between(instant(t, test.from), instant(t, test.to)); got != int64(test.hours*3600_000) {
			t.Errorf("%s: %d ms, want %v h", test.name, got, test.hours)
		}
	}

	for _, test := range []struct {
		name, from string
		s          *Schedule
		budget     ingest.Millis
		want       string
	}{
		{"over a night", "2026-10-05T17:00:00Z", short, 4 * ingest.Hour, "2026-10-06T11:00:00Z"},
		{"over a night, one hour before", "2026-10-05T17:00:00Z", short, 3 * ingest.Hour, "2026-10-06T10:00:00Z"},
		{"used up at closing time: the next opening", "2026-06-01T15:00:00Z", zammad, ingest.Hour, "2026-06-02T07:00:00Z"},
		{"used up at closing time on a Friday: Monday", "2026-06-05T15:00:00Z", zammad, ingest.Hour, "2026-06-08T07:00:00Z"},
		{"four days of twelve hours and two holidays: six days", "2026-10-05T08:00:00Z", holidays, 48 * ingest.Hour, "2026-10-11T08:00:00Z"},
		{"begun out of hours, no budget: the next opening", "2026-06-06T12:00:00Z", zammad, 0, "2026-06-08T07:00:00Z"},
	} {
		got, ok := test.s.Add(instant(t, test.from), int64(test.budget))
		if !ok || got != instant(t, test.want) {
			t.Errorf("%s: due at %s, want %s", test.name, got, test.want)
		}
	}

	for days, want := range map[int]string{7: "2018-11-28T10:00:00Z", -7: "2018-11-08T10:00:00Z", 0: "2018-11-19T10:00:00Z"} {
		if got, ok := glpi.AddDays(instant(t, "2018-11-19T10:00:00Z"), days); !ok || got != instant(t, want) {
			t.Errorf("%d working days: %s, want %s", days, got, want)
		}
	}
}

func TestAScheduleWithoutHoursIsNeverDue(t *testing.T) {
	never := schedule(t, "UTC", nil)
	if at, ok := never.Add(instant(t, "2026-10-05T08:00:00Z"), 1); ok {
		t.Errorf("due at %s", at)
	}
	if at, ok := never.AddDays(instant(t, "2026-10-05T08:00:00Z"), 1); ok {
		t.Errorf("a working day at %s", at)
	}
}

// vectors/availability.json, dst
func TestHoursFollowTheLocalClock(t *testing.T) {
	night := Hours{Weekdays: []int{0, 1, 2, 3, 4, 5, 6}, From: 90, To: 210}
	s := schedule(t, "Europe/Berlin", nil, night)
	for date, minutes := range map[string]int64{"2026-03-29": 60, "2026-06-01": 120, "2026-10-25": 180} {
		i, err := Period(date, "Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Windows(i).Length(); got != minutes*60_000 {
			t.Errorf("%s has %d ms between 01:30 and 03:30, want %d min", date, got, minutes)
		}
	}
}

func TestWindowsAreWhatTheClockShowsMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(someZones).Draw(t, "zone")
		c := Calendar{Zone: name}
		for range rapid.IntRange(1, 3).Draw(t, "ranges") {
			a := rapid.IntRange(0, minutesADay-1).Draw(t, "from")
			c.Hours = append(c.Hours, Hours{
				Weekdays: rapid.SliceOfN(rapid.IntRange(0, 6), 1, 7).Draw(t, "weekdays"),
				From:     a, To: rapid.IntRange(a+1, minutesADay).Draw(t, "to"),
			})
		}
		begin := rapid.SampledFrom([]string{"2026-03-27", "2026-10-23", "2018-11-03", "2018-02-16", "2026-04-03", "2011-12-28"}).Draw(t, "begin")
		date, _ := time.Parse(time.DateOnly, begin)
		c.Holidays = []string{date.AddDate(0, 0, 2).Format(time.DateOnly)}
		s, err := NewSchedule(c, "")
		if err != nil {
			t.Fatal(err)
		}
		w := Interval{ingest.MillisOf(date), ingest.MillisOf(date) + 5*ingest.Day}
		set := s.Windows(w)
		for at := w.From; at < w.To; at += ingest.Minute {
			local := at.Time().In(s.loc)
			want := false
			for _, h := range c.Hours {
				minute := 60*local.Hour() + local.Minute()
				for _, weekday := range h.Weekdays {
					want = want || weekday == int(local.Weekday()) && h.From <= minute && minute < h.To
				}
			}
			want = want && local.Format(time.DateOnly) != c.Holidays[0]
			if set.Contains(at) != want {
				t.Fatalf("%s, %s: agreed is %v", name, local, !want)
			}
		}
	})
}

func TestSchedulesThatMakeNoSenseAreRefused(t *testing.T) {
	for name, c := range map[string]Calendar{
		"hours over midnight": {Hours: []Hours{{Weekdays: workdays, From: 22 * 60, To: 6 * 60}}},
		"a 25th hour":         {Hours: []Hours{{Weekdays: workdays, From: 0, To: 25 * 60}}},
		"an eighth weekday":   {Hours: []Hours{{Weekdays: []int{7}, From: 0, To: 60}}},
		"a holiday in words":  {Holidays: []string{"Christmas"}},
		"an unknown zone":     {Zone: "Europe/Nowhere"},
	} {
		if _, err := NewSchedule(c, ""); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
