package store

import "github.com/evenkeel/evenkeel/ingest"

// DeliveryRow is one record of the journal as it arrived, configuration included,
// so that a fold can be made anew from these rows when the journal has
// forgotten them. Ticks are not kept: they carry nothing but time.
type DeliveryRow struct {
	ingest.Address
	ingest.Record               // its Position is the address's
	Alerts        uint32        // alerts seen in it
	Changes       uint32        // changes seen in it
	Others        uint32        // maintenance windows, samples and links seen in it
	Repeats       uint32        // of all of these, alerts and windows that said what they had said before: they have no row
	DeadLetters   uint32        // parts that were not understood
	Truncated     uint32        // alerts that the sender says it left out
	Copy          bool          // another partition has the record, too, and counts it
	RecordedAt    ingest.Millis // fold time
}

// AlertRow is one alert that a delivery said something new of: a row of events. What is only said again is
// counted with its delivery.
type AlertRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	Tenant     string
	Source     string
	ReceivedAt ingest.Millis
	ingest.Alert
}

// ChangeRow is one change as a delivery told it. A change that is told again, when it ends,
// is another row; the newest counts.
type ChangeRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	Tenant     string
	Source     string
	ReceivedAt ingest.Millis
	ingest.Change
}

// DeadLetterRow is one thing that was not understood.
type DeadLetterRow struct {
	ingest.Address
	RecordedAt ingest.Millis
	ingest.DeadLetter
}
