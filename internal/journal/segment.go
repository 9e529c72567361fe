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

// findBlock returns the block at offset or, where its header is damaged, the next one whose
// header can be trusted, and where it stands. Where there is none it is errHeader, and
// at the end of the segment io.EOF. after is what the block before it ended with.
func (s view) findBlock(offset int64, after extent, buf []byte) (int64, blockHeader, []byte, error) {
	h, payload, err := s.readBlock(offset, buf)
	if err == nil && h.first >= after.end || err != nil && !errors.Is(err, errHeader) {
		return offset, h, payload, err
	}
	next, err := s.resync(offset+1, after)
	if err != nil {
		return offset, blockHeader{}, nil, err
	}
	h, payload, err = s.readBlock(next, buf)
	return next, h, payload, err
}

// resyncWindow is how much of a segment is searched at once.
const resyncWindow = 1 << 20

// resync searches from offset on for a block behind damage.
func (s view) resync(offset int64, after extent) (int64, error) {
	window := make([]byte, resyncWindow)
	for offset+blockHeaderBytes <= s.size {
		chunk := window[:min(int64(len(window)), s.size-offset)]
		if _, err := s.file.ReadAt(chunk, offset); err != nil {
			return 0, fmt.Errorf("read segment %s: %w", segmentName(s.base), err)
		}
		for i := range len(chunk) - blockHeaderBytes + 1 {
			if s.follows(chunk[i:], offset+int64(i), after) {
				return offset + int64(i), nil
			}
		}
		offset += int64(len(chunk) - blockHeaderBytes + 1)
	}
	return 0, errHeader
}

// follows tells whether b begins with the header of a block that can stand at offset, some
// positions behind after. Checksums alone would be fooled by a body that holds a header.
func (s view) follows(b []byte, offset int64, after extent) bool {
	if b[20] > lastEncoding || b[21]|b[22]|b[23] != 0 {
		return false // most places end here, before their checksum is taken
	}
	h, err := parseBlockHeader(b)
	return err == nil && h.first > after.end && h.last >= after.last &&
		h.group >= segmentHeaderBytes && h.group <= uint64(offset) && offset+h.size() <= s.size &&
		(s.end == 0 || h.end() <= s.end)
}

// extent says how far a segment goes.
type extent struct {
	end  uint64        // position behind the last record
	size int64         // where the good part ends
	last ingest.Millis // received_at of the last record
}

// place is a block that recovery walked over.
type place struct {
	extent // behind it
	first  uint64
	offset int64 // where it begins
	intact bool
}

// walk goes from block to block, over damaged ones too. durable is the offset before
// which everything was on disk when the last of them was written.
func (s view) walk(from extent) (places []place, durable int64, err error) {
	var buf []byte
	for at := from; ; {
		offset, h, payload, err := s.findBlock(at.size, at, buf)
		if errors.Is(err, io.EOF) || errors.Is(err, errHeader) {
			return places, durable, nil
		}
		if err != nil {
			return nil, 0, err
		}
		durable = max(durable, int64(h.group))
		at = extent{end: h.end(), size: offset + h.size(), last: h.last}
		places = append(places, place{extent: at, first: h.first, offset: offset, intact: h.intact(payload)})
		if cap(payload) > cap(buf) {
			buf = payload
		}
	}
}

// hole is a run of positions that the disk lost.
type hole struct {
	first, end uint64 // end is the position behind it
	reason     string
}

// measured is what recovery finds of the last segment.
type measured struct {
	extent        // its good part
	holes  []hole // what is lost inside of it
	keep   bool   // leave the file alone: only its torn end proves that what rotted before it was there
}

// measure walks a segment that may have been cut short in mid-write and says
// where its good part ends, and what is lost inside of it.
//
// What a crash leaves is an end with nothing whole behind it: that is not part of what
// is good. Damage with a whole block behind it, or behind which a later group was begun,
// is rot: the positions there were given, and stay.
func (s *segment) measure() (measured, error) {
	v := view{file: s.file, base: s.base, size: s.size}
	m := measured{extent: extent{end: s.base, size: segmentHeaderBytes, last: s.mark[0].last}}
	places, durable, err := v.walk(m.extent)
	if err != nil {
		return m, err
	}
	kept := len(places)
	for kept > 0 && !places[kept-1].intact && places[kept-1].offset >= durable {
		kept--
	}
	for _, p := range places[:kept] {
		if p.first > m.end {
			m.holes = append(m.holes, hole{m.end, p.first, errHeader.Error()})
		}
		if !p.intact {
			m.holes = append(m.holes, hole{p.first, p.end, errPayload.Error()})
		}
		s.note(mark{p.offset, p.first, m.last})
		m.extent = p.extent
	}
	if m.size < durable {
		torn := places[kept]
		m.holes = append(m.holes, hole{m.end, torn.first, errHeader.Error()})
		m.extent = extent{end: torn.first, size: torn.offset, last: max(m.last, torn.last)}
		m.keep = true
	}
	return m, nil
}
