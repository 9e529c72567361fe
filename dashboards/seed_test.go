package dashboards

import (
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// seeder collects rows and gives each an address.
type seeder struct {
	position   uint64
	incidents  []correlate.Incident
	episodes   []correlate.Episode
	ledger     []sla.LedgerRow
	segments   []sla.SegmentRow
	deliveries []ingeststore.DeliveryRow
	letters    []ingeststore.DeadLetterRow
}

// seed writes a small history whose edges lie on the edges of the ranges. The newest delivery came
// on 11-09 00:00; rows of levels reach to the end of that day, as those of an open state do.
func seed(t *testing.T, conn *clickhouse.Conn) {
	t.Helper()
	var s seeder
	s.correlation()
	s.levels()
	for _, when := range []string{"10-30 12:00", "11-03 10:00", "11-09 00:00"} {
		s.deliveries = append(s.deliveries, ingeststore.DeliveryRow{
			Address: s.next(), RecordedAt: at(when),
			Record: ingest.Record{Kind: ingest.KindDelivery, Tenant: "default", Source: "am", Path: "/", ReceivedAt: at(when)},
		})
		s.deliveries[len(s.deliveries)-1].Record.Position = s.position
	}
	for _, when := range []string{"11-03 12:00", "11-08 00:00"} {
		s.letters = append(s.letters, ingeststore.DeadLetterRow{
			Address: s.next(), RecordedAt: at(when), DeadLetter: ingest.DeadLetter{Tenant: "default", ReceivedAt: at(when), Reason: "r"},
		})
	}
	writer, err := clickhouse.NewWriter(conn, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = writer.Insert(t.Context(), clickhouse.Batch{First: 1, Last: s.position, Tables: []clickhouse.TableRows{
		correlatestore.Incidents.Rows(s.incidents), correlatestore.Episodes.Rows(s.episodes),
		slastore.Ledger.Rows(s.ledger), slastore.Segments.Rows(s.segments),
		ingeststore.Deliveries.Rows(s.deliveries), ingeststore.DeadLetters.Rows(s.letters),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
}

func at(text string) ingest.Millis {
	if text == "" {
		return 0
	}
	return ingest.MillisOf(instant(text))
}

func (s *seeder) next() ingest.Address {
	s.position++
	return ingest.Address{Position: s.position}
}

func (s *seeder) correlation() {
	s.incident("A", "10-30 12:00", "11-01 06:00", "critical", correlate.IncidentClosed, 1, "cart", "payment")
	s.incident("B", "11-03 10:00", "11-03 16:00", "warning", correlate.IncidentResolved, 1, "search")
	s.incident("C", "11-03 11:00", "", "critical", correlate.IncidentOpen, 2, "payment")
	s.incident("D", "11-03 11:05", "", "critical", correlate.IncidentMerged, 1, "payment")
	s.incident("E", "11-08 00:00", "", "info", correlate.IncidentOpen, 1, "search")
	s.incident("F", "11-03 08:00", "11-03 10:00", "page", correlate.IncidentClosed, 1, "cart")
	s.episode("HighErrorRate", "payment", "A", "10-30 12:00", "11-01 06:00", correlate.Resolved)
	s.episode("DiskWillFill", "search", "B", "11-03 10:00", "11-03 16:00", correlate.Resolved)
	s.episode("HighErrorRate", "payment", "C", "11-03 11:00", "", correlate.Firing)
	s.episode("HighErrorRate", "payment", "C", "11-03 11:05", "11-03 13:05", correlate.Unknown)
	s.episode("DiskWillFill", "search", "E", "11-08 00:00", "", correlate.Firing)
	s.episode("Timeouts", "cart", "F", "11-03 08:00", "11-03 10:00", correlate.Resolved)
}

// incident writes an incident as it began and, where it went on, as it is now: the older row
// must not be counted.
func (s *seeder) incident(id, opened, resolved, severity string, state correlate.IncidentState, episodes int, services ...string) {
	i := correlate.Incident{
		Address: s.next(), RecordedAt: at(opened), Tenant: "default", ID: id, State: correlate.IncidentOpen, Title: "title of " + id,
		Severity: severity, OpenedAt: at(opened), Services: services[:1], Episodes: 1, Firing: 1,
	}
	s.incidents = append(s.incidents, i)
	i.Address, i.State, i.ResolvedAt, i.Services, i.Episodes = s.next(), state, at(resolved), services, episodes
	if state == correlate.IncidentMerged {
		i.MergedInto = "C"
	}
	s.incidents = append(s.incidents, i)
}

func (s *seeder) episode(name, service, incident, starts, end string, state correlate.EpisodeState) {
	e := correlate.Episode{
		Address: s.next(), RecordedAt: at(starts), State: correlate.Firing, Service: service, AlertName: name, Incident: "earlier",
		EpisodeKey: correlate.EpisodeKey{Tenant: "default", Source: "am", Fingerprint: name + starts, StartsAt: at(starts)},
	}
	s.episodes = append(s.episodes, e)
	e.Address, e.State, e.Incident = s.next(), state, incident
	switch state {
	case correlate.Resolved:
		e.EndsAt = at(end)
	case correlate.Unknown:
		e.UnknownSince = at(end)
	}
	s.episodes = append(s.episodes, e)
}

// levels writes payment's days from 11-01 to 11-09 with an outage that was stated too long at first,
// and three days of search with maintenance.
func (s *seeder) levels() {
	for _, day := range []string{"11-01", "11-02", "11-04", "11-05", "11-06", "11-07", "11-08", "11-09"} {
		s.segment("payment", "", sla.UpBucket, sla.Up, day+" 00:00", nextDay(day), 1)
	}
	s.segment("payment", "", sla.UpBucket, sla.Up, "11-03 00:00", "11-03 11:00", 1)
	s.segment("payment", "", sla.DownBucket, sla.Down, "11-03 11:00", "11-03 12:30", 1)
	s.segment("payment", "", sla.DownBucket, sla.Down, "11-03 11:00", "11-03 12:30", -1)
	s.segment("payment", "", sla.DownBucket, sla.Down, "11-03 11:00", "11-03 12:00", 1)
	s.segment("payment", "", sla.DegradedBucket, sla.Degraded, "11-03 12:00", "11-03 12:30", 1)
	s.segment("payment", "", sla.UpBucket, sla.Up, "11-03 12:30", "11-04 00:00", 1)
	s.segment("payment", "gold", sla.DownBucket, sla.Down, "11-05 00:00", "11-06 00:00", 1)
	s.segment("search", "", sla.UpBucket, sla.Up, "11-02 00:00", "11-03 00:00", 1)
	s.segment("search", "", sla.UpBucket, sla.Up, "11-03 00:00", "11-03 10:00", 1)
	s.segment("search", "", sla.MaintenanceBucket, sla.Up, "11-03 10:00", "11-03 11:00", 1)
	s.segment("search", "", sla.UpBucket, sla.Up, "11-03 11:00", "11-04 00:00", 1)
	s.segment("search", "", sla.UpBucket, sla.Up, "11-04 00:00", "11-05 00:00", 1)
	s.row("payment", sla.Down, "11-03 11:00", "11-03 12:30", 1)
	s.row("payment", sla.Down, "11-03 11:00", "11-03 12:30", -1)
	s.row("payment", sla.Down, "11-03 11:00", "11-03 12:00", 1)
	s.row("payment", sla.Covered, "11-03 00:00", "11-04 00:00", 1)
	s.row("search", sla.Down, "11-06 23:40", "11-07 00:00", 1)
	s.row("search", sla.Degraded, "11-05 00:00", "11-06 00:00", 1)
}

func nextDay(day string) string { return instant(day+" 00:00").AddDate(0, 0, 1).Format("01-02 15:04") }

func (s *seeder) segment(service, agreement string, b sla.Bucket, state sla.State, from, to string, sign int8) {
	s.segments = append(s.segments, sla.SegmentRow{
		Address: s.next(), RecordedAt: at(from), Tenant: "default", Service: service, Agreement: agreement,
		Bucket: b, State: state, From: at(from), To: at(to), Sign: sign,
	})
}

func (s *seeder) row(service string, state sla.State, from, to string, sign int8) {
	s.ledger = append(s.ledger, sla.LedgerRow{
		Address: s.next(), RecordedAt: at(from), Tenant: "default", Service: service, State: state, From: at(from), To: at(to), Sign: sign,
	})
}
