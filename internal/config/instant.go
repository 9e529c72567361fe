package config

import (
	"fmt"
	"time"
)

// localLayouts are the ways in which a time without an offset may be written.
var localLayouts = []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// parseInstant reads RFC 3339, or a local time of the zone. A local time that
// the clocks of the zone skip, or show twice, is refused: it would be a guess.
func parseInstant(s string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range localLayouts {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		if t.Format(layout) != s {
			return t, fmt.Errorf("%q does not exist in %s: the clocks go forward over it", s, zone)
		}
		if isTwice(t, layout) {
			return t, fmt.Errorf("%q happens twice in %s: write it with an offset, as %s", s, zone, t.Format(time.RFC3339))
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time; one looks like 2026-11-22T02:00:00Z, or 2026-11-22 02:00 in the zone", s)
}

// isTwice says whether the clock shows t's local time a second time. Clocks go
// back by half an hour or more, and by three at the very most.
func isTwice(t time.Time, layout string) bool {
	for shift := 30 * time.Minute; shift <= 3*time.Hour; shift += 30 * time.Minute {
		if t.Add(shift).Format(layout) == t.Format(layout) || t.Add(-shift).Format(layout) == t.Format(layout) {
			return true
		}
	}
	return false
}
