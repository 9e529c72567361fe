package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/evenkeel/evenkeel/ingest"
)

// readBytes is about how many bytes of bodies one Read returns at most.
const readBytes = 8 << 20

// cursor remembers where a Read ended, so that the next one goes on from there
// without looking for the place and without unpacking a block twice. It is
// immutable.
type cursor struct {
	next uint64          // position it stands before
	rest []ingest.Record // records from next on, of the block before offset
	lost string          // why those from next on to the block at offset are not in rest
	base uint64          // segment of offset
	mark                 // the block that follows
}

// Read implements [Journal]. Records that cannot be read any more, because the
// disk lost them, come as [ingest.KindRejected] from source "journal".
func (j *Local) Read(ctx context.Context, from uint64, limit int) ([]ingest.Record, error) {
	j.trim.RLock()
	defer j.trim.RUnlock()
	if j.isClosed() {
		return nil, ErrClosed
	}
	if records := j.takeFresh(from, limit); len(records) > 0 {
		return records, nil
	}
	r, err := j.reader(from, max(limit, 1))
	if err != nil {
		return nil, err
	}
	for r.wants() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.step(); err != nil {
			if len(r.out) > 0 {
				break // the next Read will say it again
			}
			return nil, err
		}
	}
	j.cursor.Store(&r.at)
	return r.out, nil
}

// reader is one Read under way.
type reader struct {
	j     *Local
	views []view // from the segment of the first record on
	at    cursor
	end   uint64 // behind the last record that existed when the Read began
	limit int
	bytes int
	out   []ingest.Record
	buf   []byte
}

func (j *Local) reader(from uint64, limit int) (*reader, error) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if from < j.first() || from == 0 {
		return nil, fmt.Errorf("read %d: %w: the oldest is %d", from, ErrTrimmed, j.first())
	}
	if from > j.end {
		return nil, fmt.Errorf("read %d: %w: the last is %d", from, ErrAhead, j.end-1)
	}
	r := &reader{j: j, end: j.end, limit: limit, at: cursor{next: from}}
	if c := j.cursor.Load(); c != nil && c.next == from && c.base >= j.first() {
		r.at = *c
	} else if len(j.segments) > 0 {
		s := j.segments[j.segmentOf(from)]
		r.at = cursor{next: from, base: s.base, mark: s.before(from)}
	}
	for i := j.segmentOf(r.at.base); i < len(j.segments); i++ {
		r.views = append(r.views, j.view(i))
	}
	return r, nil
}

// segmentOf returns the index of the segment that position is in, or would be.
func (j *Local) segmentOf(position uint64) int {
	return max(0, sort.Search(len(j.segments), func(i int) bool { return j.segments[i].base > position })-1)
}

func (j *Local) view(i int) view {
	s := j.segments[i]
	v := view{file: s.file, base: s.base, size: s.size, end: j.end, last: j.last}
	if i+1 < len(j.segments) {
		v.end, v.last = j.segments[i+1].base, j.segments[i+1].mark[0].last
	}
	return v
}

func (r *reader) wants() bool {
	return len(r.out) < r.limit && r.bytes < readBytes && r.at.next < r.end
}

// step takes what is unpacked, or unpacks, skips or gives up the next block.
func (r *reader) step() error {
	if len(r.at.rest) > 0 {
		r.take()
		return nil
	}
	if r.at.lost != "" && r.at.next < r.at.first {
		r.takeLost()
		return nil
	}
	v := r.views[0]
	if r.at.first >= v.end { // this segment is done
		r.views = r.views[1:]
		r.at.base, r.at.mark = r.views[0].base, mark{segmentHeaderBytes, r.views[0].base, r.at.last}
		return nil
	}
	offset, h, payload, err := v.findBlock(r.at.offset, extent{end: r.at.first, last: r.at.last}, r.buf)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errHeader):
		r.lose(mark{v.size, v.end, max(r.at.last, v.last)}, errHeader.Error())
		return nil
	case err != nil:
		return err
	case h.first > r.at.first:
		r.lose(mark{offset, h.first, r.lastBefore(h, payload)}, errHeader.Error())
		return nil
	}
	if cap(payload) > cap(r.buf) {
		r.buf = payload
	}
	behind := mark{r.at.offset + h.size(), h.end(), h.last}
	if h.end() <= r.at.next {
		r.at.mark = behind
		return nil
	}
	r.unpack(h, payload, behind)
	return nil
}

func (r *reader) unpack(h blockHeader, payload []byte, behind mark) {
	if !h.intact(payload) {
		r.lose(behind, errPayload.Error())
		return
	}
	records, err := r.j.codec.decode(h, payload)
	if err != nil {
		r.lose(behind, err.Error())
		return
	}
	r.at.rest, r.at.mark = records[r.at.next-h.first:], behind
}

// take moves unpacked records to the result.
func (r *reader) take() {
	n := 0
	for n < len(r.at.rest) && n < r.limit-len(r.out) && r.bytes < readBytes {
		r.bytes += len(r.at.rest[n].Body)
		n++
	}
	r.out = append(r.out, r.at.rest[:n]...)
	r.at.rest = r.at.rest[n:]
	r.at.next += uint64(n)
}

// lose gives up what lies between here and the block at behind.
func (r *reader) lose(behind mark, reason string) {
	r.j.report(hole{r.at.first, behind.first, reason})
	r.at.lost, r.at.mark = reason, behind
}

// lastBefore returns the received_at that records before a block get when nothing is left
// of them: that of the record before them or, where there is none, the block's first.
func (r *reader) lastBefore(h blockHeader, payload []byte) ingest.Millis {
	if r.at.last != 0 {
		return r.at.last
	}
	if !h.intact(payload) {
		return h.last // as its own records, which are lost too
	}
	records, err := r.j.codec.decode(h, payload)
	if err != nil {
		return h.last
	}
	return records[0].ReceivedAt
}

// takeLost puts rejected records in the place of those that cannot be read. Their
// time is the last one known before what follows, so that time does not go back.
func (r *reader) takeLost() {
	for ; r.at.next < r.at.first && len(r.out) < r.limit; r.at.next++ {
		r.out = append(r.out, ingest.Record{
			Position: r.at.next, ReceivedAt: r.at.last, Kind: ingest.KindRejected,
			Source: "journal", Reason: "the journal lost this record: " + r.at.lost,
		})
	}
}

// report counts and logs a hole, once. What is found of it may differ: a block whose header cannot be read is a hole
// up to the next one that can be.
func (j *Local) report(h hole) {
	j.mu.Lock()
	news := j.lost.add(h)
	j.mu.Unlock()
	if news == 0 {
		return
	}
	j.m.lost.Add(float64(news))
	j.opts.Logger.Error("Journal records are lost: the disk did not keep them",
		"first_position", h.first, "last_position", h.end-1, "records", h.end-h.first, "reason", h.reason)
}

// losses are the holes that are known, apart from one another, in no order.
type losses []hole

// add takes in a hole and returns how many of its positions were not known to be lost.
func (l *losses) add(h hole) (news uint64) {
	news = h.end - h.first
	apart := losses{}
	for _, known := range *l {
		if known.end < h.first || known.first > h.end {
			apart = append(apart, known)
			continue
		}
		news -= min(known.end, h.end) - max(known.first, h.first)
		h.first, h.end = min(known.first, h.first), max(known.end, h.end)
	}
	apart = append(apart, h)
	*l = apart
	return news
}
