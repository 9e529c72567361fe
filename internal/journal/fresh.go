package journal

import "github.com/evenkeel/evenkeel/ingest"

// freshBytes bounds the memory that fresh records take, about.
const freshBytes = 64 << 20

// fresh are the records that were written last, until they are read: who follows the journal closely need not
// read, unpack and decode what was in memory a moment ago. They are in order without gaps, and the last one is
// the journal's last; what does not fit is read from the disk.
type fresh struct {
	records []ingest.Record
	bytes   int
}

// add takes in a group that is durable.
func (f *fresh) add(w *write) {
	for _, r := range w.requests {
		n := 0 // of the request's records
		for i := range r.blocks {
			h := &r.blocks[i].header
			before := ingest.Millis(0)
			for k, own := range r.blocks[i].times {
				rec := r.records[n]
				n++
				rec.Position = h.first + uint64(k)
				rec.ReceivedAt = h.receivedAt(own, before)
				before = rec.ReceivedAt
				f.records = append(f.records, rec)
				f.bytes += freshCost(&rec)
			}
		}
	}
	drop := 0
	for f.bytes > freshBytes {
		f.bytes -= freshCost(&f.records[drop])
		drop++
	}
	f.forget(drop)
}

// forget drops so many of the oldest.
func (f *fresh) forget(n int) {
	clear(f.records[:n]) // the array may stay
	f.records = f.records[n:]
}

// freshCost is about what a record takes in memory: its events are about as long as its body.
func freshCost(r *ingest.Record) int {
	n := 256 + len(r.Body)
	if r.Reading != nil {
		n += 512*len(r.Reading.Events) + len(r.Body)
	}
	return n
}

// takeFresh returns records from a position on if they are fresh, which they are not any more then.
func (j *Local) takeFresh(from uint64, limit int) []ingest.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := &j.fresh
	if len(f.records) == 0 || from < f.records[0].Position || from >= j.end {
		return nil
	}
	at := int(from - f.records[0].Position)
	n, bytes := 0, 0
	for at+n < len(f.records) && n < max(limit, 1) && bytes < readBytes {
		bytes += len(f.records[at+n].Body)
		n++
	}
	taken := append([]ingest.Record(nil), f.records[at:at+n]...)
	for i := range f.records[:at+n] {
		f.bytes -= freshCost(&f.records[i])
	}
	f.forget(at + n)
	return taken
}
