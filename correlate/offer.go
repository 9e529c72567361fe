package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// group is what an offer could take in one piece: the covered points of one site that
// have the same owner, and the same site there.
type group struct {
	owner  *explanation
	in     *root // their site there
	site   *root // their site in the offer
	share  float64
	after  ingest.Millis // delay of the first
	weight float64       // of the points in the offer, less what they weigh now
	points []*covered
	loss   float64 // of their owner, beside the weights of the points; see kept
	kept   bool    // whether loss is known
	next   int     // the next group of the same site, -1 for none
	takes  bool
}

// claim is what an offer could take from one explanation.
type claim struct {
	owner  *explanation
	points int
	whole  float64 // gained by taking all and closing it
	parts  float64 // gained by taking what gains
	closes bool
}

// scratch is what evaluating an offer writes on. It is used again and again.
type scratch struct {
	run    uint64
	marks  []mark // by slot
	groups []group
	claims []claim
}

// mark is what an evaluation notes of a root as a site or as a kind of alert.
type mark struct {
	run   uint64
	seen  bool
	taken bool
	at    ingest.Millis // place of the first point
	group int           // first group of the site, -1 for none
}

// mark returns the notes of this evaluation on r.
func (s *search) markOf(r *root) *mark { return s.markAt(r.slot) }

func (s *search) markAt(slot int32) *mark {
	m := &s.scratch.marks[slot]
	if m.run != s.scratch.run {
		*m = mark{run: s.scratch.run, group: -1}
	}
	return m
}

// evaluate computes the value of the offer of a root that starts at one covered
// point. What it would take is left in the scratch.
func (s *search) evaluate(sl *slot, start int) float64 {
	from := sl.covers[start].at
	s.gather(sl, start)
	count := s.sites()
	fixed := s.line.prior(sl.root, from)
	if sl.root.kind == rootService {
		fixed += logSilent // taken back by its own site
	}
	value := 0.0
	for range 2 {
		var sites, points int
		value, sites, points = s.compose(sl, sl.expects.oneMore(max(count-1, 0)))
		value += fixed + sl.expects.size(sites)
		if points < 2 {
			return 0
		}
		if sites == count {
			break
		}
		count = sites
	}
	return value
}

// sites counts the sites of what was gathered.
func (s *search) sites() int {
	n := 0
	for i := range s.scratch.groups {
		if s.markOf(s.scratch.groups[i].site).group == i {
			n++
		}
	}
	return n
}

// taken lists what the evaluation that was made last would take, in order.
func (s *search) taken() []covered {
	var take []covered
	for i := range s.scratch.groups {
		if s.scratch.groups[i].takes {
			for _, c := range s.scratch.groups[i].points {
				take = append(take, *c)
			}
		}
	}
	slices.SortFunc(take, func(a, b covered) int { return compareEpisodes(a.point.episode, b.point.episode) })
	return take
}

// gather sorts what a root covers from a start on into groups and claims.
func (s *search) gather(sl *slot, start int) {
	sc := &s.scratch
	sc.run++
	sc.groups, sc.claims = sc.groups[:0], sc.claims[:0]
	from, last := sl.covers[start].at, sl.covers[start].at
	covers := sl.covers[start:]
	for i := range covers {
		c := &covers[i]
		p := c.point
		if !s.line.model.inReach(sl.root.kind, from, last, c.at) {
			break
		}
		last = c.at
		g := s.groupOf(c)
		if len(g.points) == 0 {
			g.after = c.at - s.followed(from, p)
		}
		g.points = append(g.points, c)
		g.weight += s.weigh(sl, c) - p.weight
		if p.owner != nil {
			s.claimOn(p.owner).points++
		}
	}
}

// groupOf returns the group that c belongs to, a new one if it is the first.
func (s *search) groupOf(c *covered) *group {
	sc, p := &s.scratch, c.point
	m := s.markAt(c.site)
	for i := m.group; i >= 0; i = sc.groups[i].next {
		if g := &sc.groups[i]; g.owner == p.owner && g.in == p.in {
			return g
		}
	}
	i := len(sc.groups)
	if i < cap(sc.groups) {
		sc.groups = sc.groups[:i+1] // with the points' memory of before
	} else {
		sc.groups = append(sc.groups, group{})
	}
	g := &sc.groups[i]
	*g = group{owner: p.owner, in: p.in, site: p.site, share: c.share, points: g.points[:0], next: -1}
	if m.group < 0 {
		m.group = i
		return g
	}
	tail := m.group
	for sc.groups[tail].next >= 0 {
		tail = sc.groups[tail].next
	}
	sc.groups[tail].next = i
	return g
}

// claimOn returns the claim on an explanation, a new one if it is the first.
func (s *search) claimOn(x *explanation) *claim {
	sc := &s.scratch
	if x.run != sc.run {
		x.run, x.claim = sc.run, len(sc.claims)
		sc.claims = append(sc.claims, claim{owner: x})
	}
	return &sc.claims[x.claim]
}

// weigh is the weight of a point among those gathered so far, which it joins.
func (s *search) weigh(sl *slot, p *covered) float64 {
	m := s.line.model
	site, kind := s.markAt(p.site), s.markAt(p.kind)
	defer func() {
		if !site.seen {
			site.seen, site.at = true, p.at
		}
		if !kind.seen || sl.root.kind == rootAlert {
			kind.seen, kind.at = true, p.at
		}
	}()
	switch {
	case !site.seen:
		return m.further + sl.expects.tells + p.habit
	case sl.root.kind == rootAlert:
		return m.again(p.at - kind.at)
	case kind.seen:
		return m.repeat(p.at-kind.at) + sl.expects.tells + p.habit
	default:
		return m.another(p.at-site.at) + sl.expects.tells + p.habit
	}
}

// followed is the place of what p's site felt the fault after, among the sites
// gathered so far.
func (s *search) followed(from ingest.Millis, p *point) ingest.Millis {
	for _, c := range p.covers[:p.direct] {
		if m := s.markOf(c.root); m.seen && c.hops == 1 {
			from = max(from, m.at)
		}
	}
	return from
}

// heard is what it is worth that a fault is felt where it is.
func (sl *slot) heard(site *root) float64 {
	if site != sl.root || sl.root.kind != rootService {
		return 0
	}
	return -logSilent
}

// gain is what taking g would add: its points, and its site unless that is taken already.
func (s *search) gain(sl *slot, g *group, more float64) float64 {
	if s.markOf(g.site).taken {
		return g.weight
	}
	return g.weight + s.line.model.onset(g.share, g.after) + more + sl.heard(g.site)
}

// compose chooses what to take and returns what that is worth without the prior
// and the size of the whole, and how many sites and points it is.
func (s *search) compose(sl *slot, more float64) (value float64, sites, points int) {
	sc := &s.scratch
	for i := range sc.groups {
		sc.groups[i].takes = false
		s.markOf(sc.groups[i].site).taken = false
	}
	s.close(sl, more)
	for i := range sc.claims {
		if c := &sc.claims[i]; c.closes {
			value -= c.owner.standing()
		}
	}
	for i := range sc.groups {
		g := &sc.groups[i]
		gained := s.gain(sl, g, more)
		if closes := g.owner != nil && sc.claims[g.owner.claim].closes; !closes {
			if gained -= g.keeps(); gained <= 0 {
				continue
			}
		}
		if m := s.markOf(g.site); !m.taken {
			m.taken = true
			sites++
			gained -= more // counted by the size of the whole
		}
		g.takes = true
		points += len(g.points)
		value += gained
	}
	return value, sites, points
}

// close marks the claims that are better taken whole: all of an explanation, which then is no more.
func (s *search) close(sl *slot, more float64) {
	sc := &s.scratch
	for i := range sc.claims {
		c := &sc.claims[i]
		c.whole, c.parts, c.closes = 0, 0, false
		if c.owner.fixed == 0 && c.points == len(c.owner.free) {
			c.whole = -c.owner.standing()
		}
	}
	for i := range sc.groups {
		if g := &sc.groups[i]; g.owner != nil {
			c := &sc.claims[g.owner.claim]
			gained := s.gain(sl, g, more)
			c.whole += gained
			c.parts += max(0, gained-g.keeps())
		}
	}
	for i := range sc.claims {
		c := &sc.claims[i]
		c.closes = c.owner.fixed == 0 && c.points == len(c.owner.free) && c.whole > c.parts
	}
}

// keeps is what the owner of g loses beside the weights of its points.
func (g *group) keeps() float64 {
	if !g.kept {
		g.kept = true
		if g.owner != nil && g.points[0].point.felt.n <= len(g.points) {
			g.loss = g.owner.lessSite(g.in)
		}
	}
	return g.loss
}
