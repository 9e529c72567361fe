package improve

import (
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// Length is a length of time in milliseconds.
type Length int64

// LengthOf returns the length of [from, to).
func LengthOf(from, to ingest.Millis) Length { return Length(to - from) }

// String returns l in its two largest units, such as "2 h 05 min", without a
// second one that is zero: "5 min". It is cut and not rounded, so that nothing reads
// longer than it was.
func (l Length) String() string {
	if l < 0 {
		return "-" + (-l).String()
	}
	const second, minute, hour, day = 1000, 60_000, 3_600_000, 86_400_000
	switch {
	case l == 0:
		return "0 s"
	case l < second:
		return fmt.Sprintf("%d ms", int64(l))
	case l < minute:
		return fmt.Sprintf("%d s", l/second)
	case l < hour:
		return inUnits(l/minute, "min", l%minute/second, "s")
	case l < day:
		return inUnits(l/hour, "h", l%hour/minute, "min")
	}
	return inUnits(l/day, "d", l%day/hour, "h")
}

func inUnits(large Length, unit string, small Length, smaller string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", int64(large), unit)
	}
	return fmt.Sprintf("%d %s %02d %s", int64(large), unit, int64(small), smaller)
}
