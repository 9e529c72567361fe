package ingest

import (
	"fmt"
	"math"
	"strconv"
)

// Count is how many, in thousandths: what monitoring counts is often extrapolated, and sums of
// whole numbers are the same in any order.
type Count int64

// String returns the count as a decimal without needless digits: 12, 0.25.
func (c Count) String() string { return strconv.FormatFloat(float64(c)/1000, 'f', -1, 64) }

// MarshalJSON writes the count as a number.
func (c Count) MarshalJSON() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalJSON reads a number, to the nearest thousandth.
func (c *Count) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("count %s is not a number", b)
	}
	*c = Count(math.Round(n * 1000))
	return nil
}
