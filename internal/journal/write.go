package journal

import (
	"errors"
	"fmt"
	"time"
)

// retryEvery is how often a journal that could not be repaired is tried again.
const retryEvery = time.Second

// write puts a group on disk. When it returns an error nothing of the group is
// in the log.
func (j *Local) write(w *write) error {
	if err := j.usable(w.size); err != nil {
		return err
	}
	s, fresh, err := j.target(w)
	if err != nil {
		return j.failed(err)
	}
	began := time.Now()
	if err := j.put(s, fresh, w); err != nil {
		return j.failed(errors.Join(err, j.undo(s, fresh)))
	}
	j.m.synced(time.Since(began), w)
	j.publish(s, fresh, w)
	return nil
}

// usable repairs what the last failure left, where it has to.
func (j *Local) usable(size int64) error {
	if j.tail.full {
		free, err := j.disk.Free()
		if err == nil && free < size+segmentHeaderBytes {
			return fmt.Errorf("%w: the disk has %d bytes left", ErrFull, free)
		}
	}
	if !j.tail.broken {
		return nil
	}
	if time.Now().Before(j.tail.retryAt) {
		return fmt.Errorf("%w: the last write failed and could not be undone yet", ErrUnavailable)
	}
	if err := j.reopen(); err != nil {
		return j.failed(err)
	}
	return nil
}

// target returns the segment to write to, a new one where the last is full.
func (j *Local) target(w *write) (s *segment, fresh bool, err error) {
	if s := j.newest(); s != nil && !j.tail.rotate && s.size < j.opts.SegmentBytes {
		return s, false, nil
	}
	f, err := j.disk.Create(segmentName(w.base))
	if err != nil {
		return nil, false, fmt.Errorf("begin a segment: %w", err)
	}
	return &segment{base: w.base, file: f, mark: []mark{{segmentHeaderBytes, w.base, j.last}}}, true, nil
}

// newest returns the last segment, nil in an empty journal.
func (j *Local) newest() *segment {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if len(j.segments) == 0 {
		return nil
	}
	return j.segments[len(j.segments)-1]
}

// put writes the group in one piece and makes it durable.
func (j *Local) put(s *segment, fresh bool, w *write) error {
	buf := make([]byte, 0, w.size+segmentHeaderBytes)
	if fresh {
		buf = segmentHeader{base: s.base, last: j.last}.append(buf)
	}
	group := uint64(s.size) + uint64(len(buf))
	for _, r := range w.requests {
		for _, b := range r.blocks {
			b.header.group = group
			buf = b.header.append(buf)
			buf = append(buf, b.payload...)
		}
	}
	if _, err := s.file.WriteAt(buf, s.size); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("fsync: %w", err)
	}
	if fresh {
		if err := j.disk.Sync(); err != nil {
			return fmt.Errorf("fsync folder: %w", err)
		}
	}
	return nil
}

// publish lets readers see the group.
func (j *Local) publish(s *segment, fresh bool, w *write) {
	j.mu.Lock()
	defer j.mu.Unlock()
	size := s.size
	if fresh {
		size = segmentHeaderBytes
		j.segments = append(j.segments[:len(j.segments):len(j.segments)], s)
	}
	before := j.last
	for _, r := range w.requests {
		for _, b := range r.blocks {
			s.note(mark{size, b.header.first, before})
			size += b.header.size()
			before = b.header.last
		}
	}
	s.size = size
	j.end, j.last = w.end, w.last
	j.fresh.add(w)
	j.tail.rotate, j.tail.full = false, false
	close(j.changed)
	j.changed = make(chan struct{})
}

// undo takes a failed group out of the log, so that it can never be read.
func (j *Local) undo(s *segment, fresh bool) error {
	if !fresh {
		j.tail.broken = true
		return j.reopen()
	}
	if err := j.drop(s); err != nil {
		// The file may stay: it is begun anew under this name, which must be free.
		j.tail.broken = true
		return err
	}
	return nil
}

// reopen cuts the last segment to its durable end through a new descriptor: after a
// failed fsync the old one may say that all is well.
func (j *Local) reopen() error {
	j.tail.retryAt = time.Now().Add(retryEvery)
	if err := j.removeStray(); err != nil {
		return err
	}
	if s := j.newest(); s != nil {
		if err := j.reopenSegment(s); err != nil {
			return err
		}
	}
	j.tail.broken = false
	j.opts.Logger.Warn("Journal reopened after a failed write", "last_position", j.end-1)
	return nil
}

func (j *Local) reopenSegment(s *segment) error {
	f, size, err := j.disk.Open(segmentName(s.base))
	if err != nil {
		return fmt.Errorf("reopen: %w", err)
	}
	if size < s.size {
		return errors.Join(fmt.Errorf("reopen: segment %s has %d bytes, %d were durable", segmentName(s.base), size, s.size), f.Close())
	}
	if err := cut(f, s.size); err != nil {
		return errors.Join(fmt.Errorf("cut to the last good record: %w", err), f.Close())
	}
	j.trim.Lock()
	defer j.trim.Unlock()
	old := s.file
	s.file = f
	_ = old.Close() // its error was what brought us here
	return nil
}

// removeStray removes a file that a failed beginning of a segment left.
func (j *Local) removeStray() error {
	names, err := j.disk.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		base, ok := parseSegmentName(name)
		if !ok || base < j.end {
			continue
		}
		if err := j.disk.Remove(name); err != nil {
			return fmt.Errorf("remove unfinished segment: %w", err)
		}
	}
	return j.disk.Sync()
}

// failed turns the disk's error into the journal's.
func (j *Local) failed(err error) error {
	kind := ErrUnavailable
	if noRoom(err) {
		kind, j.tail.full = ErrFull, true
	}
	j.opts.Logger.Error("Journal write failed, nothing of it was acknowledged", "err", err)
	return fmt.Errorf("%w: %w", kind, err)
}
