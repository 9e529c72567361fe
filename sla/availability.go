package sla

import (
	"fmt"
	"math/bits"

	"github.com/evenkeel/evenkeel/ingest"
)

// Buckets are milliseconds by bucket. Their sum is the window.
type Buckets struct {
	NotYet      int64 `json:"not_yet_ms"`
	OutOfHours  int64 `json:"out_of_hours_ms"`
	Maintenance int64 `json:"maintenance_ms"`
	Unknown     int64 `json:"unknown_ms"`
	Down        int64 `json:"down_ms"`
	Degraded    int64 `json:"degraded_ms"`
	Up          int64 `json:"up_ms"`
}

// Sum returns the milliseconds in all buckets together.
func (b Buckets) Sum() int64 {
	return b.NotYet + b.OutOfHours + b.Maintenance + b.Unknown + b.Down + b.Degraded + b.Up
}

// States are milliseconds by state: what lies under a bucket.
type States struct {
	Up       int64 `json:"up_ms"`
	Degraded int64 `json:"degraded_ms"`
	Down     int64 `json:"down_ms"`
	Unknown  int64 `json:"unknown_ms"`
}

// Matrix is how long a service was in each bucket and, where a bucket does not
// say it by itself, in which state underneath.
type Matrix struct {
	Buckets
	InMaintenance States `json:"in_maintenance"`   // sums to Maintenance
	OutsideHours  States `json:"outside_of_hours"` // sums to OutOfHours
}

// Add counts ms milliseconds of a bucket with a state under it. A bucket or
// state that is none of the known ones is an error and counts nowhere.
func (m *Matrix) Add(b Bucket, s State, ms int64) error {
	var under States
	state := under.of(s)
	if state == nil {
		return fmt.Errorf("state %q is none of up, degraded, down, unknown", s)
	}
	bucket := m.of(b)
	if bucket == nil {
		return fmt.Errorf("bucket %q is none of the seven", b)
	}
	*bucket += ms
	switch b {
	case MaintenanceBucket:
		*m.InMaintenance.of(s) += ms
	case OutOfHoursBucket:
		*m.OutsideHours.of(s) += ms
	}
	return nil
}

func (b *Buckets) of(bucket Bucket) *int64 {
	switch bucket {
	case NotYetBucket:
		return &b.NotYet
	case OutOfHoursBucket:
		return &b.OutOfHours
	case MaintenanceBucket:
		return &b.Maintenance
	case UnknownBucket:
		return &b.Unknown
	case DownBucket:
		return &b.Down
	case DegradedBucket:
		return &b.Degraded
	case UpBucket:
		return &b.Up
	}
	return nil
}

func (s *States) of(state State) *int64 {
	switch state {
	case Up:
		return &s.Up
	case Degraded:
		return &s.Degraded
	case Down:
		return &s.Down
	case Unknown:
		return &s.Unknown
	}
	return nil
}

// Close fills m up to the window as of asOf: what lies after asOf is not yet,
// and what no row covers is unknown. Then the buckets sum to the window. Rows that cover
// more than the window are an error: they overlap, and the sums are wrong.
func (m *Matrix) Close(window Interval, asOf ingest.Millis) error {
	past := window.Clip(Interval{window.From, max(asOf, window.From)})
	m.NotYet = window.Length() - past.Length()
	uncovered := window.Length() - m.Sum()
	if uncovered < 0 {
		return fmt.Errorf("rows of %d ms in a window of %d ms: they overlap", m.Sum()-m.NotYet, past.Length())
	}
	m.Unknown += uncovered
	return nil
}

// Availability is how a service did against one agreement in one window, with all
// that the number rests on.
type Availability struct {
	Tenant    string        `json:"tenant"`
	Service   string        `json:"service"`
	Agreement string        `json:"agreement"` // "" is the service itself: always in hours, in the root zone
	From      ingest.Millis `json:"from"`
	To        ingest.Millis `json:"to"`
	AsOf      ingest.Millis `json:"as_of"` // what was recorded later is not in it
	Zone      string        `json:"zone"`
	Policy    Policy        `json:"policy"`
	Matrix    Matrix        `json:"buckets"`

	// Counted is the denominator: the milliseconds that the policy counts.
	Counted int64 `json:"counted_ms"`
	// Downtime is what the policy counts as down of them, degraded time weighted,
	// rounded up to the millisecond.
	Downtime int64 `json:"downtime_ms"`
	// Ratio is 1 - Downtime/Counted, rounded down to nine decimals, so that it is 1
	// only without any downtime. Null where Reason says why.
	Ratio  *float64 `json:"ratio"`
	Reason string   `json:"reason,omitempty"`
	// Coverage is the share of the agreed time so far, outside of excluded
	// maintenance, whose state is known. Null where there was no such time.
	Coverage *float64 `json:"coverage"`

	// Objective is what was promised, 0 where nothing was.
	Objective float64 `json:"objective"`
	// Budget is the downtime that the objective allows. Null without an objective.
	Budget *Budget `json:"budget"`
	// Met says whether the downtime is within the budget. While the window runs
	// (Final is false) it can still be lost. Null without an objective or a ratio.
	Met *bool `json:"met"`
	// Final says that the window had ended at AsOf.
	Final bool `json:"final"`
}

// Budget is the downtime that an objective allows in a whole window, its part
// that is not yet included, in milliseconds rounded down.
type Budget struct {
	Total int64 `json:"total_ms"`
	Spent int64 `json:"spent_ms"`
	Left  int64 `json:"left_ms"` // negative when overspent
}

// Percent returns the ratio as a percentage with so many decimals, cut and not rounded:
// "99.99" for 99.9999 with two. "" where there is no ratio.
func (a *Availability) Percent(decimals int) string {
	if a.Ratio == nil {
		return ""
	}
	scale := int64(1)
	for range decimals {
		scale *= 10
	}
	n := muldiv(a.Counted-a.Downtime, 100*scale, a.Counted)
	if decimals == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d.%0*d", n/scale, decimals, n%scale)
}

// ratioScale is the precision of a ratio: nine decimals.
const ratioScale = 1_000_000_000

// muldiv returns a*b/c rounded down, exact for any product. a and b are not
// negative, and a*b/c fits (a <= c does).
func muldiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}
