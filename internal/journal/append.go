package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// request is one Append on its way.
type request struct {
	ctx      context.Context
	records  []ingest.Record // as they were given
	blocks   []block
	size     int64
	cost     int64 // of the queue's room
	reserved bool  // may use the reserve: configuration and ticks
	first    uint64
	err      error
	done     chan struct{}
}

// Append implements [Journal]. Compression is done here, by the caller; the
// committer only stamps, writes and syncs.
func (j *Local) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	if len(records) == 0 {
		return 0, errors.New("journal: append of no records")
	}
	if j.isClosed() {
		return 0, j.refuse(ErrClosed)
	}
	r, err := j.request(ctx, records)
	if err != nil {
		return 0, j.refuse(err)
	}
	if err := j.room.Acquire(ctx, r.cost); err != nil {
		return 0, j.refuse(fmt.Errorf("%w: it is behind with writing: %w", ErrUnavailable, err))
	}
	j.queue <- r // has room: every request in it holds at least requestCost, until it is answered
	return j.await(ctx, r)
}

func (j *Local) request(ctx context.Context, records []ingest.Record) (*request, error) {
	blocks, err := j.codec.encode(records)
	if err != nil {
		return nil, err
	}
	r := &request{ctx: ctx, records: records, blocks: blocks, done: make(chan struct{}), reserved: true}
	for _, b := range blocks {
		r.size += b.header.size()
	}
	if limit := j.opts.MaxBytes - reserve(j.opts.MaxBytes); r.size > limit {
		return nil, fmt.Errorf("%w: %d bytes compressed, and max_bytes %d leaves %d even to an empty journal", ErrTooLarge, r.size, j.opts.MaxBytes, limit)
	}
	r.cost = min(max(r.size, requestCost), queueBytes)
	for i := range records {
		k := records[i].Kind
		r.reserved = r.reserved && (k == ingest.KindConfiguration || k == ingest.KindTick)
	}
	return r, nil
}

func (j *Local) await(ctx context.Context, r *request) (uint64, error) {
	select {
	case <-r.done:
	case <-ctx.Done():
		return 0, j.refuse(fmt.Errorf("%w: not on disk in time, may still land: %w", ErrUnavailable, ctx.Err()))
	case <-j.closed:
		select {
		case <-r.done: // the committer's last group
		default:
			return 0, j.refuse(ErrClosed)
		}
	}
	if r.err != nil {
		return 0, j.refuse(r.err)
	}
	return r.first, nil
}

// refuse counts an error by its reason.
func (j *Local) refuse(err error) error {
	j.m.failure(err)
	return err
}

// groupBytes bounds one group: what one fsync covers, and what a caller waits for at most.
const groupBytes = 8 << 20

// tail is the committer's state besides the log itself.
type tail struct {
	rotate  bool      // begin a new segment whatever the size of the last
	broken  bool      // a write failed and the cut after it too
	full    bool      // the disk had no room; look before writing again
	retryAt time.Time // when broken: not before
}

// commit is the committer: it takes what waits, writes it as one group, and
// answers.
func (j *Local) commit() {
	defer close(j.closed)
	for {
		select {
		case r := <-j.queue:
			j.group(r)
		case <-j.closing:
			j.drain()
			return
		}
	}
}

// drain writes what was accepted before Close.
func (j *Local) drain() {
	for {
		select {
		case r := <-j.queue:
			j.group(r)
		default:
			return
		}
	}
}

// group writes first and what else waits.
func (j *Local) group(first *request) {
	requests := []*request{first}
	for size := first.size; size < groupBytes; {
		select {
		case r := <-j.queue:
			requests = append(requests, r)
			size += r.size
			continue
		default:
		}
		break
	}
	w := j.admit(requests)
	if len(w.requests) > 0 {
		w.fail(j.attempt(w))
	}
	for _, r := range requests {
		close(r.done)
		j.room.Release(r.cost)
	}
}

// write is one group on its way to the disk.
type write struct {
	requests []*request
	base     uint64 // position of its first record
	end      uint64
	last     ingest.Millis
	size     int64
	records  int
}

// attempt writes a group and notes what that says of the next one.
func (j *Local) attempt(w *write) error {
	j.health.begin(time.Now())
	defer j.health.end()
	err := j.write(w)
	if err != nil {
		j.health.failed(err, w.size)
	} else {
		j.health.wrote(w.deliveries())
	}
	return err
}

// deliveries tells whether anything in the group had to do without the reserve.
func (w *write) deliveries() bool {
	return slices.ContainsFunc(w.requests, func(r *request) bool { return !r.reserved })
}

func (w *write) fail(err error) {
	if err == nil {
		return
	}
	for _, r := range w.requests {
		r.err = err
	}
}

// admit gives positions and times to the requests that can be written, and
// errors to the others.
func (j *Local) admit(requests []*request) *write {
	w := &write{base: j.end, end: j.end, last: j.last}
	used := j.Usage().Bytes
	now := ingest.MillisOf(j.opts.Clock())
	for _, r := range requests {
		if r.ctx.Err() != nil {
			r.err = fmt.Errorf("%w: %w", ErrUnavailable, r.ctx.Err())
			continue
		}
		if r.err = j.fits(used+w.size, r.size, r.reserved); r.err != nil {
			j.health.failed(r.err, r.size)
			continue
		}
		last, err := r.stamp(w.last, now)
		if err != nil {
			r.err = err
			continue
		}
		w.add(r, last)
	}
	return w
}

func (w *write) add(r *request, last ingest.Millis) {
	r.first = w.end
	for i := range r.blocks {
		h := &r.blocks[i].header
		h.first = w.end
		w.end = h.end()
		w.records += int(h.count)
	}
	w.last = last
	w.size += r.size
	w.requests = append(w.requests, r)
}

// fits checks the limit in bytes. Only what is reserved may use the reserve.
func (j *Local) fits(used, size int64, reserved bool) error {
	limit := j.opts.MaxBytes
	if !reserved {
		limit -= reserve(limit)
	}
	if used+size > limit {
		return fmt.Errorf("%w: %d of max_bytes %d are used; what is not stored yet cannot be trimmed", ErrFull, used, j.opts.MaxBytes)
	}
	return nil
}

func reserve(maxBytes int64) int64 { return min(maxReserve, maxBytes/16) }

// stamp gives the request's records their times, the first not before last.
func (r *request) stamp(last, now ingest.Millis) (ingest.Millis, error) {
	stamp := max(last, now)
	for i := range r.blocks {
		b := &r.blocks[i]
		before := last
		for k, own := range b.times {
			switch {
			case own == 0:
				last = max(last, stamp)
			case own < last:
				return 0, fmt.Errorf("%w: record %d of block %d brings %s, the last one has %s", ErrBackwards, k, i, own, last)
			default:
				last = own
			}
		}
		b.header.stamp, b.header.last = max(stamp, before), last
	}
	return last, nil
}
