package config

import (
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/sla"
)

// catalogueFile is what a file of the catalogue may hold.
type catalogueFile struct {
	Services  []serviceEntry
	Calendars []calendarEntry
}

// serviceEntry is a service as it is written.
type serviceEntry struct {
	Name        placed[string]
	DisplayName string
	Description string
	Owner       string
	Tier        int
	DependsOn   []placed[string]
	Runbook     string
	Matchers    [][]correlate.Match
	Impact      []sla.ImpactRule
	Agreements  []agreementEntry
	Maintenance []maintenanceEntry
}

func catalogueKeys() reader[catalogueFile] {
	return object(
		key(spec{Name: "services", Text: "the services"},
			list(serviceKeys()), func(c *catalogueFile) *[]serviceEntry { return &c.Services }),
		key(spec{Name: "calendars", Text: "calendars of agreed service time, for agreements of any file"},
			list(calendarKeys()), func(c *catalogueFile) *[]calendarEntry { return &c.Calendars }),
	)
}

func serviceKeys() reader[serviceEntry] {
	return object(
		key(spec{Name: "name", Required: true, Text: "the name of the service, once in the whole catalogue; alerts and dependencies call it so"},
			at(asText), func(s *serviceEntry) *placed[string] { return &s.Name }),
		key(spec{Name: "display_name", Text: "its name for people"},
			asText, func(s *serviceEntry) *string { return &s.DisplayName }),
		key(spec{Name: "description", Text: "what it does, in a sentence"},
			asText, func(s *serviceEntry) *string { return &s.Description }),
		key(spec{Name: "owner", Text: "the team that answers for it"},
			asText, func(s *serviceEntry) *string { return &s.Owner }),
		key(spec{Name: "tier", Text: "how important it is, from 1 (most) to 9"},
			asTier, func(s *serviceEntry) *int { return &s.Tier }),
		key(spec{Name: "depends_on", Text: "names of the services that it calls; a name that the catalogue does not know is a warning"},
			list(at(asText)), func(s *serviceEntry) *[]placed[string] { return &s.DependsOn }),
		key(spec{Name: "runbook", Text: "where its runbook is"},
			asText, func(s *serviceEntry) *string { return &s.Runbook }),
		key(spec{Name: "matchers", Default: "its labels, see correlation.service_labels", Text: "which alerts belong to it, in Alertmanager's grammar; the matchers of a list must all match; of several lists, one must"},
			matcherSets(), func(s *serviceEntry) *[][]correlate.Match { return &s.Matchers }),
		key(spec{Name: "impact", Text: "what its alerts mean for its state; these rules are asked before those of levels.impact"},
			list(impactKeys()), func(s *serviceEntry) *[]sla.ImpactRule { return &s.Impact }),
		key(spec{Name: "agreements", Text: "what is promised about it"},
			list(agreementKeys()), func(s *serviceEntry) *[]agreementEntry { return &s.Agreements }),
		key(spec{Name: "maintenance", Text: "its planned maintenance windows"},
			list(maintenanceKeys()), func(s *serviceEntry) *[]maintenanceEntry { return &s.Maintenance }),
	)
}

// maintenanceEntry is a planned window as it is written: its times need a zone,
// which may be the root's and is known only when all files are read.
type maintenanceEntry struct {
	From, To placed[string]
	Zone     string
	Reason   string
}

func maintenanceKeys() reader[maintenanceEntry] {
	return object(
		key(spec{Name: "from", Required: true, Text: "its start, RFC 3339 or local time such as 2026-11-22 02:00"},
			at(asText), func(m *maintenanceEntry) *placed[string] { return &m.From }),
		key(spec{Name: "to", Required: true, Text: "its end, which is not part of it"},
			at(asText), func(m *maintenanceEntry) *placed[string] { return &m.To }),
		key(spec{Name: "zone", Default: "the root zone", Text: "the zone of times without an offset"},
			asZone, func(m *maintenanceEntry) *string { return &m.Zone }),
		key(spec{Name: "reason", Text: "what is done"},
			asText, func(m *maintenanceEntry) *string { return &m.Reason }),
	)
}

// window resolves the times of m in its zone.
func (m *maintenanceEntry) window(zone *time.Location) (sla.Maintenance, Errors) {
	var errs Errors
	instant := func(key string, text placed[string]) time.Time {
		if text.Value == "" {
			return time.Time{} // missing or empty: said when it was read
		}
		t, err := parseInstant(text.Value, zone)
		if err != nil {
			errs = append(errs, Problem{text.At, key + ": " + err.Error()})
		}
		return t
	}
	from, to := instant("from", m.From), instant("to", m.To)
	if len(errs) == 0 && !from.IsZero() && !to.IsZero() && !to.After(from) {
		errs = append(errs, Problem{m.To.At, "to: " + m.To.Value + " is not after from: " + m.From.Value})
	}
	return sla.Maintenance{From: from.UnixMilli(), To: to.UnixMilli(), Reason: m.Reason}, errs
}
