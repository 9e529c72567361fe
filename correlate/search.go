package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// A search decides which faults explain the points of one stage best. It is
// greedy facility location: time and again the fault whose opening gains most is
// opened, taking sites from others where it explains them better (or whole other
// explanations, which are then closed); between, sites and single points move to where they
// are explained best. What nothing explains better than the background stands alone.
type search struct {
	line   *line
	cell   int64
	points []*point
	open   []*explanation
	shared []*explanation // of open, those in something shared
	moved  []*explanation // that lost or got a point since their points' roots were marked
	slots  []slot
	offers []int32 // slots with an offer that is worth it

	explains      []bool   // by slot: whether an explanation was opened there
	sitesNumbered int      // see tabled
	mates         []*point // scratch; see movingSite

	scratch scratch
}

// slot is what a search knows of one root.
type slot struct {
	root    *root
	expects expectation
	n       int // covers
	covers  []covered
	open    []*explanation
	offer   offer
	stale   bool
	barred  bool // makes no more offers
}

// covered is a point that a root could explain, with copies of what does not change
// in a search: going through them is most of the work of a flood.
type covered struct {
	point *point
	share float64
	at    ingest.Millis
	habit float64
	site  int32 // slot of the point's site
	kind  int32 // of its alert
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
	// mostLooked bounds the points looked at for one offer: roots that cover
	// thousands get fewer starts.
	mostLooked = 8000
	maxRounds  = 4
	floodSize  = 2000 // points; see flood
)

func newSearch(l *line, cell int64, points []*point, open []*explanation) *search {
	s := &search{line: l, cell: cell, points: points, open: open}
	l.run++
	covers := 0
	for _, p := range points {
		p.look = !s.flood() || p.owner == nil
		s.numberSites(p)
		covers += len(p.covers)
		for _, c := range p.covers {
			s.slot(c.root).n++
		}
	}
	room := make([]covered, 0, covers) // for the covers of all slots
	for i := range s.slots {
		sl := &s.slots[i]
		sl.covers, room = room[:0:sl.n], room[sl.n:sl.n:cap(room)]
	}
	for _, p := range points {
		for _, c := range p.covers {
			sl := &s.slots[c.root.slot]
			sl.covers = append(sl.covers, covered{p, c.share, p.at, p.habit, p.site.slot, p.unstable().slot})
		}
	}
	for _, x := range open {
		s.tabulate(x)
		sl := s.slot(x.root)
		sl.open = append(sl.open, x)
		s.share(x)
	}
	for i := range s.slots {
		s.slots[i].stale = true
	}
	s.scratch.marks = make([]mark, len(s.slots))
	s.explains = make([]bool, len(s.slots))
	for _, x := range open {
		s.explains[x.root.slot] = true
	}
	return s
}

// flood tells whether there is so much to decide that only what is new is looked at.
func (s *search) flood() bool { return len(s.points) > floodSize }

// share lists x among the explanations in something shared, if it is one.
func (s *search) share(x *explanation) {
	if x.root.kind == rootShared {
		s.shared = append(s.shared, x)
	}
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
	rounds := maxRounds
	if s.flood() {
		rounds = 1
	}
	for range rounds {
		s.settle()
		s.refresh()
		if !s.openBest() {
			break
		}
	}
	s.settle()
	s.dissolve()
	for _, x := range s.open {
		x.table = tabled{}
	}
	return slices.DeleteFunc(s.open, func(x *explanation) bool { return x.n() == 0 })
}

// refresh makes every offer anew that looked at what has changed.
func (s *search) refresh() {
	for i := range s.slots {
		if sl := &s.slots[i]; sl.stale {
			sl.offer, sl.stale = s.propose(sl), false
		}
	}
}

// openBest opens explanations as long as one is worth it. An offer that became
// stale is made anew when its turn comes: opening another one rarely makes it better.
func (s *search) openBest() bool {
	opened := false
	worth := func(i int32) bool { return s.slots[i].offer.value > enough }
	s.offers = s.offers[:0]
	for i := range s.slots {
		if worth(int32(i)) {
			s.offers = append(s.offers, int32(i))
		}
	}
	for {
		best := int32(-1)
		s.offers = slices.DeleteFunc(s.offers, func(i int32) bool {
			if worth(i) && (best < 0 || s.better(i, best)) {
				best = i
			}
			return !worth(i)
		})
		if best < 0 {
			return opened
		}
		sl := &s.slots[best]
		if sl.stale {
			sl.offer, sl.stale = s.propose(sl), false
			continue
		}
		if s.accept(sl) <= enough {
			sl.barred = true // the sum of its parts promised more than they are worth together
		}
		opened = true
	}
}

func (s *search) better(i, j int32) bool {
	a, b := &s.slots[i], &s.slots[j]
	if a.offer.value != b.offer.value {
		return a.offer.value > b.offer.value
	}
	return compareRoots(a.root.rootKey, b.root.rootKey) < 0
}

// propose finds the best explanation that could be opened in a root.
func (s *search) propose(sl *slot) offer {
	var best offer
	if len(sl.covers) < 2 || sl.barred || sl.expects.none {
		return best
	}
	starts := max(4, min(maxStarts, mostLooked/len(sl.covers)))
	stride := (len(sl.covers) + starts - 1) / starts
	for i := 0; i < len(sl.covers)-1; i += stride {
		if value := s.evaluate(sl, i); value > best.value+enough {
			best = offer{value, sl.covers[i].at, s.taken()}
		}
	}
	return best
}

// accept opens the offer of a root and returns what that gained in truth.
func (s *search) accept(sl *slot) float64 {
	o := sl.offer
	x := &explanation{
		root: sl.root, from: o.from, last: o.from, expects: sl.expects,
		prior: s.line.prior(sl.root, o.from), sites: map[*root]*felt{},
	}
	s.tabulate(x)
	s.open = append(s.open, x)
	sl.open = append(sl.open, x)
	s.explains[sl.root.slot] = true
	s.share(x)
	losers := o.owners()
	before := worth(losers)
	for _, c := range o.take {
		s.move(c.point, x, bond{share: c.share, tells: sl.expects.tells})
	}
	s.markMoved()
	for _, c := range sl.covers {
		c.point.look = true
	}
	return x.worth() + worth(losers) - before
}

// owners lists the explanations that an offer takes from.
func (o *offer) owners() []*explanation {
	var owners []*explanation
	for _, c := range o.take {
		if x := c.point.owner; x != nil && !slices.Contains(owners, x) {
			owners = append(owners, x)
		}
	}
	return owners
}

// worth sums what explanations are worth; one without episodes is none.
func worth(explanations []*explanation) float64 {
	sum := 0.0
	for _, x := range explanations {
		if x.n() > 0 {
			sum += x.worth()
		}
	}
	return sum
}

// move gives p another owner, nil for none.
func (s *search) move(p *point, to *explanation, b bond) {
	if p.owner != nil {
		s.note(p.owner)
		p.owner.release(p)
	}
	if to != nil {
		s.note(to)
		s.line.give(to, p, b)
	}
	s.mark(p)
}

// note says that what x's points are worth in it has changed.
func (s *search) note(x *explanation) {
	if !x.moved {
		x.moved = true
		s.moved = append(s.moved, x)
	}
}

// release takes a free point out of x.
func (x *explanation) release(p *point) {
	last := len(x.free) - 1
	x.free[p.slot] = x.free[last]
	x.free[p.slot].slot = p.slot
	x.free[last] = nil
	x.free = x.free[:last]
	x.sum -= p.weight
	if p.felt.n--; p.felt.n == 0 {
		x.unfeel(p.in)
	}
	p.owner, p.in, p.felt, p.weight = nil, nil, nil, 0
}

// give adds a free point to x.
func (l *line) give(x *explanation, p *point, b bond) {
	j := l.joining(x, p, b)
	at := x.at(j.site)
	if at == nil {
		at = &felt{from: p.at, last: p.at, onset: j.onset}
		x.feel(j.site, at)
	}
	at.n++
	at.last = max(at.last, p.at)
	if _, seen := at.first(p.unstable()); !seen {
		at.kinds = append(at.kinds, kind{p.unstable(), p.at})
	}
	p.owner, p.in, p.felt, p.weight, p.slot = x, j.site, at, j.weight, len(x.free)
	x.free = append(x.free, p)
	x.sum += j.weight
	x.last = max(x.last, p.at)
}

// markMoved says that the offers that look at points of what has changed are to be made anew.
func (s *search) markMoved() {
	for _, x := range s.moved {
		x.moved = false
		for _, p := range x.free {
			p.look = p.look || !s.flood()
			s.mark(p)
		}
	}
	s.moved = s.moved[:0]
}

func (s *search) mark(p *point) {
	for _, c := range p.covers {
		s.slots[c.root.slot].stale = true
	}
}

// settle moves sites and single points to the open explanation that explains them
// best. It looks at those for which something has changed.
func (s *search) settle() {
	for range maxRounds {
		moved := false
		for _, p := range s.points {
			if p.look {
				p.look = false
				moved = s.improve(p) || moved
			}
		}
		s.markMoved()
		if !moved {
			return
		}
	}
}

// moving is the best that was found for a point to do.
type moving struct {
	to    *explanation
	bond  bond
	gain  float64
	whole bool // with all of its site
}

// improve moves p, or all of its site, to where it is explained best.
func (s *search) improve(p *point) bool {
	best := moving{gain: enough}
	margin := p.margin()
	try := func(x *explanation, b bond) {
		if x == p.owner || x.n() == 0 {
			return
		}
		if j := s.line.joining(x, p, b); j.ok && j.gain-margin > best.gain {
			best = moving{x, b, j.gain - margin, false}
		}
	}
	s.mates = s.mates[:0]
	for _, c := range p.covers {
		if !s.explains[c.root.slot] {
			continue
		}
		for _, x := range s.slots[c.root.slot].open {
			b := bond{share: c.share, tells: x.expects.tells}
			try(x, b)
			if gain, ok := s.movingSite(p, x, c.root, b); ok && gain > best.gain {
				best = moving{x, b, gain, true}
			}
		}
	}
	if x := p.resumed(s.line.model); x != nil {
		try(x, p.resuming(x))
	}
	for _, x := range s.shared {
		if p.coveredBy(x.root) {
			continue
		}
		if b, ok := s.line.throughService(x, p); ok {
			try(x, b)
			if gain, ok := s.movingSite(p, x, nil, b); ok && gain > best.gain {
				best = moving{x, b, gain, true}
			}
		}
	}
	return s.carryOut(p, best)
}

func (s *search) carryOut(p *point, m moving) bool {
	switch {
	case m.to == nil:
		return false
	case m.whole:
		for _, q := range p.companions() {
			s.move(q, m.to, m.bond)
		}
	default:
		s.move(p, m.to, m.bond)
	}
	return true
}

// margin is what the owner of p would lose without it.
func (p *point) margin() float64 {
	x := p.owner
	if x == nil {
		return 0
	}
	if p.felt.n > 1 {
		return p.weight
	}
	return p.weight + x.lessSite(p.in)
}

// lessSite is what x loses with one of its sites, beside the weights of the episodes there.
func (x *explanation) lessSite(site *root) float64 {
	loss := x.at(site).onset + x.oneMore(len(x.sites)-1)
	if site == x.root && x.root.kind == rootService {
		loss -= logSilent
	}
	return loss
}

// companions are the points of p's owner at its site, in order; p is one of them.
func (p *point) companions() []*point {
	var all []*point
	for _, q := range p.owner.free {
		if q.in == p.in {
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(a, b *point) int { return compareEpisodes(a.episode, b.episode) })
	return all
}

// movingSite returns what is gained by moving all of p's site from its owner to x,
// whose root covers it (or, without a root, may be reached through a service).
// It is asked at the site's first point only.
func (s *search) movingSite(p *point, x *explanation, r *root, b bond) (float64, bool) {
	from := p.owner
	if from == nil || from == x || p.felt.from != p.at || x.n() == 0 {
		return 0, false
	}
	at := p.felt
	if at.fixed > 0 || at.n < 2 || from.root.kind == rootAlert || x.root.kind == rootAlert {
		return 0, false
	}
	gain := -from.lessSite(p.in)
	if len(s.mates) == 0 { // the same for all that p is tried in
		for _, q := range from.free {
			if q.in == p.in {
				s.mates = append(s.mates, q)
			}
		}
	}
	for _, q := range s.mates {
		if r != nil && !q.coveredBy(r) {
			return 0, false
		}
		j := s.line.joining(x, q, b)
		if !j.ok {
			return 0, false
		}
		switch {
		case x.at(j.site) != nil:
			gain += j.weight - q.weight
		case q == p:
			gain += j.gain - j.weight + b.tells - from.tells(p)
		default:
			gain += b.tells - from.tells(p)
		}
	}
	return gain, true
}

// tells is what having the label of x's root counts in p's weight.
func (x *explanation) tells(p *point) float64 {
	if p.in == p.far {
		return 0
	}
	return x.expects.tells
}

func (e *episode) coveredBy(r *root) bool {
	return slices.ContainsFunc(e.covers, func(c cover) bool { return c.root == r })
}

// dissolve takes apart what is not worth being an explanation.
func (s *search) dissolve() {
	for _, x := range s.open {
		if x.fixed == 0 && (len(x.free) < 2 || x.worth() <= 0) {
			for _, p := range slices.Clone(x.free) {
				s.move(p, nil, bond{})
			}
		}
	}
}
