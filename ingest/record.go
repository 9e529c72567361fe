package ingest

import "fmt"

// DefaultTenant is the tenant of whoever names none.
const DefaultTenant = "default"

// RecordKind says what a journal record holds.
type RecordKind uint8

// The kinds of records. Their numbers are written to disk and never change.
const (
	// KindDelivery is what arrived in one request, as it arrived.
	KindDelivery RecordKind = 1
	// KindConfiguration is the configuration that the fold uses from here on.
	KindConfiguration RecordKind = 2
	// KindTick only carries time: a timer was due and no delivery came.
	KindTick RecordKind = 3
	// KindRejected is a delivery that could not be decoded at all and was
	// refused with 400: Reason says why, Body is its first 64 KiB.
	KindRejected RecordKind = 4
)

// String returns the kind's name as it stands in JSON and SQL.
func (k RecordKind) String() string {
	switch k {
	case KindDelivery:
		return "delivery"
	case KindConfiguration:
		return "configuration"
	case KindTick:
		return "tick"
	case KindRejected:
		return "rejected"
	}
	return "unknown"
}

// ParseRecordKind is the inverse of String.
func ParseRecordKind(name string) (RecordKind, error) {
	for _, k := range []RecordKind{KindDelivery, KindConfiguration, KindTick, KindRejected} {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%q is not a kind of record", name)
}

// Record is one entry of the journal. A journal is a sequence of records with
// consecutive positions from 1 and a ReceivedAt that never goes back.
type Record struct {
	Position   uint64     // given by the journal
	ReceivedAt Millis     // given by the journal where it is 0
	Kind       RecordKind //
	Tenant     string     // "" means DefaultTenant
	Source     string     // name of the sending system; copies of one alert share it. "": each event has the default of its kind
	Path       string     // the URL path that it was posted to; tells the format
	Reason     string     // KindRejected only
	Body       []byte     // decompressed bytes as sent; for KindConfiguration its JSON
	Route      *Route     // which of its events this copy is for; nil: all of them
	Origin     *Origin    // where in a stream it came from; nil: from elsewhere
	Reading    *Reading   // what Body was decoded to ahead of time; nil where that was not done, or is not kept
}

// Address is where a row comes from: the record that made it, and its number
// among the rows that this record added to the same table. Every row in
// ClickHouse has one, and no two rows of a table have the same.
type Address struct {
	Partition uint32 `json:"partition"`
	Position  uint64 `json:"position"`
	Ordinal   uint32 `json:"ordinal"`
}

// Version orders the rows of one partition by age: position, then ordinal.
// It allows 2^24 rows a record in one table.
func (a Address) Version() uint64 { return a.Position<<24 | uint64(a.Ordinal) }
