package partition

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

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
	hash          string        // of it
	decoder       *wire.Decoder // by that configuration
	incidents     *correlate.Fold
	ledger        *sla.Ledger
	skips         Skips
	origins       origins // of what streams delivered lately

	step  step                // what is done with the record at hand
	fault func(ingest.Record) // of tests: fails where a mistake of ours would
}

// step says how far a record is: what a panic tells of its cause.
type step uint8

const (
	stepTime   step = iota // timers fire: the record only brought the time
	stepRecord             // what the record says is folded
)

// NewFold returns the fold of a partition before its first record, which leaves out
// what the records at skips say. The partition is the journal's only one, whatever its number.
func NewFold(partition uint32, skips ...Skip) *Fold {
	return newFold(partition, sla.Share{}, skips...)
}

// NewFoldOf is NewFold for one of several partitions.
func NewFoldOf(share sla.Share, skips ...Skip) *Fold { return newFold(share.Index, share, skips...) }

func newFold(partition uint32, share sla.Share, skips ...Skip) *Fold {
	incidents := correlate.New(partition)
	if share.Of > 1 {
		incidents = correlate.NewShared(partition)
	}
	f := &Fold{partition: partition, incidents: incidents, ledger: sla.NewSharedLedger(share), skips: skips, origins: origins{}}
	if err := f.decodeBy(wire.Config{}); err != nil {
		panic(err) // the empty configuration has nothing that could be wrong
	}
	return f
}

// Time returns fold time.
func (f *Fold) Time() ingest.Millis { return f.now }

// Position returns the position of the last record that was folded.
func (f *Fold) Position() uint64 { return f.position }

// Configuration returns the hash of the configuration in force, "" before the first.
func (f *Fold) Configuration() string { return f.hash }

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
	rec.ReceivedAt = max(f.now, rec.ReceivedAt) // the clocks of replicas differ, and time does not go back
	f.step = stepTime
	f.advance(rec.ReceivedAt, &rows)
	f.step = stepRecord
	if reason, skipped := f.skips.at(rec.Position); skipped {
		f.skip(rec, reason, &rows)
	} else {
		f.apply(rec, &rows)
	}
	f.flush(&rows)
	f.position = rec.Position
	return rows
}

func (f *Fold) apply(rec ingest.Record, rows *Rows) {
	switch rec.Kind {
	case ingest.KindConfiguration:
		f.configure(rec, rows)
	case ingest.KindDelivery, ingest.KindRejected:
		if !f.origins.seen(rec) { // a record that a stream delivered again is a copy, byte for byte
			f.deliver(rec, rows)
		}
	case ingest.KindTick:
	}
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
// another version, say) is a dead letter, and the old one stays, whole.
func (f *Fold) configure(rec ingest.Record, rows *Rows) {
	if bytes.Equal(rec.Body, f.configuration) {
		rows.addDelivery(f.now, rec, ingest.Decoded{})
		return
	}
	var refused ingest.Decoded
	if err := f.use(rec); err != nil {
		refused.Dead = []ingest.DeadLetter{wire.DeadLetter(rec, fmt.Errorf("the configuration is not used: %w", err))}
	}
	rows.addDelivery(f.now, rec, refused)
	rows.addDead(f.now, refused.Dead...)
}

// use puts the configuration of the record in force, or changes nothing. Everything is checked
// before the first part changes.
func (f *Fold) use(rec ingest.Record) error {
	c, err := ParseConfiguration(rec.Body)
	if err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	if err := f.ledger.Configure(rec.ReceivedAt, c.Levels); err != nil { // an error changes nothing
		return err
	}
	if err := f.incidents.Configure(c.Correlation); err != nil {
		panic(err) // it was checked
	}
	f.configuration, f.hash = rec.Body, Hash(rec.Body)
	return f.decodeBy(c.Decoding)
}

func (f *Fold) decodeBy(c wire.Config) (err error) {
	f.decoder, err = wire.New(c)
	return err
}

// deliver folds what the delivery says, of a copy only what this partition is to fold. What
// cannot be decoded is a dead letter and harms nothing else.
func (f *Fold) deliver(rec ingest.Record, rows *Rows) {
	delivery, err := f.decode(rec)
	if err != nil {
		delivery.Dead = append(delivery.Dead, wire.DeadLetter(rec, err))
	}
	if rec.Source == "" {
		if of := delivery.Sources(); len(of) == 1 {
			rec.Source = of[0] // it reads the same with this name, and is counted under it
		}
	}
	f.share(rec.Route, &delivery)
	taken, repeats := delivery.Events[:0], uint32(0)
	for _, event := range delivery.Events {
		_, everywhere := ingest.DomainOf(event, "")
		counted := !everywhere || rec.Route.Counts(f.partition)
		came := f.fold(event)
		if came.Refused != "" {
			if counted {
				delivery.Dead = append(delivery.Dead, wire.Refused(rec, event, came.Refused))
			}
			continue
		}
		if f.fault != nil {
			f.fault(rec)
		}
		switch {
		case !counted:
		case came.Repeats:
			repeats++
		default:
			rows.addEvent(f.now, event)
		}
		taken = append(taken, event)
	}
	delivery.Events = taken
	rows.addDelivery(f.now, rec, delivery).Repeats = repeats
	rows.addDead(f.now, delivery.Dead...)
}

// fold folds one event.
func (f *Fold) fold(e ingest.Event) correlate.Outcome {
	came := f.incidents.Apply(e)
	if e.Maintenance != nil && came.Refused == "" {
		news, refused := f.ledger.Maintain(e)
		return correlate.Outcome{Refused: refused, Repeats: !news && refused == ""}
	}
	return came
}

// share leaves of a delivery what this partition folds and counts.
func (f *Fold) share(route *ingest.Route, d *ingest.Decoded) {
	if route == nil {
		return
	}
	d.Events = slices.DeleteFunc(d.Events, func(e ingest.Event) bool { return !route.Folds(f.partition, e) })
	if !route.Counts(f.partition) {
		d.Dead, d.Truncated = nil, 0
	}
}

// decode decodes the record. Decoding touches no state, so a mistake of ours that shows as a
// panic hurts this record alone, every time it is folded.
func (f *Fold) decode(rec ingest.Record) (delivery ingest.Decoded, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			delivery, err = ingest.Decoded{}, fmt.Errorf("decoding it failed inside Evenkeel: %v", cause)
		}
	}()
	return f.decoder.Read(rec)
}

// skip keeps a record and leaves out what it says.
func (f *Fold) skip(rec ingest.Record, reason string, rows *Rows) {
	dead := wire.DeadLetter(rec, fmt.Errorf("folding it failed inside Evenkeel: %s", reason))
	rows.addDelivery(f.now, rec, ingest.Decoded{Dead: []ingest.DeadLetter{dead}})
	rows.addDead(f.now, dead)
}

// flush hands what changed in incidents to the ledger and both to the rows.
func (f *Fold) flush(rows *Rows) {
	changed := f.incidents.Flush()
	if len(changed.Episodes) > 0 {
		f.ledger.Apply(changed.Episodes)
	}
	f.ledger.Silence(changed.Silences)
	rows.addIncidents(f.now, changed)
	rows.addLevels(f.ledger.Flush())
}
