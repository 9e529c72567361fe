package sla

import "github.com/evenkeel/evenkeel/ingest"

// State is what a service is in, as far as episodes and coverage tell.
type State string

// The states of a service. Covered is the ledger's row for time that was watched:
// up is the covered time without another state.
const (
	Up       State = "up"
	Degraded State = "degraded"
	Down     State = "down"
	Unknown  State = "unknown"
	Covered  State = "covered"
)

// Bucket is where one moment of a window belongs. The first that applies wins, in this order.
type Bucket string

// The seven buckets; their sum is the window.
const (
	NotYetBucket      Bucket = "not_yet"
	OutOfHoursBucket  Bucket = "out_of_hours"
	MaintenanceBucket Bucket = "maintenance"
	UnknownBucket     Bucket = "unknown"
	DownBucket        Bucket = "down"
	DegradedBucket    Bucket = "degraded"
	UpBucket          Bucket = "up"
)

// LedgerRow is one signed, dated segment of service_ledger: per service, in UTC,
// independent of agreements, split at UTC midnight. Sign -1 takes back an equal
// row that was written before.
type LedgerRow struct {
	ingest.Address
	RecordedAt ingest.Millis `json:"recorded_at"`
	Tenant     string        `json:"tenant"`
	Service    string        `json:"service"`
	State      State         `json:"state"` // covered, down, degraded or unknown
	From       ingest.Millis `json:"from"`
	To         ingest.Millis `json:"to"`
	Sign       int8          `json:"sign"`
}

// SegmentRow is one signed, dated segment of sla_segments: per agreement (""
// is the service without one: always in hours, root zone), split at the midnight
// of its zone. Together the rows of a day cover it without overlap. State is what
// lies under the bucket, so that a policy may count maintenance by it.
type SegmentRow struct {
	ingest.Address
	RecordedAt ingest.Millis `json:"recorded_at"`
	Tenant     string        `json:"tenant"`
	Service    string        `json:"service"`
	Agreement  string        `json:"agreement"`
	Bucket     Bucket        `json:"bucket"`
	State      State         `json:"state"` // up, degraded, down or unknown
	From       ingest.Millis `json:"from"`
	To         ingest.Millis `json:"to"`
	Sign       int8          `json:"sign"`
}

// Output is what a record changed, without addresses.
type Output struct {
	Ledger   []LedgerRow
	Segments []SegmentRow
}

// Segment is a stretch of time in which one service was in one bucket and state
// under one agreement, as it was known at a time: what is left of the signed
// rows, clipped to the window asked for and joined across midnights.
type Segment struct {
	Tenant    string        `json:"tenant"`
	Service   string        `json:"service"`
	Agreement string        `json:"agreement"`
	Bucket    Bucket        `json:"bucket"`
	State     State         `json:"state"`
	From      ingest.Millis `json:"from"`
	To        ingest.Millis `json:"to"`
	// Open says that it reaches the instant it is known at: an outage that runs.
	Open bool `json:"open"`
	// StatedAt is when the newest of its rows was recorded: late data shows here.
	StatedAt ingest.Millis `json:"stated_at"`
}

// Stretch is a stretch of time in which one service was in one state, out of the
// ledger: independent of agreements, clipped and joined as a [Segment] is.
type Stretch struct {
	Tenant   string        `json:"tenant"`
	Service  string        `json:"service"`
	State    State         `json:"state"` // covered, down, degraded or unknown
	From     ingest.Millis `json:"from"`
	To       ingest.Millis `json:"to"`
	Open     bool          `json:"open"`
	StatedAt ingest.Millis `json:"stated_at"`
}

// Discrepancy is something that signed rows must never add up to.
type Discrepancy struct {
	Table     string        `json:"table"`
	Tenant    string        `json:"tenant"`
	Service   string        `json:"service"`
	Agreement string        `json:"agreement"`
	At        ingest.Millis `json:"at"`
	Problem   string        `json:"problem"`
}
