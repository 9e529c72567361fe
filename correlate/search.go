package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// A search decides which faults explain the points of one stage best. It is
// greedy facility location: time and again the fault whose opening gains most is
// opened, taking points from others where it explains them better (or whole other
// explanations, which are then closed); between, single points move to where they
// are explained best. What nothing explains better than the background stands alone.
type search struct {
	line   *line
	cell   int64
	points []*point
	open   []*explanation
	slots  []slot
	takes  []int // scratch
}

// slot is what a search knows of one root.
type slot struct {
	root    *root
	expects float64
	covers  []covered
	open    []*explanation
	offer   offer
	stale   bool
}

// covered is a point that a root could explain.
type covered struct {
	point *point
	gain  float64
}

// offer is the best explanation that could be opened in a root.
type offer struct {
	value float64
	from  ingest.Millis
	take  []covered
}

const (
	enough    = 1e-6 // a gain below it is rounding
	maxStarts = 16   // starts tried for one root
	maxRounds = 4
)

func newSearch(l *line, cell int64, points []*point, open []*explanation) *search {
	s := &search{line: l, cell: cell, points: points, open: open}
	l.run++
	for _, p := range points {
		for _, c := range p.covers {
			sl := s.slot(c.root)
			sl.covers = append(sl.covers, covered{p, c.gain})
		}
	}
	for _, x := range open {
		sl := s.slot(x.root)
		sl.open = append(sl.open, x)
	}
	for i := range s.slots {
		s.slots[i].stale = true
		s.slots[i].offer.value = 1 // looked at once
	}
	return s
}

// slot returns what the search knows of r.
func (s *search) slot(r *root) *slot {
	if r.run != s.line.run {
		r.run, r.slot = s.line.run, int32(len(s.slots))
		s.slots = append(s.slots, slot{root: r, expects: s.line.expects(r, s.cell)})
	}
	return &s.slots[r.slot]
}

// solve runs the search to its end.
func (s *search) solve() []*explanation {
	for range maxRounds {
		s.settle()
		if !s.openBest() {
			break
		}
	}
	s.settle()
	s.dissolve()
	return slices.DeleteFunc(s.open, func(x *explanation) bool { return x.n() == 0 })
}

// openBest opens explanations as long as one is worth it.
func (s *search) openBest() bool {
	opened := false
	for {
		best := -1
		for i := range s.slots {
			if v := s.slots[i].offer.value; v > enough && (best < 0 || s.better(i, best)) {
				best = i
			}
		}
		if best < 0 {
			return opened
		}
		sl := &s.slots[best]
		if sl.stale {
			sl.offer, sl.stale = s.propose(sl), false
			continue
		}
		s.accept(sl)
		opened = true
	}
}

func (s *search) better(i, j int) bool {
	a, b := &s.slots[i], &s.slots[j]
	if a.offer.value != b.offer.value {
		return a.offer.value > b.offer.value
	}
	return compareRoots(a.root.rootKey, b.root.rootKey) < 0
}

// propose finds the best explanation that could be opened in a root.
func (s *search) propose(sl *slot) offer {
	var best offer
	if len(sl.covers) < 2 {
		return best
	}
	stride := (len(sl.covers) + maxStarts - 1) / maxStarts
	for i := 0; i < len(sl.covers)-1; i += stride {
		if o := s.evaluate(sl, i); o.value > best.value+enough {
			best = o
		}
	}
	return best
}

// tally is what an offer would take from one explanation.
type tally struct {
	from  *explanation
	seen  int     // points of it that the root covers
	whole float64 // gained by taking all and closing it
	parts float64 // gained by taking those that gain
	count int     // of those
}

// evaluate computes the offer that starts at one covered point.
func (s *search) evaluate(sl *slot, start int) offer {
	from := sl.covers[start].point.at
	covers := sl.covers[start:]
	prior := s.line.prior(sl.root, from)
	for i, c := range covers {
		if !s.line.model.inReach(sl.root.kind, from, prev(covers, i), c.point.at) {
			covers = covers[:i]
			break
		}
	}
	count := len(covers)
	var o offer
	for range 2 {
		more := oneMore(max(count-1, 0), sl.expects)
		tallies := s.tally(sl, from, covers, more)
		o = s.collect(sl, from, covers, more, tallies)
		o.value += prior + size(len(o.take), sl.expects)
		if len(o.take) == count {
			break
		}
		count = len(o.take)
	}
	if len(o.take) < 2 {
		return offer{}
	}
	return o
}

func prev(covers []covered, i int) ingest.Millis {
	return covers[max(i-1, 0)].point.at
}

// tally sums what would be taken from each explanation.
func (s *search) tally(sl *slot, from ingest.Millis, covers []covered, more float64) []tally {
	var tallies []tally
	at := map[*explanation]int{}
	for i, c := range covers {
		x := c.point.owner
		if x == nil {
			continue
		}
		j, ok := at[x]
		if !ok {
			j = len(tallies)
			at[x] = j
			tallies = append(tallies, tally{from: x, whole: -x.worth()})
		}
		t := &tallies[j]
		gain := c.gain + s.line.model.since(sl.root.kind, from, prev(covers, i), c.point.at) + more
		t.seen++
		t.whole += gain
		if d := gain - c.point.margin(); d > 0 {
			t.parts += d
			t.count++
		}
	}
	return tallies
}

// collect lists what an offer takes, and its value without prior and size.
func (s *search) collect(sl *slot, from ingest.Millis, covers []covered, more float64, tallies []tally) offer {
	closes := map[*explanation]bool{}
	o := offer{from: from}
	for _, t := range tallies {
		if t.from.fixed == 0 && t.seen == len(t.from.free) && t.whole > t.parts {
			closes[t.from] = true
			o.value -= t.from.worth()
		}
	}
	for i, c := range covers {
		gain := c.gain + s.line.model.since(sl.root.kind, from, prev(covers, i), c.point.at)
		lost := 0.0
		if x := c.point.owner; x != nil && !closes[x] {
			lost = c.point.margin()
		}
		if c.point.owner != nil && closes[c.point.owner] || gain+more > lost {
			o.value += gain - lost
			o.take = append(o.take, covered{c.point, gain})
		}
	}
	return o
}

// margin is what the owner of p would lose without it.
func (p *point) margin() float64 {
	if p.owner == nil {
		return 0
	}
	return p.gain + oneMore(p.owner.n()-1, p.owner.expects)
}

// accept opens the offer of a root.
func (s *search) accept(sl *slot) {
	o := sl.offer
	x := &explanation{root: sl.root, from: o.from, expects: sl.expects, prior: s.line.prior(sl.root, o.from)}
	s.open = append(s.open, x)
	sl.open = append(sl.open, x)
	for _, c := range o.take {
		s.move(c.point, x, c.gain)
	}
	s.touch(x)
}

// move gives p another owner.
func (s *search) move(p *point, to *explanation, gain float64) {
	if old := p.owner; old != nil {
		s.touch(old)
		i := slices.Index(old.free, p)
		old.free = slices.Delete(old.free, i, i+1)
		old.freeSum -= p.gain
	}
	p.owner, p.gain = to, gain
	if to != nil {
		to.free = append(to.free, p)
		to.freeSum += gain
		to.last = max(to.last, p.at)
	}
	s.mark(p)
}

// touch says that the offers that look at x's points are to be made anew.
func (s *search) touch(x *explanation) {
	for _, p := range x.free {
		s.mark(p)
	}
}

func (s *search) mark(p *point) {
	for _, c := range p.covers {
		s.slots[c.root.slot].stale = true
	}
}

// settle moves single points to the open explanation that explains them best.
func (s *search) settle() {
	for range maxRounds {
		moved := false
		for _, p := range s.points {
			if x, gain := s.bestFor(p); x != nil {
				s.move(p, x, gain)
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	for i := range s.slots {
		if sl := &s.slots[i]; sl.stale && len(sl.covers) >= 2 {
			sl.offer, sl.stale = s.propose(sl), false
		}
	}
}

// bestFor returns the explanation that p gains most by moving to, nil where it stays.
func (s *search) bestFor(p *point) (*explanation, float64) {
	m := s.line.model
	best, bestGain, bestMargin := (*explanation)(nil), 0.0, p.margin()+enough
	for _, c := range p.covers {
		for _, x := range s.slots[c.root.slot].open {
			if x == p.owner || x.n() == 0 || !m.inReach(x.root.kind, x.from, x.last, p.at) {
				continue
			}
			gain := c.gain + m.since(x.root.kind, x.from, x.last, p.at)
			if margin := gain + oneMore(x.n(), x.expects); margin > bestMargin {
				best, bestGain, bestMargin = x, gain, margin
			}
		}
	}
	return best, bestGain
}

// dissolve takes apart what is not worth being an explanation.
func (s *search) dissolve() {
	for _, x := range s.open {
		if x.fixed == 0 && (len(x.free) < 2 || x.worth() <= 0) {
			for _, p := range slices.Clone(x.free) {
				s.move(p, nil, 0)
			}
		}
	}
}
