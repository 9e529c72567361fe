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
	// Repeats tells of an alert that it said again, word for word, what it had said lately: sent again because it
	// still fires, a retry, or a copy from another one of a pair.
	Repeats bool
}

// saidLately is how many different things that an alert said are remembered, the newest first. Two members
// of a pair with two receivers each take turns with four.
type saidLately [4]uint64

// repeats tells whether the alert said the same lately, and remembers that it did now.
func (l *saidLately) repeats(start ingest.Millis, seen *ingest.Alert) bool {
	now := sayingOf(start, seen)
	if slices.Contains(l[:], now) {
		return true
	}
	copy(l[1:], l[:])
	l[0] = now
	return false
}

// sayingOf is a number for all that an alert with that start says, except until when a firing one holds: Prometheus puts
// that off each time that it sends. It is never 0, and is kept in snapshots: it never changes.
func sayingOf(start ingest.Millis, a *ingest.Alert) uint64 {
	var h xxhash.Digest
	h.Reset()
	var b [8]byte
	number := func(n uint64) {
		binary.LittleEndian.PutUint64(b[:], n)
		_, _ = h.Write(b[:]) // a hash takes everything
	}
	text := func(s string) {
		number(uint64(len(s)))
		_, _ = h.WriteString(s)
	}
	number(uint64(start))
	if a.Resolved {
		number(uint64(a.EndsAt)<<2 | 1)
	}
	if a.Unknown {
		number(2)
	}
	for _, ls := range [...]ingest.Labels{a.Labels, a.Annotations} {
		number(uint64(len(ls)))
		for _, l := range ls {
			text(l.Name)
			text(l.Value)
		}
	}
	text(a.GeneratorURL)
	text(a.Receiver)
	text(a.GroupKey)
	return max(h.Sum64(), 1)
}
