package improve

import (
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// Length is a length of time in milliseconds.
type Length int64

// LengthOf returns the length of [from, to).
func LengthOf(from, to ingest.Millis) Length { return Length(to - from) }

// String returns l in its two largest units, such as "2 h 05 min", cut and not
// rounded, so that nothing reads longer than it was.
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
		return fmt.Sprintf("%d min %02d s", l/minute, l%minute/second)
	case l < day:
		return fmt.Sprintf("%d h %02d min", l/hour, l%hour/minute)
	}
	return fmt.Sprintf("%d d %02d h", l/day, l%day/hour)
}

// Words returns l without a second unit that is zero: "5 min", "2 h".
func (l Length) Words() string {
	switch {
	case l >= 60_000 && l < 3_600_000 && l%60_000 == 0:
		return fmt.Sprintf("%d min", l/60_000)
	case l >= 3_600_000 && l < 86_400_000 && l%3_600_000 == 0:
		return fmt.Sprintf("%d h", l/3_600_000)
	}
	return l.String()
}
