package journal

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

const segmentSuffix = ".log"

func segmentName(base uint64) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

func parseSegmentName(name string) (base uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	base, err := strconv.ParseUint(digits, 10, 64)
	return base, err == nil
}

// segment is one file of the log.
type segment struct {
	base uint64
	file file
	size int64 // durable bytes; readers never look behind it
	mark []mark
}

// mark is a place in a segment where a block begins: one about every markEvery
// bytes, so that a read need not walk from the start.
type mark struct {
	offset int64
	first  uint64
	last   ingest.Millis // received_at of the record before it
}

const markEvery = 64 << 10

// note remembers a block's place, if the last one remembered is far enough before it.
func (s *segment) note(m mark) {
	if n := len(s.mark); n == 0 || m.offset >= s.mark[n-1].offset+markEvery {
		s.mark = append(s.mark, m)
	}
}

// before returns the last known place at or before position.
func (s *segment) before(position uint64) mark {
	i := sort.Search(len(s.mark), func(i int) bool { return s.mark[i].first > position })
	return s.mark[max(i-1, 0)]
}

// readHeader checks the segment's own header and makes its first mark. A segment whose
// header is damaged is still walked: its name says the same.
func (s *segment) readHeader() error {
	var buf [segmentHeaderBytes]byte
	if _, err := s.file.ReadAt(buf[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	h, err := parseSegmentHeader(buf[:])
	if err == nil && h.base != s.base {
		err = fmt.Errorf("header says position %d", h.base)
	}
	if err != nil && !errors.Is(err, errHeader) {
		return fmt.Errorf("segment %s: %w", segmentName(s.base), err)
	}
	s.mark = []mark{{segmentHeaderBytes, s.base, h.last}}
	return nil
}

// view is what a reader sees of a segment while others append to it.
type view struct {
	file file
	base uint64
	end  uint64        // position behind its last record
	last ingest.Millis // received_at of its last record
	size int64
}

// readBlock returns the header and payload of the block at offset, into buf if
// it is large enough. The end of the segment is io.EOF; a header that cannot be
// trusted is errHeader.
func (s view) readBlock(offset int64, buf []byte) (blockHeader, []byte, error) {
	if offset >= s.size {
		return blockHeader{}, nil, io.EOF
	}
	chunk := grow(buf, int(min(readAhead, s.size-offset)))
	if _, err := s.file.ReadAt(chunk, offset); err != nil {
		return blockHeader{}, nil, fmt.Errorf("read segment %s: %w", segmentName(s.base), err)
	}
	h, err := parseBlockHeader(chunk)
	if err != nil {
		return blockHeader{}, nil, err
	}
	if h.size() <= int64(len(chunk)) {
		return h, chunk[blockHeaderBytes:h.size()], nil
	}
	if offset+h.size() > s.size {
		return h, nil, errHeader
	}
	payload := grow(buf, int(h.payload))
	if _, err := s.file.ReadAt(payload, offset+blockHeaderBytes); err != nil {
		return blockHeader{}, nil, fmt.Errorf("read segment %s: %w", segmentName(s.base), err)
	}
	return h, payload, nil
}

// readAhead is read at once: most blocks fit, so most take one call.
const readAhead = 16 << 10

func grow(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

// extent is what recovery finds of a segment.
type extent struct {
	end  uint64        // position behind the last record
	size int64         // where the good part ends
	last ingest.Millis // received_at of the last record
}

// place is a block that recovery walked over.
type place struct {
	extent       // behind it
	offset int64 // where it begins
	intact bool
}

// walk goes from block to block as far as headers can be trusted. durable is the
// offset before which everything was on disk when the last intact block was written.
func (s view) walk(from extent) (places []place, durable int64, err error) {
	var buf []byte
	for at := from; ; {
		h, payload, err := s.readBlock(at.size, buf)
		if errors.Is(err, io.EOF) || errors.Is(err, errHeader) || err == nil && h.first != at.end {
			return places, durable, nil
		}
		if err != nil {
			return nil, 0, err
		}
		p := place{offset: at.size, intact: h.intact(payload)}
		if p.intact {
			durable = max(durable, int64(h.group))
		}
		at = extent{end: h.end(), size: at.size + h.size(), last: h.last}
		p.extent = at
		places = append(places, p)
		if cap(payload) > cap(buf) {
			buf = payload
		}
	}
}

// measure walks a segment that may have been cut short in mid-write and says
// where its good part ends. A block that is damaged although a later group was
// begun behind it was durable once: it rotted, and is not the end.
func (s *segment) measure() (extent, error) {
	v := view{file: s.file, base: s.base, size: s.size}
	good := extent{end: s.base, size: segmentHeaderBytes, last: s.mark[0].last}
	places, durable, err := v.walk(good)
	if err != nil {
		return extent{}, err
	}
	for _, p := range places {
		if !p.intact && p.offset >= durable {
			break
		}
		s.note(mark{p.offset, good.end, good.last})
		good = p.extent
	}
	return good, nil
}
