package correlate

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// How much is remembered of episodes that were forgotten: their names alone, so that what is
// delivered once more after weeks is known to be a copy.
const (
	pastDays = 30
	mostPast = 500_000 // names of one tenant; beyond it names of the oldest day go
)

// past holds the names of forgotten episodes by the day on which they were forgotten, oldest first.
type past []pastDay

type pastDay struct {
	day   int64
	names []uint64 // sorted
}

// add remembers a name.
func (p *past) add(name uint64, now ingest.Millis) {
	day := int64(now / ingest.Day)
	if n := len(*p); n == 0 || (*p)[n-1].day != day {
		*p = append(*p, pastDay{day: day})
	}
	last := &(*p)[len(*p)-1]
	if i, found := slices.BinarySearch(last.names, name); !found {
		last.names = slices.Insert(last.names, i, name)
	}
	if p.size() > mostPast {
		p.evict()
	}
}

// evict drops one name of the oldest day: names are hashes, so the first is any.
func (p *past) evict() {
	oldest := &(*p)[0]
	oldest.names = oldest.names[1:]
	if len(oldest.names) == 0 {
		*p = slices.Delete(*p, 0, 1)
	}
}

// has tells whether a name is remembered.
func (p past) has(name uint64) bool {
	return slices.ContainsFunc(p, func(d pastDay) bool {
		_, found := slices.BinarySearch(d.names, name)
		return found
	})
}

func (p past) size() int {
	n := 0
	for _, d := range p {
		n += len(d.names)
	}
	return n
}

// expire drops the days that are long gone.
func (p *past) expire(now ingest.Millis) {
	oldest := int64(now/ingest.Day) - pastDays
	*p = slices.DeleteFunc(*p, func(d pastDay) bool { return d.day < oldest })
}

// savedPastDay is a pastDay as it is written: names of eight bytes.
type savedPastDay struct {
	Day   int64
	Names []byte
}

func (p past) save() []savedPastDay {
	var saved []savedPastDay
	for _, d := range p {
		one := savedPastDay{Day: d.day, Names: make([]byte, 0, 8*len(d.names))}
		for _, name := range d.names {
			one.Names = binary.BigEndian.AppendUint64(one.Names, name)
		}
		saved = append(saved, one)
	}
	return saved
}

func restorePast(saved []savedPastDay) (past, error) {
	var p past
	for _, s := range saved {
		if len(s.Names)%8 != 0 {
			return nil, fmt.Errorf("names of forgotten episodes: %d bytes are no whole names", len(s.Names))
		}
		d := pastDay{day: s.Day}
		for b := s.Names; len(b) > 0; b = b[8:] {
			d.names = append(d.names, binary.BigEndian.Uint64(b))
		}
		p = append(p, d)
	}
	return p, nil
}
