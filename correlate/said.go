package correlate

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/ingest"
)

// Outcome says what an event came to.
type Outcome struct {
	// Refused is why an alert beyond [Limits] changed nothing; "" otherwise.
	Refused string
	// Repeats tells of an alert that it said again, word for word, what it had said lately, and changed nothing by it: sent
	// again because it still fires, a retry, or a copy from another one of a pair.
	Repeats bool
}

// saidLately is how many different things that an alert said are remembered, the newest first. Two members
// of a pair with two receivers each take turns with four.
type saidLately [4]uint64

// repeats tells whether the alert said the same lately, and remembers that it did now.
func (l *saidLately) repeats(now uint64) bool {
	if slices.Contains(l[:], now) {
		return true
	}
	copy(l[1:], l[:])
	l[0] = now
	return false
}

// sayingOf is a number for all that an alert with that start says, except until when a firing one holds: Prometheus puts
// that off each time that it sends. It is never 0, and is kept in snapshots: it never changes. What is
// hashed is laid out in room, which is returned for the next time: one long text is hashed faster than many short ones.
func sayingOf(start ingest.Millis, a *ingest.Alert, room []byte) (saying uint64, used []byte) {
	b := binary.LittleEndian.AppendUint64(room[:0], uint64(start))
	if a.Resolved {
		b = binary.LittleEndian.AppendUint64(b, uint64(a.EndsAt)<<2|1)
	}
	if a.Unknown {
		b = append(b, 2)
	}
	for _, ls := range [...]ingest.Labels{a.Labels, a.Annotations} {
		b = binary.AppendUvarint(b, uint64(len(ls)))
		for i := range ls {
			b = appendText(appendText(b, ls[i].Name), ls[i].Value)
		}
	}
	b = appendText(appendText(appendText(b, a.GeneratorURL), a.Receiver), a.GroupKey)
	return max(xxhash.Sum64(b), 1), b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
