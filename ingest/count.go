package ingest

import "strconv"

// Count is how many, in thousandths: what monitoring counts is often extrapolated, and sums of
// whole numbers are the same in any order.
type Count int64

// String returns the count as a decimal without needless digits: 12, 0.25.
func (c Count) String() string { return strconv.FormatFloat(float64(c)/1000, 'f', -1, 64) }
