package ingest

import (
	"fmt"
	"time"
)

// Millis is an instant in UTC milliseconds since 1970, or a length of time in
// milliseconds where a name says so. The zero value means "no instant": what
// is still firing has a zero end.
type Millis int64

// Durations in milliseconds.
const (
	Second Millis = 1000
	Minute        = 60 * Second
	Hour          = 60 * Minute
	Day           = 24 * Hour
)

// MillisOf returns t in milliseconds, cut (not rounded) to the millisecond. The zero
// time and everything up to 1970 (Alertmanager writes year 1 for "not yet")
// gives 0.
func MillisOf(t time.Time) Millis {
	if ms := t.UnixMilli(); ms > 0 {
		return Millis(ms)
	}
	return 0
}

// MillisIn returns d in milliseconds.
func MillisIn(d time.Duration) Millis { return Millis(d.Milliseconds()) }

// Time returns m as a UTC time; 0 gives the zero time.
func (m Millis) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}

// Duration returns m, a length, as a time.Duration.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// layout is RFC 3339 with exactly three decimals, so that text sorts as time does.
const layout = "2006-01-02T15:04:05.000Z"

// String returns RFC 3339 in UTC with three decimals, or "" for 0.
func (m Millis) String() string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(layout)
}

// MarshalJSON writes RFC 3339 with milliseconds, or null for 0.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return m.Time().AppendFormat(make([]byte, 0, len(layout)+2), `"`+layout+`"`), nil
}

// UnmarshalJSON reads RFC 3339 of any precision, or null for 0.
func (m *Millis) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*m = 0
		return nil
	}
	t, err := time.Parse(`"`+time.RFC3339+`"`, string(b))
	if err != nil {
		return fmt.Errorf("instant %s is not RFC 3339", b)
	}
	*m = MillisOf(t)
	return nil
}
