package wire

import "github.com/evenkeel/evenkeel/ingest"

// present says which of the fields that an event cannot do without are missing.
func (r *reading) present(fields ...sent) {
	for _, f := range fields {
		if f.value == "" {
			r.wrong(place{field: f.name}, "missing")
		}
	}
}

// checkChange says what of a change makes no sense.
func (r *reading) checkChange(c *ingest.Change) {
	if c.Kind == "" {
		c.Kind = DefaultChangeKind
	}
	r.present(sent{"id", c.ID}, sent{"service", c.Service}, sent{"started_at", c.StartedAt.String()})
	r.config.limits.allowTexts(r,
		[]sent{{"id", c.ID}, {"kind", c.Kind}, {"service", c.Service}, {"outcome", c.Outcome}},
		[]sent{{"version", c.Version}, {"author", c.Author}, {"title", c.Title}, {"url", c.URL}})
	if c.FinishedAt != 0 && c.FinishedAt < c.StartedAt {
		r.wrong(place{field: "finished_at"}, "%s lies before started_at", c.FinishedAt)
	}
}

// checkMaintenance says what of a window makes no sense.
func (r *reading) checkMaintenance(m *ingest.Maintenance) {
	r.present(sent{"id", m.ID}, sent{"service", m.Service}, sent{"from", m.From.String()}, sent{"to", m.To.String()})
	r.config.limits.allowTexts(r, []sent{{"id", m.ID}, {"service", m.Service}},
		[]sent{{"reason", m.Reason}, {"author", m.Author}, {"url", m.URL}})
	if m.To <= m.From {
		r.wrong(place{field: "to"}, "%s does not lie after from", m.To)
	}
}

// checkSample says what of a sample makes no sense.
func (r *reading) checkSample(s *ingest.Sample) {
	if s.SLI == "" {
		s.SLI = DefaultSLI
	}
	r.present(sent{"service", s.Service}, sent{"at", s.At.String()})
	r.config.limits.allowTexts(r, []sent{{"service", s.Service}, {"sli", s.SLI}}, nil)
	if s.Good > s.Total {
		r.wrong(place{field: "good"}, "%s is more than the total of %s", s.Good, s.Total)
	}
}
