package journal

import (
	"fmt"
	"slices"
)

// recovered is what opening a journal found that ought not to be.
type recovered struct {
	holes []hole
	cut   int64 // bytes taken off the end: what a crash left half-written
}

// recover reads what the folder holds and cuts what is not whole at its end.
func (j *Local) recover() error {
	names, err := j.disk.Names()
	if err != nil {
		return err
	}
	var bases []uint64
	for _, name := range names {
		if base, ok := parseSegmentName(name); ok {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	for _, base := range bases {
		f, size, err := j.disk.Open(segmentName(base))
		if err != nil {
			return err
		}
		s := &segment{base: base, file: f, size: size}
		j.segments = append(j.segments, s)
		if err := s.readHeader(); err != nil {
			return err
		}
	}
	return j.recoverTail()
}

// recoverTail cuts the last segment to its good part. A last segment without any
// is what is left of a crash right after a file was begun: it is removed.
func (j *Local) recoverTail() error {
	for len(j.segments) > 0 {
		s := j.segments[len(j.segments)-1]
		m, err := s.measure()
		if err != nil {
			return err
		}
		j.found.holes = m.holes
		j.last = max(j.last, m.last)
		switch {
		case m.end < j.end: // the end of this one rotted, and positions behind it were given already
			j.found.holes = append(j.found.holes, hole{m.end, j.end, errHeader.Error()})
			j.tail.rotate = true
			return nil
		case m.keep:
			j.end, j.tail.rotate = m.end, true
			j.torn(s, m.size)
			return nil
		case m.end > s.base || len(j.segments) == 1:
			j.end = m.end
			return j.cutTail(s, m.size)
		}
		j.end = s.base
		j.opts.Logger.Warn("Journal segment without a whole block removed", "segment", segmentName(s.base), "bytes", s.size)
		j.found.cut += s.size
		j.segments = j.segments[:len(j.segments)-1]
		if err := j.drop(s); err != nil {
			return err
		}
	}
	return nil
}

func (j *Local) cutTail(s *segment, size int64) error {
	if size == s.size {
		return nil
	}
	j.torn(s, size)
	if s.size < size { // the only segment, and not even its header is whole
		header := segmentHeader{base: s.base}.append(nil)
		if _, err := s.file.WriteAt(header, 0); err != nil {
			return fmt.Errorf("begin segment %s again: %w", segmentName(s.base), err)
		}
	}
	if err := cut(s.file, size); err != nil {
		return fmt.Errorf("cut segment %s: %w", segmentName(s.base), err)
	}
	s.size = size
	return nil
}

// torn notes what is behind the last whole block of a segment.
func (j *Local) torn(s *segment, size int64) {
	j.found.cut += max(0, s.size-size)
	j.opts.Logger.Warn("Journal cut to its last whole block", "segment", segmentName(s.base),
		"bytes", s.size-size, "last_position", j.end-1)
}

// drop closes and removes a segment's file.
func (j *Local) drop(s *segment) error {
	if err := s.file.Close(); err != nil {
		return err
	}
	if err := j.disk.Remove(segmentName(s.base)); err != nil {
		return err
	}
	return j.disk.Sync()
}

// cut makes size the durable end of f.
func cut(f file, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}
