package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// valueVersion is the first byte of every value. Behind it stand the length of
// the route's text (0: no route), the text, and the record as [journal.AppendRecord] writes it.
const valueVersion = 1

func appendValue(b []byte, r *ingest.Record) ([]byte, error) {
	var route []byte
	if r.Route != nil {
		var err error
		if route, err = r.Route.MarshalText(); err != nil {
			return nil, err
		}
	}
	b = append(b, valueVersion)
	b = binary.AppendUvarint(b, uint64(len(route)))
	return journal.AppendRecord(append(b, route...), r), nil
}

var errEnds = errors.New("it ends early")

func parseValue(b []byte) (ingest.Record, error) {
	if len(b) == 0 {
		return ingest.Record{}, errEnds
	}
	if b[0] != valueVersion {
		return ingest.Record{}, fmt.Errorf("its version is %d, which this program does not know", b[0])
	}
	n, width := binary.Uvarint(b[1:])
	if width <= 0 || n > uint64(len(b)-1-width) {
		return ingest.Record{}, errEnds
	}
	b = b[1+width:]
	rec, err := journal.ParseRecord(b[n:])
	if err != nil || n == 0 {
		return rec, err
	}
	rec.Route = new(ingest.Route)
	return rec, rec.Route.UnmarshalText(b[:n])
}

// record makes a journal record of a message. One that nobody here wrote is a
// rejected record that says so: it hurts nothing else.
func record(m message) ingest.Record {
	rec, err := parseValue(m.value)
	if err != nil {
		rec = ingest.Record{
			Kind: ingest.KindRejected, Source: "journal", ReceivedAt: ingest.MillisOf(m.at),
			Reason: fmt.Sprintf("a record of the journal's topic was not understood: %v", err),
			Body:   m.value[:min(len(m.value), ingest.MaxDeadLetterBytes)],
		}
	}
	rec.Position = uint64(m.offset) + 1
	return rec
}

// lost stands in the place of a record that the topic no longer has. Its time is that of the next one.
func lost(position uint64, next ingest.Millis) ingest.Record {
	return ingest.Record{
		Position: position, ReceivedAt: next, Kind: ingest.KindRejected, Source: "journal",
		Reason: "the journal's topic has no record at this offset: was it compacted, or written in transactions?",
	}
}
