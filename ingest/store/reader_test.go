package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const day = 1790000000000 // some instant in September 2026

// rows are what a small history left, in order of positions.
type rows struct {
	deliveries []store.DeliveryRow
	events     []store.AlertRow
	changes    []store.ChangeRow
	dead       []store.DeadLetterRow
	samples    []store.SampleRow
	links      []store.LinkRow
	windows    []store.MaintenanceRow
}

// written puts rows into a database of its own and returns a reader of it.
func written(t *testing.T, r rows) *store.Reader {
	t.Helper()
	return store.NewReader(write(t, r))
}

// write puts rows into a database of its own.
func write(t *testing.T, r rows) *clickhouse.Conn {
	t.Helper()
	db := rig.ClickHouse(t)
	writer, err := clickhouse.NewWriter(db, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = writer.Insert(t.Context(), clickhouse.Batch{Partition: 3, First: 1, Last: 100, Tables: []clickhouse.TableRows{
		store.Deliveries.Rows(r.deliveries), store.Events.Rows(r.events),
		store.Changes.Rows(r.changes), store.DeadLetters.Rows(r.dead),
		store.Samples.Rows(r.samples), store.Links.Rows(r.links), store.Maintenance.Rows(r.windows),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func address(position uint64, ordinal uint32) ingest.Address {
	return ingest.Address{Partition: 3, Position: position, Ordinal: ordinal}
}

func equal(t *testing.T, got, want any, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func delivery(position uint64, kind ingest.RecordKind, at ingest.Millis, body string) store.DeliveryRow {
	return store.DeliveryRow{Address: address(position, 0), RecordedAt: at, Record: ingest.Record{
		Position: position, ReceivedAt: at, Kind: kind, Tenant: "default", Source: "alertmanager", Path: ingest.PathAlertmanager, Body: []byte(body),
	}}
}

func TestRecordsComeBackAsTheJournalHadThem(t *testing.T) {
	binary := "\x00\xff\t\\n'{\""
	rejected := delivery(4, ingest.KindRejected, day+2, binary)
	rejected.Reason = "line 1, column 1 (byte 0): 'x'"
	all := []store.DeliveryRow{
		delivery(1, ingest.KindConfiguration, day, `{"services":[]}`),
		delivery(2, ingest.KindDelivery, day+1, `{"version":"4","alerts":[]}`), rejected,
	}
	all[1].Origin = &ingest.Origin{Stream: "s", Topic: "t", Partition: 7, Offset: 1 << 40, At: day - 3}
	reader := written(t, rows{deliveries: all})
	got, err := reader.Records(t.Context(), 3, 1, 5)
	equal(t, got, []ingest.Record{all[0].Record, all[1].Record, all[2].Record}, err)
	got, err = reader.Records(t.Context(), 3, 2, 3)
	equal(t, got, []ingest.Record{all[1].Record}, err)
	got, err = reader.Records(t.Context(), 4, 1, 5)
	equal(t, got, []ingest.Record(nil), err)
}

func TestHistoryBeginsWithTheFirstDelivery(t *testing.T) {
	reader := written(t, rows{deliveries: []store.DeliveryRow{
		delivery(1, ingest.KindConfiguration, day, `{}`),
		delivery(2, ingest.KindDelivery, day+5, `{}`),
		delivery(3, ingest.KindDelivery, day+6, `{}`),
	}})
	for _, test := range []struct {
		tenant     string
		asOf, want ingest.Millis
	}{{"", day + 9, day + 5}, {"default", day + 4, 0}, {"another", day + 9, 0}} {
		got, err := reader.HistoryFrom(t.Context(), test.tenant, test.asOf)
		equal(t, got, test.want, err)
	}
}

func TestAChangeThatIsToldAgainCountsAsToldLast(t *testing.T) {
	row := func(position uint64, recorded ingest.Millis, c ingest.Change) store.ChangeRow {
		return store.ChangeRow{Address: address(position, 0), RecordedAt: recorded, Tenant: "default", Source: "ci", ReceivedAt: recorded, Change: c}
	}
	running := ingest.Change{ID: "d-1", Kind: "deployment", Service: "cart", StartedAt: day}
	ended := running
	ended.FinishedAt, ended.Outcome, ended.Version, ended.Author, ended.Title, ended.URL = day+10, "failed", "v2", "ann", "it's\t", "https://x"
	other := ingest.Change{ID: "d-2", Kind: "configuration", Service: "db", StartedAt: day + 5, FinishedAt: day + 5}
	moved := ingest.Change{ID: "d-3", Kind: "maintenance", Service: "db", StartedAt: day + 6, FinishedAt: day + 7}
	later := moved
	later.StartedAt, later.FinishedAt = day+1000, day+1001
	reader := written(t, rows{changes: []store.ChangeRow{
		row(1, day, running), row(2, day+5, other), row(3, day+6, moved), row(4, day+10, ended), row(5, day+20, later),
	}})
	for _, test := range []struct {
		name string
		q    store.ArrivalsQuery
		want []ingest.Change
	}{
		{"at the end", store.ArrivalsQuery{From: day, To: day + 100, AsOf: day + 100}, []ingest.Change{other, ended}},
		{"while it ran", store.ArrivalsQuery{From: day, To: day + 100, AsOf: day + 9}, []ingest.Change{moved, other, running}},
		{"in a window that it reaches into", store.ArrivalsQuery{From: day + 9, To: day + 100, AsOf: day + 100}, []ingest.Change{ended}},
		{"in a window after its end", store.ArrivalsQuery{From: day + 10, To: day + 100, AsOf: day + 100}, nil},
		{"in a window after its start, running", store.ArrivalsQuery{From: day + 50, To: day + 100, AsOf: day + 5}, []ingest.Change{running}},
		{"of one service", store.ArrivalsQuery{Service: "db", From: day, To: day + 2000, AsOf: day + 100}, []ingest.Change{later, other}},
		{"the newest only", store.ArrivalsQuery{From: day, To: day + 2000, AsOf: day + 100, Limit: 1}, []ingest.Change{later}},
		{"of another tenant", store.ArrivalsQuery{Tenant: "x", From: day, To: day + 100, AsOf: day + 100}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := reader.Changes(t.Context(), test.q)
			equal(t, got, test.want, err)
		})
	}
}

func TestDeadLettersComeNewestFirst(t *testing.T) {
	letter := func(position uint64, ordinal uint32, at ingest.Millis, reason string) store.DeadLetterRow {
		return store.DeadLetterRow{Address: address(position, ordinal), RecordedAt: at, DeadLetter: ingest.DeadLetter{
			Tenant: "default", Source: "s", Path: "/p", ReceivedAt: at, Reason: reason, Body: []byte("\xff" + reason),
		}}
	}
	all := []store.DeadLetterRow{letter(1, 0, day, "a"), letter(2, 0, day+1, "b"), letter(2, 1, day+1, "c"), letter(3, 0, day+5, "d")}
	reader := written(t, rows{dead: all})
	got, err := reader.DeadLetters(t.Context(), store.ArrivalsQuery{From: day, To: day + 5, AsOf: day + 9})
	equal(t, got, []ingest.DeadLetter{all[2].DeadLetter, all[1].DeadLetter, all[0].DeadLetter}, err)
	got, err = reader.DeadLetters(t.Context(), store.ArrivalsQuery{From: day, To: day + 9, AsOf: day + 9, Limit: 1})
	equal(t, got, []ingest.DeadLetter{all[3].DeadLetter}, err)
	got, err = reader.DeadLetters(t.Context(), store.ArrivalsQuery{From: day, To: day + 9, AsOf: day})
	equal(t, got, []ingest.DeadLetter{all[0].DeadLetter}, err)
}

func TestIntakeCountsBySource(t *testing.T) {
	am := []store.DeliveryRow{
		delivery(1, ingest.KindConfiguration, day, `{}`), delivery(2, ingest.KindDelivery, day+1, `{}`),
		delivery(3, ingest.KindDelivery, day+2, `{}`), delivery(4, ingest.KindRejected, day+3, `x`), delivery(6, ingest.KindDelivery, day+50, `{}`),
	}
	am[1].Alerts, am[2].Alerts, am[2].DeadLetters, am[3].DeadLetters, am[4].Alerts = 1, 2, 1, 1, 1
	am[2].Repeats, am[4].Repeats = 1, 1
	ci := delivery(5, ingest.KindDelivery, day+4, `[]`)
	ci.Source, ci.Path, ci.Changes = "ci", ingest.PathChanges, 2
	progress := delivery(7, ingest.KindDelivery, day+5, `{}`)
	progress.Source, progress.Path, progress.Others = "ci", ingest.PathProgress, 1
	reader := written(t, rows{deliveries: append(am, ci, progress)})
	got, err := reader.Intake(t.Context(), store.ArrivalsQuery{From: day, To: day + 50, AsOf: day + 99})
	equal(t, got, []store.Intake{
		{Source: "alertmanager", Deliveries: 2, Rejected: 1, Events: 3, Copies: 1, DeadLetters: 2, First: day + 1, Last: day + 3},
		{Source: "ci", Deliveries: 1, Events: 2, First: day + 4, Last: day + 4},
	}, err)
	got, err = reader.Intake(t.Context(), store.ArrivalsQuery{Tenant: "another", From: day, To: day + 50, AsOf: day + 99})
	equal(t, got, []store.Intake(nil), err)
}

func TestQueriesThatCannotBeMeant(t *testing.T) {
	reader := store.NewReader(nil) // nothing is asked of it
	for _, q := range []store.ArrivalsQuery{{From: 5, To: 5, AsOf: 1}, {From: 1, To: 5}, {From: 1, To: 5, AsOf: 1, Limit: -1}} {
		if _, err := reader.Changes(t.Context(), q); err == nil {
			t.Errorf("changes: no error for %+v", q)
		}
		if _, err := reader.DeadLetters(t.Context(), q); err == nil {
			t.Errorf("dead letters: no error for %+v", q)
		}
		if _, err := reader.Intake(t.Context(), q); err == nil {
			t.Errorf("intake: no error for %+v", q)
		}
	}
}
