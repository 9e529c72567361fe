package journal

import (
	"context"
	"io"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// Export writes the deliveries that j holds to w, one JSON line each, as
// [wire.Recorded] reads them. Only deliveries: configuration is given to a replay by the
// user, and ticks change nothing. What is appended meanwhile is not waited for.
func Export(ctx context.Context, w io.Writer, j Journal) error {
	var line []byte
	for from, last := j.First(), j.Last(); from <= last; {
		records, err := j.Read(ctx, from, 1000)
		if err != nil {
			return err
		}
		for _, rec := range records {
			if rec.Kind != ingest.KindDelivery || rec.Position > last {
				continue
			}
			if line, err = wire.AppendRecorded(line[:0], rec); err != nil {
				return err
			}
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		from += uint64(len(records))
	}
	return nil
}
