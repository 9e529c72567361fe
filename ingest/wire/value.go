package wire

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// sorted returns labels by name, each name once (the last one sent), without
// those that are empty.
func sorted(ls ingest.Labels) ingest.Labels {
	slices.SortStableFunc(ls, func(a, b ingest.Label) int { return strings.Compare(a.Name, b.Name) })
	out := ls[:0]
	for i, l := range ls {
		if i+1 < len(ls) && ls[i+1].Name == l.Name {
			continue
		}
		if l.Value != "" {
			out = append(out, l)
		}
	}
	return out
}

// latest is where instants stop being plausible; it is also inside of what
// ClickHouse's DateTime64 can hold.
var (
	latest       = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	latestMillis = ingest.MillisOf(latest)
)

// instant reads RFC 3339. Empty, and Go's zero time of year 1, are 0: not there.
func (r *reading) instant(field, text string) ingest.Millis {
	if text == "" {
		return 0
	}
	for i := range r.instants {
		if r.instants[i].text == text {
			return r.instants[i].at
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.wrong(place{field: field}, "%q is not RFC 3339", short(text))
		return 0
	}
	at := r.plausible(field, t, text)
	if at != 0 {
		r.instants[1], r.instants[0] = r.instants[0], written{text, at}
	}
	return at
}

// written is an instant with its text. Alerts that are sent together mostly have one end, and often one start.
type written struct {
	text string
	at   ingest.Millis
}

// received is when the record was received. One that no journal has stamped yet counts as
// received long ago: that is enough to tell whether it can be read.
func (r *reading) received() ingest.Millis {
	now := max(r.rec.ReceivedAt, 1)
	r.when.narrow(now, now+1)
	return now
}

// receivedBy tells whether the record was received at t or later.
func (r *reading) receivedBy(t ingest.Millis) bool {
	if max(r.rec.ReceivedAt, 1) < t {
		r.when.narrow(0, t)
		return false
	}
	r.when.narrow(t, latestMillis)
	return true
}

// plausible takes an instant that was written as text. Go's zero time is 0: not there.
func (r *reading) plausible(field string, t time.Time, text string) ingest.Millis {
	if t.IsZero() {
		return 0
	}
	if t.Unix() <= 0 || !t.Before(latest) {
		r.wrong(place{field: field}, "%q is not between 1970 and 2200", short(text))
		return 0
	}
	return ingest.MillisOf(t)
}

// short keeps what is quoted in a reason readable.
func short(text string) string {
	const limit = 64
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// boolean takes true or false; null leaves it alone, anything else is wrong.
func (r *reading) boolean(at place, to *bool) error {
	switch kind := r.kind(); kind {
	case "boolean":
		*to = r.next() == 't'
	case "null":
	default:
		r.wrong(at, "%s is not a boolean", kind)
	}
	return r.skip()
}
