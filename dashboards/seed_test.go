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
	for _, when := range []moment{"10-30 12:00", "11-03 10:00", "11-09 00:00"} {
		s.deliveries = append(s.deliveries, ingeststore.DeliveryRow{
			Address: s.next(), RecordedAt: when.millis(),
			Record: ingest.Record{Kind: ingest.KindDelivery, Tenant: "default", Source: "am", Path: "/", ReceivedAt: when.millis()},
		})
		s.deliveries[len(s.deliveries)-1].Record.Position = s.position
	}
	for _, when := range []moment{"11-03 12:00", "11-08 00:00"} {
		s.letters = append(s.letters, ingeststore.DeadLetterRow{
			Address: s.next(), RecordedAt: when.millis(), DeadLetter: ingest.DeadLetter{Tenant: "default", ReceivedAt: when.millis(), Reason: "r"},
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

// span is a stretch of time; an empty end has not come.
type span struct{ from, to moment }

// moment is an instant of 2026 as "11-03 10:00", or "" for none.
type moment string

func (m moment) millis() ingest.Millis {
	if m == "" {
		return 0
	}
	return ingest.MillisOf(instant(string(m)))
}

func (s *seeder) next() ingest.Address {
	s.position++
	return ingest.Address{Position: s.position}
}

func (s *seeder) correlation() {
	s.incident("A", span{"10-30 12:00", "11-01 06:00"}, "critical", correlate.IncidentClosed, 1, "cart", "payment")
	s.incident("B", span{"11-03 10:00", "11-03 16:00"}, "warning", correlate.IncidentResolved, 1, "search")
	s.incident("C", span{"11-03 11:00", ""}, "critical", correlate.IncidentOpen, 2, "payment")
	s.incident("D", span{"11-03 11:05", ""}, "critical", correlate.IncidentMerged, 1, "payment")
	s.incident("E", span{"11-08 00:00", ""}, "info", correlate.IncidentOpen, 1, "search")
	s.incident("F", span{"11-03 08:00", "11-03 10:00"}, "page", correlate.IncidentClosed, 1, "cart")
	s.episode("HighErrorRate", "payment", "A", span{"10-30 12:00", "11-01 06:00"}, correlate.Resolved)
	s.episode("DiskWillFill", "search", "B", span{"11-03 10:00", "11-03 16:00"}, correlate.Resolved)
	s.episode("HighErrorRate", "payment", "C", span{"11-03 11:00", ""}, correlate.Firing)
	s.episode("HighErrorRate", "payment", "C", span{"11-03 11:05", "11-03 13:05"}, correlate.Unknown)
	s.episode("DiskWillFill", "search", "E", span{"11-08 00:00", ""}, correlate.Firing)
	s.episode("Timeouts", "cart", "F", span{"11-03 08:00", "11-03 10:00"}, correlate.Resolved)
}

// incident writes an incident as it began and, where it went on, as it is now: the older row
// must not be counted.
func (s *seeder) incident(id string, life span, severity string, state correlate.IncidentState, episodes int, services ...string) {
	i := correlate.Incident{
		Address: s.next(), RecordedAt: life.from.millis(), Tenant: "default", ID: id, State: correlate.IncidentOpen, Title: "title of " + id,
		Severity: severity, OpenedAt: life.from.millis(), Services: services[:1], Episodes: 1, Firing: 1,
	}
	s.incidents = append(s.incidents, i)
	i.Address, i.State, i.ResolvedAt, i.Services, i.Episodes = s.next(), state, life.to.millis(), services, episodes
	if state == correlate.IncidentMerged {
		i.MergedInto = "C"
	}
	s.incidents = append(s.incidents, i)
}

func (s *seeder) episode(name, service, incident string, life span, state correlate.EpisodeState) {
	e := correlate.Episode{
		Address: s.next(), RecordedAt: life.from.millis(), State: correlate.Firing, Service: service, AlertName: name, Incident: "earlier",
		EpisodeKey: correlate.EpisodeKey{Tenant: "default", Source: "am", Fingerprint: name + string(life.from), StartsAt: life.from.millis()},
	}
	s.episodes = append(s.episodes, e)
	e.Address, e.State, e.Incident = s.next(), state, incident
	switch state {
	case correlate.Resolved:
		e.EndsAt = life.to.millis()
	case correlate.Unknown:
		e.UnknownSince = life.to.millis()
	}
	s.episodes = append(s.episodes, e)
}

// levels writes payment's days from 11-01 to 11-09 with an outage that was stated too long at first,
// and three days of search with maintenance.
func (s *seeder) levels() {
	for _, day := range []moment{"11-01", "11-02", "11-04", "11-05", "11-06", "11-07", "11-08", "11-09"} {
		s.segment("payment", "", sla.UpBucket, sla.Up, span{day + " 00:00", nextDay(day)}, 1)
	}
	s.segment("payment", "", sla.UpBucket, sla.Up, span{"11-03 00:00", "11-03 11:00"}, 1)
	s.segment("payment", "", sla.DownBucket, sla.Down, span{"11-03 11:00", "11-03 12:30"}, 1)
	s.segment("payment", "", sla.DownBucket, sla.Down, span{"11-03 11:00", "11-03 12:30"}, -1)
	s.segment("payment", "", sla.DownBucket, sla.Down, span{"11-03 11:00", "11-03 12:00"}, 1)
	s.segment("payment", "", sla.DegradedBucket, sla.Degraded, span{"11-03 12:00", "11-03 12:30"}, 1)
	s.segment("payment", "", sla.UpBucket, sla.Up, span{"11-03 12:30", "11-04 00:00"}, 1)
	s.segment("payment", "gold", sla.DownBucket, sla.Down, span{"11-05 00:00", "11-06 00:00"}, 1)
	s.segment("search", "", sla.UpBucket, sla.Up, span{"11-02 00:00", "11-03 00:00"}, 1)
	s.segment("search", "", sla.UpBucket, sla.Up, span{"11-03 00:00", "11-03 10:00"}, 1)
	s.segment("search", "", sla.MaintenanceBucket, sla.Up, span{"11-03 10:00", "11-03 11:00"}, 1)
	s.segment("search", "", sla.UpBucket, sla.Up, span{"11-03 11:00", "11-04 00:00"}, 1)
	s.segment("search", "", sla.UpBucket, sla.Up, span{"11-04 00:00", "11-05 00:00"}, 1)
	s.row("payment", sla.Down, span{"11-03 11:00", "11-03 12:30"}, 1)
	s.row("payment", sla.Down, span{"11-03 11:00", "11-03 12:30"}, -1)
	s.row("payment", sla.Down, span{"11-03 11:00", "11-03 12:00"}, 1)
	s.row("payment", sla.Covered, span{"11-03 00:00", "11-04 00:00"}, 1)
	s.row("search", sla.Down, span{"11-06 23:40", "11-07 00:00"}, 1)
	s.row("search", sla.Degraded, span{"11-05 00:00", "11-06 00:00"}, 1)
}

func nextDay(day moment) moment {
	return moment(instant(string(day)+" 00:00").AddDate(0, 0, 1).Format("01-02 15:04"))
}

func (s *seeder) segment(service, agreement string, b sla.Bucket, state sla.State, at span, sign int8) {
	s.segments = append(s.segments, sla.SegmentRow{
		Address: s.next(), RecordedAt: at.from.millis(), Tenant: "default", Service: service, Agreement: agreement,
		Bucket: b, State: state, From: at.from.millis(), To: at.to.millis(), Sign: sign,
	})
}

func (s *seeder) row(service string, state sla.State, at span, sign int8) {
	s.ledger = append(s.ledger, sla.LedgerRow{
		Address: s.next(), RecordedAt: at.from.millis(), Tenant: "default", Service: service, State: state, From: at.from.millis(), To: at.to.millis(), Sign: sign,
	})
}
