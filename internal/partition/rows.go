package partition

import (
	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// Rows are what records made, table by table, in order. Each row has the address of its
// record, and a number among the rows that this record added to its table.
type Rows struct {
	Deliveries  []ingeststore.DeliveryRow
	Events      []ingeststore.AlertRow
	Changes     []ingeststore.ChangeRow
	DeadLetters []ingeststore.DeadLetterRow
	Samples     []ingeststore.SampleRow
	Links       []ingeststore.LinkRow
	Maintenance []ingeststore.MaintenanceRow
	Episodes    []correlate.Episode
	Transitions []correlate.Transition
	Incidents   []correlate.Incident
	Ledger      []sla.LedgerRow
	Segments    []sla.SegmentRow

	address ingest.Address // of the record that rows are made of
	texts   int            // bytes of bodies and labels, about
}

// rowBytes is about what a row takes beside its texts.
const rowBytes = 512

// Bytes is about how much memory the rows take.
func (r *Rows) Bytes() int { return r.texts + r.Len()*rowBytes }

// tables gives the rows with the declarations of their tables.
func (r *Rows) tables() []clickhouse.TableRows {
	return []clickhouse.TableRows{
		ingeststore.Deliveries.Rows(r.Deliveries),
		ingeststore.Events.Rows(r.Events),
		ingeststore.Changes.Rows(r.Changes),
		ingeststore.DeadLetters.Rows(r.DeadLetters),
		ingeststore.Samples.Rows(r.Samples),
		ingeststore.Links.Rows(r.Links),
		ingeststore.Maintenance.Rows(r.Maintenance),
		correlatestore.Episodes.Rows(r.Episodes),
		correlatestore.Transitions.Rows(r.Transitions),
		correlatestore.Incidents.Rows(r.Incidents),
		slastore.Ledger.Rows(r.Ledger),
		slastore.Segments.Rows(r.Segments),
	}
}

// Len is how many rows there are in all tables together.
func (r *Rows) Len() int {
	return len(r.Deliveries) + len(r.Events) + len(r.Changes) + len(r.DeadLetters) +
		len(r.Samples) + len(r.Links) + len(r.Maintenance) +
		len(r.Episodes) + len(r.Transitions) + len(r.Incidents) + len(r.Ledger) + len(r.Segments)
}

// Append adds the rows of a later record.
func (r *Rows) Append(later Rows) {
	r.Deliveries = append(r.Deliveries, later.Deliveries...)
	r.Events = append(r.Events, later.Events...)
	r.Changes = append(r.Changes, later.Changes...)
	r.DeadLetters = append(r.DeadLetters, later.DeadLetters...)
	r.Samples = append(r.Samples, later.Samples...)
	r.Links = append(r.Links, later.Links...)
	r.Maintenance = append(r.Maintenance, later.Maintenance...)
	r.Episodes = append(r.Episodes, later.Episodes...)
	r.Transitions = append(r.Transitions, later.Transitions...)
	r.Incidents = append(r.Incidents, later.Incidents...)
	r.Ledger = append(r.Ledger, later.Ledger...)
	r.Segments = append(r.Segments, later.Segments...)
	r.texts += later.texts
}

// emptied returns no rows, in the memory of r as far as that was needed: nobody else may look at r any more.
func (r *Rows) emptied() Rows {
	return Rows{
		Deliveries:  emptied(r.Deliveries),
		Events:      emptied(r.Events),
		Changes:     emptied(r.Changes),
		DeadLetters: emptied(r.DeadLetters),
		Samples:     emptied(r.Samples),
		Links:       emptied(r.Links),
		Maintenance: emptied(r.Maintenance),
		Episodes:    emptied(r.Episodes),
		Transitions: emptied(r.Transitions),
		Incidents:   emptied(r.Incidents),
		Ledger:      emptied(r.Ledger),
		Segments:    emptied(r.Segments),
	}
}

// emptied returns the memory of rows, or none where most of it was not used: so after a flood it is given back.
func emptied[R any](rows []R) []R {
	if len(rows) < cap(rows)/4 {
		return nil
	}
	clear(rows)
	return rows[:0]
}

// at returns the address of a record's n-th row in a table.
func (r *Rows) at(n int) ingest.Address {
	address := r.address
	address.Ordinal = uint32(n)
	return address
}

func (r *Rows) addDelivery(now ingest.Millis, rec ingest.Record, d ingest.Decoded) *ingeststore.DeliveryRow {
	row := ingeststore.DeliveryRow{
		Address: r.at(len(r.Deliveries)), Record: rec, RecordedAt: now,
		DeadLetters: uint32(len(d.Dead)), Truncated: uint32(d.Truncated), Copy: !rec.Route.Counts(r.address.Partition),
	}
	for _, e := range d.Events {
		_, everywhere := ingest.DomainOf(e, "")
		switch {
		case everywhere && row.Copy: // counted once, as its rows are
		case e.Alert != nil:
			row.Alerts++
		case e.Change != nil:
			row.Changes++
		default:
			row.Others++
		}
	}
	r.Deliveries = append(r.Deliveries, row)
	r.texts += 2 * len(rec.Body) // itself, and what is cut out of it for events
	return &r.Deliveries[len(r.Deliveries)-1]
}

func (r *Rows) addEvent(now ingest.Millis, e ingest.Event) {
	switch {
	case e.Alert != nil:
		r.Events = append(r.Events, ingeststore.AlertRow{
			Address: r.at(len(r.Events)), RecordedAt: now,
			Tenant: e.Tenant, Source: e.Source, ReceivedAt: e.ReceivedAt, Alert: *e.Alert,
		})
	case e.Change != nil:
		r.Changes = append(r.Changes, ingeststore.ChangeRow{
			Address: r.at(len(r.Changes)), RecordedAt: now,
			Tenant: e.Tenant, Source: e.Source, ReceivedAt: e.ReceivedAt, Change: *e.Change,
		})
	case e.Sample != nil:
		r.Samples = append(r.Samples, ingeststore.SampleRow{
			Address: r.at(len(r.Samples)), RecordedAt: now,
			Tenant: e.Tenant, Source: e.Source, ReceivedAt: e.ReceivedAt, Sample: *e.Sample,
		})
	case e.Link != nil:
		r.Links = append(r.Links, ingeststore.LinkRow{
			Address: r.at(len(r.Links)), RecordedAt: now,
			Tenant: e.Tenant, Source: e.Source, ReceivedAt: e.ReceivedAt, Link: *e.Link,
		})
	case e.Maintenance != nil:
		r.Maintenance = append(r.Maintenance, ingeststore.MaintenanceRow{
			Address: r.at(len(r.Maintenance)), RecordedAt: now,
			Tenant: e.Tenant, Source: e.Source, ReceivedAt: e.ReceivedAt, Maintenance: *e.Maintenance,
		})
	}
}

func (r *Rows) addDead(now ingest.Millis, dead ...ingest.DeadLetter) {
	for _, d := range dead {
		r.DeadLetters = append(r.DeadLetters, ingeststore.DeadLetterRow{
			Address: r.at(len(r.DeadLetters)), RecordedAt: now, DeadLetter: d,
		})
	}
}

func (r *Rows) addIncidents(now ingest.Millis, changed correlate.Output) {
	episodes, transitions, incidents := len(r.Episodes), len(r.Transitions), len(r.Incidents)
	r.Episodes = append(r.Episodes, changed.Episodes...)
	r.Transitions = append(r.Transitions, changed.Transitions...)
	r.Incidents = append(r.Incidents, changed.Incidents...)
	for n := episodes; n < len(r.Episodes); n++ {
		r.Episodes[n].Address, r.Episodes[n].RecordedAt = r.at(n), now
	}
	for n := transitions; n < len(r.Transitions); n++ {
		r.Transitions[n].Address, r.Transitions[n].RecordedAt = r.at(n), now
	}
	for n := incidents; n < len(r.Incidents); n++ {
		r.Incidents[n].Address, r.Incidents[n].RecordedAt = r.at(n), now
	}
}

// addLevels adds the ledger's rows, which carry their recorded_at already.
func (r *Rows) addLevels(changed sla.Output) {
	for _, l := range changed.Ledger {
		l.Address = r.at(len(r.Ledger))
		r.Ledger = append(r.Ledger, l)
	}
	for _, s := range changed.Segments {
		s.Address = r.at(len(r.Segments))
		r.Segments = append(r.Segments, s)
	}
}
