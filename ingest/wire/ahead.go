package wire

import (
	"encoding/json"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/ingest"
)

// window is when a record may be received for what it was decoded to: [from, until).
type window struct{ from, until ingest.Millis }

func (w *window) narrow(from, until ingest.Millis) {
	w.from, w.until = max(w.from, from), min(w.until, until)
}

// ReadAhead decodes a record that no journal has stamped yet, as [Decoder.Read] will when it was received
// about now: a decoder of the same configuration takes over what was read, where that is still right then.
// After an error it is empty. It is given away with the record: whoever appended the record does not touch it any more.
func (c *Decoder) ReadAhead(rec ingest.Record, now ingest.Millis) (*ingest.Reading, error) {
	rec.ReceivedAt = now
	when := window{until: latestMillis}
	d, err := c.read(rec, &when)
	return &ingest.Reading{Decoded: d, By: c.name, From: when.from, Until: when.until}, err
}

// take gives what the record was read to ahead, where reading it now would give the same; once, since who
// gets it may change it.
func (c *Decoder) take(rec ingest.Record) (ingest.Decoded, bool) {
	a := rec.Reading
	if a == nil || a.By != c.name || rec.ReceivedAt < a.From || rec.ReceivedAt >= a.Until {
		return ingest.Decoded{}, false
	}
	a.By = ""
	for i := range a.Events {
		a.Events[i].ReceivedAt = rec.ReceivedAt
	}
	for i := range a.Dead {
		a.Dead[i].ReceivedAt = rec.ReceivedAt
	}
	return a.Decoded, true
}

// nameOf tells configurations apart.
func nameOf(c Config) string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // it holds texts and numbers only
	}
	return strconv.FormatUint(xxhash.Sum64(text), 16)
}
