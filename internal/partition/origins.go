package partition

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// originWindow is how many records of one partition of a stream are remembered. Whoever reads a
// stream appends at most 500 before it commits their offset, so what is delivered
// again lies well within.
const originWindow = 4096

// streamPartition names one partition of a topic, as one stream reads it.
type streamPartition struct {
	Stream    string
	Topic     string
	Partition int32
}

// origins knows the records that streams have delivered lately: one that is delivered again is
// told by its offset and time. Both together, as a topic that is made anew counts from 0 again.
type origins map[streamPartition]*marks

// marks are those of the last records, oldest first.
type marks struct {
	order []uint64
	known map[uint64]bool
}

// seen notes a record and tells whether it was there before. A record from elsewhere never was.
func (o origins) seen(rec ingest.Record) bool {
	if rec.Origin == nil {
		return false
	}
	of := streamPartition{rec.Origin.Stream, rec.Origin.Topic, rec.Origin.Partition}
	if o[of] == nil {
		o[of] = &marks{known: map[uint64]bool{}}
	}
	return o[of].seen(mark(rec.Origin))
}

func mark(o *ingest.Origin) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(o.Offset))
	binary.BigEndian.PutUint64(b[8:], uint64(o.At))
	h := fnv.New64a()
	_, _ = h.Write(b[:]) // a hash takes everything
	return h.Sum64()
}

func (m *marks) seen(mark uint64) bool {
	if m.known[mark] {
		return true
	}
	if len(m.order) == originWindow {
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
	m.order, m.known[mark] = append(m.order, mark), true
	return false
}

// savedOrigins are the marks of one partition in a checkpoint.
type savedOrigins struct {
	Of    streamPartition
	Marks []byte // eight bytes each
}

func (o origins) save() []savedOrigins {
	var saved []savedOrigins
	for _, of := range slices.SortedFunc(maps.Keys(o), compareStreamPartitions) {
		s := savedOrigins{Of: of}
		for _, m := range o[of].order {
			s.Marks = binary.BigEndian.AppendUint64(s.Marks, m)
		}
		saved = append(saved, s)
	}
	return saved
}

func restoreOrigins(saved []savedOrigins) origins {
	o := origins{}
	for _, s := range saved {
		m := &marks{known: map[uint64]bool{}}
		for b := s.Marks; len(b) >= 8; b = b[8:] {
			m.seen(binary.BigEndian.Uint64(b))
		}
		o[s.Of] = m
	}
	return o
}

func compareStreamPartitions(a, b streamPartition) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
