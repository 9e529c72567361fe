package partition

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/sla"
)

// Fold is the state of one partition: records in, rows out. It is deterministic
// and owned by one goroutine.
type Fold struct {
	partition     uint32
	position      uint64        // of the last record
	now           ingest.Millis // fold time: the largest received_at so far
	configuration []byte        // body of the configuration record in force
	incidents     *correlate.Fold
	ledger        *sla.Ledger
}

// NewFold returns the fold of a partition before its first record.
func NewFold(partition uint32) *Fold {
	return &Fold{partition: partition, incidents: correlate.New(partition), ledger: sla.NewLedger()}
}

// Time returns fold time.
func (f *Fold) Time() ingest.Millis { return f.now }

// Position returns the position of the last record that was folded.
func (f *Fold) Position() uint64 { return f.position }

// NextTimer returns when something is due next; false where nothing waits.
func (f *Fold) NextTimer() (ingest.Millis, bool) {
	a, aWaits := f.incidents.NextTimer()
	b, bWaits := f.ledger.NextTimer()
	if !aWaits || bWaits && b < a {
		return b, bWaits
	}
	return a, true
}

// Apply folds one record and returns the rows that it made, in order. When fold
// time advances, every timer that is due fires first, at its due time.
func (f *Fold) Apply(rec ingest.Record) Rows {
	rec.Tenant = cmp.Or(rec.Tenant, ingest.DefaultTenant)
	rec.Source = cmp.Or(rec.Source, ingest.DefaultSource(rec.Path))
	rows := Rows{address: ingest.Address{Partition: f.partition, Position: rec.Position}}
	f.advance(max(f.now, rec.ReceivedAt), &rows)
	switch rec.Kind {
	case ingest.KindConfiguration:
		f.configure(rec, &rows)
	case ingest.KindDelivery, ingest.KindRejected:
		f.deliver(rec, &rows)
	case ingest.KindTick:
	}
	f.flush(&rows)
	f.position = rec.Position
	return rows
}

// advance moves fold time to now and stops at every timer on the way, so that
// what is due has the same rows whether a tick or a delivery brought the time.
func (f *Fold) advance(now ingest.Millis, rows *Rows) {
	for {
		due, waits := f.NextTimer()
		if !waits || due > now {
			break
		}
		f.moveTo(max(due, f.now))
		f.flush(rows)
	}
	f.moveTo(now)
}

func (f *Fold) moveTo(now ingest.Millis) {
	f.now = now
	f.incidents.Advance(now)
	f.ledger.Advance(now)
}

// configure switches to the configuration of the record. One that cannot be used (written by
// another version, say) is a dead letter, and the old one stays.
func (f *Fold) configure(rec ingest.Record, rows *Rows) {
	rows.addDelivery(f.now, rec, wire.Delivery{})
	if f.configuration != nil && Hash(rec.Body) == Hash(f.configuration) {
		return
	}
	if err := f.use(rec); err != nil {
		rows.addDead(f.now, ingest.DeadLetter{
			Tenant: rec.Tenant, Source: rec.Source, ReceivedAt: rec.ReceivedAt,
			Reason: fmt.Sprintf("the configuration is not used: %v", err), Body: rec.Body,
		})
	}
}

func (f *Fold) use(rec ingest.Record) error {
	c, err := ParseConfiguration(rec.Body)
	if err != nil {
		return err
	}
	if err := errors.Join(f.incidents.Configure(c.Correlation), f.ledger.Configure(rec.ReceivedAt, c.Levels)); err != nil {
		return err
	}
	f.configuration = rec.Body
	return nil
}

// deliver folds what the delivery says. What cannot be decoded is a dead letter and
// harms nothing else.
func (f *Fold) deliver(rec ingest.Record, rows *Rows) {
	delivery, err := wire.Read(rec)
	if err != nil {
		delivery.Dead = append(delivery.Dead, wire.DeadLetter(rec, err))
	}
	rows.addDelivery(f.now, rec, delivery)
	for _, dead := range delivery.Dead {
		rows.addDead(f.now, dead)
	}
	for _, event := range delivery.Events {
		rows.addEvent(f.now, event)
		f.incidents.Apply(event)
	}
}

// flush hands what changed in incidents to the ledger and both to the rows.
func (f *Fold) flush(rows *Rows) {
	changed := f.incidents.Flush()
	if len(changed.Episodes) > 0 {
		f.ledger.Apply(changed.Episodes)
	}
	rows.addIncidents(f.now, changed)
	rows.addLevels(f.ledger.Flush())
}
