package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/sla"
)

// levelsEntry is the root's levels section.
type levelsEntry struct{ Impact []sla.ImpactRule }

func levelsKeys() reader[levelsEntry] {
	return object(
		key(spec{Name: "impact", Default: "severity critical or page is down, severity warning is degraded", Text: "what an alert means for the state of its service; the first rule that matches counts, and an alert that none matches means nothing"},
			list(impactKeys()), func(l *levelsEntry) *[]sla.ImpactRule { return &l.Impact }),
	)
}

func impactKeys() reader[sla.ImpactRule] {
	return object(
		key(spec{Name: "matchers", Required: true, Text: "which alerts, in Alertmanager's grammar; all must match"},
			matchersOf(), func(r *sla.ImpactRule) *[]correlate.Match { return &r.Matchers }),
		key(spec{Name: "state", Required: true, Text: "what the service is while such an alert fires; up means that it has no impact"},
			state(), func(r *sla.ImpactRule) *sla.State { return &r.State }),
	)
}

func state() reader[sla.State] {
	words := oneOf(string(sla.Down), string(sla.Degraded), string(sla.Up))
	return convert(words, func(s string) sla.State { return sla.State(s) })
}

// agreementEntry is a promise as it is written.
type agreementEntry struct {
	Name      placed[string]
	Objective float64
	Zone      string
	Window    string
	Calendar  placed[string]
	Policy    sla.Policy
}

func agreementKeys() reader[agreementEntry] {
	return object(
		key(spec{Name: "name", Required: true, Text: "its name, once in the service"},
			at(asAgreementName), func(a *agreementEntry) *placed[string] { return &a.Name }),
		key(spec{Name: "objective", Required: true, Text: "the availability that is promised, as 99.9% or 0.999"},
			asObjective, func(a *agreementEntry) *float64 { return &a.Objective }),
		key(spec{Name: "zone", Default: "the root zone", Text: "the zone in which its windows begin and end"},
			asZone, func(a *agreementEntry) *string { return &a.Zone }),
		key(spec{Name: "window", Default: sla.WindowMonth, Text: "the calendar period that the objective is for"},
			oneOf(sla.WindowDay, sla.WindowWeek, sla.WindowMonth, sla.WindowQuarter, sla.WindowYear), func(a *agreementEntry) *string { return &a.Window }),
		key(spec{Name: "calendar", Default: "all the time", Text: "the calendar of agreed service time"},
			at(asText), func(a *agreementEntry) *placed[string] { return &a.Calendar }),
		key(spec{Name: "policy", Default: sla.DefaultPreset, Text: "how each bucket of time counts: the name of a preset, or a mapping"},
			policy(), func(a *agreementEntry) *sla.Policy { return &a.Policy }),
	).starting(func(a *agreementEntry) { a.Window, a.Policy = sla.WindowMonth, defaultPolicy() })
}

var asAgreementName = scalar("text", func(s string) (string, error) {
	if s == sla.EveryAgreement {
		return "", fmt.Errorf("%q asks for all agreements and cannot name one", s)
	}
	return parseText(s)
})

// agreement spells out what was left to its default, so that the configuration
// record in the journal says all that the levels were computed with.
func (a *agreementEntry) agreement(zone string) sla.Agreement {
	return sla.Agreement{
		Name: a.Name.Value, Objective: a.Objective, Zone: cmp.Or(a.Zone, zone),
		Window: a.Window, Calendar: a.Calendar.Value, Policy: a.Policy,
	}
}

// calendarEntry is a calendar as it is written.
type calendarEntry struct {
	Name     placed[string]
	Zone     string
	Hours    []sla.Hours
	Holidays []string
}

func calendarKeys() reader[calendarEntry] {
	return object(
		key(spec{Name: "name", Required: true, Text: "its name, once in the whole configuration"},
			at(asText), func(c *calendarEntry) *placed[string] { return &c.Name }),
		key(spec{Name: "zone", Default: "the root zone", Text: "the zone of its hours and holidays"},
			asZone, func(c *calendarEntry) *string { return &c.Zone }),
		key(spec{Name: "hours", Required: true, Text: "the agreed hours"},
			list(hoursKeys()), func(c *calendarEntry) *[]sla.Hours { return &c.Hours }),
		key(spec{Name: "holidays", Text: "local days without agreed hours, such as 2026-12-25"},
			list(asDate), func(c *calendarEntry) *[]string { return &c.Holidays }),
	)
}

func (c *calendarEntry) calendar() sla.Calendar {
	holidays := slices.Compact(slices.Sorted(slices.Values(c.Holidays)))
	return sla.Calendar{Name: c.Name.Value, Zone: c.Zone, Hours: c.Hours, Holidays: holidays}
}

func hoursKeys() reader[sla.Hours] {
	keys := object(
		key(spec{Name: "weekdays", Required: true, Text: "the days, as Alertmanager writes them: monday, or monday:friday"},
			weekdays(), func(h *sla.Hours) *[]int { return &h.Weekdays }),
		key(spec{Name: "from", Default: "00:00", Text: "local time at which they begin"},
			asClock, func(h *sla.Hours) *int { return &h.From }),
		key(spec{Name: "to", Default: "24:00", Text: "local time at which they end"},
			asClock, func(h *sla.Hours) *int { return &h.To }),
	)
	return keys.starting(func(h *sla.Hours) { h.To = 24 * 60 }).checked(func(h *sla.Hours) error {
		if h.To <= h.From {
			return fmt.Errorf("hours end before they begin; write hours over midnight as two entries")
		}
		return nil
	})
}

// weekdays reads a list of days and ranges of days as the numbers 0 (Sunday) to 6.
func weekdays() reader[[]int] {
	return convert(list(scalar("weekday", parseWeekdays)), func(lists [][]int) []int {
		return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists...))))
	})
}

func parseWeekdays(s string) ([]int, error) {
	first, last, ranged := strings.Cut(s, ":")
	from, okFrom := weekday(first)
	to, okTo := from, okFrom
	if ranged {
		to, okTo = weekday(last)
	}
	if !okFrom || !okTo {
		return nil, fmt.Errorf("%q is not a weekday; one looks like monday, several like monday:friday", s)
	}
	var days []int
	for d := from; ; d = (d + 1) % 7 {
		if days = append(days, d); d == to {
			return days, nil
		}
	}
}

func weekday(name string) (int, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if full := strings.ToLower(d.String()); name == full || name == full[:3] {
			return int(d), true
		}
	}
	return 0, false
}
