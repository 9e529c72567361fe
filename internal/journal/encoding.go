package journal

import (
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// AppendRecord appends a record as every journal encodes it: kind, received_at, four texts and the
// body, each with its length before it. Its position and route are not part of that.
func AppendRecord(b []byte, r *ingest.Record) []byte { return appendRecord(b, r) }

// ParseRecord is the inverse of AppendRecord. The body is a part of b.
func ParseRecord(b []byte) (ingest.Record, error) {
	var r ingest.Record
	d := decoder{b}
	if err := d.record(&r); err != nil {
		return ingest.Record{}, err
	}
	if len(d.rest) > 0 {
		return ingest.Record{}, fmt.Errorf("%d bytes follow the record", len(d.rest))
	}
	return r, nil
}

// RecordBytes is what a record counts against [MaxRecordBytes].
func RecordBytes(r *ingest.Record) int { return recordBytes(r) }
