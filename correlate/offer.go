package correlate

import (
	"math"

	"github.com/evenkeel/evenkeel/ingest"
)

// group is what an offer could take in one piece: the covered points of one site that
// have the same owner.
type group struct {
	owner  *explanation
	in     *root // its site there
	site   *root // its site in the offer
	share  float64
	after  ingest.Millis // delay of the first
	points []covered
	weight float64 // of the points in the offer, less what they weigh now
}

// claim is what an offer could take from one explanation.
type claim struct {
	owner  *explanation
	groups []*group
	points int
}

// evaluate computes the offer of a root that starts at one covered point.
func (s *search) evaluate(sl *slot, start int) offer {
	from := sl.covers[start].point.at
	groups, claims := s.gather(sl, start)
	count := len(groups)
	var o offer
	for range 2 {
		o = s.compose(sl, from, groups, claims, sl.expects.oneMore(max(count-1, 0)))
		sites := o.sites()
		o.value += s.line.prior(sl.root, from) + sl.expects.size(sites)
		if sl.root.kind == rootService {
			o.value += math.Log(silentRoot) // taken back by its own site
		}
		if sites == count {
			break
		}
		count = sites
	}
	if len(o.take) < 2 {
		return offer{}
	}
	return o
}

// sites counts the sites of what an offer takes.
func (o *offer) sites() int {
	seen := map[*root]bool{}
	for _, c := range o.take {
		seen[c.point.site] = true
	}
	return len(seen)
}

// gather sorts what a root covers from a start on into groups and claims.
func (s *search) gather(sl *slot, start int) ([]*group, []*claim) {
	type key struct {
		owner *explanation
		in    *root
		site  *root
	}
	m := s.line.model
	from, last := sl.covers[start].point.at, sl.covers[start].point.at
	var groups []*group
	var claims []*claim
	known, claimed := map[key]*group{}, map[*explanation]*claim{}
	since := map[*root]ingest.Millis{} // places of the first points, by site and by kind of alert
	for _, c := range sl.covers[start:] {
		p := c.point
		if !m.inReach(sl.root.kind, from, last, p.at) {
			break
		}
		last = p.at
		g := known[key{p.owner, p.in, p.site}]
		if g == nil {
			g = &group{owner: p.owner, in: p.in, site: p.site, share: c.share}
			known[key{p.owner, p.in, p.site}] = g
			groups = append(groups, g)
			if p.owner != nil {
				cl := claimed[p.owner]
				if cl == nil {
					cl = &claim{owner: p.owner}
					claimed[p.owner] = cl
					claims = append(claims, cl)
				}
				cl.groups = append(cl.groups, g)
			}
		}
		if len(g.points) == 0 {
			g.after = p.at - follows(since, from, p)
		}
		g.points = append(g.points, c)
		g.weight += m.weigh(sl, since, p) - p.weight
		if p.owner != nil {
			claimed[p.owner].points++
		}
	}
	return groups, claims
}

// weigh is the weight of p among the points gathered so far, which it joins.
func (m *model) weigh(sl *slot, since map[*root]ingest.Millis, p *point) float64 {
	first, seen := since[p.site]
	if !seen {
		since[p.site], since[p.unstable()] = p.at, p.at
		return m.further + sl.expects.tells + p.habit
	}
	same, again := since[p.unstable()]
	if !again {
		since[p.unstable()] = p.at
	}
	switch {
	case sl.root.kind == rootAlert:
		since[p.unstable()] = p.at
		return m.again(p.at - same)
	case again:
		return m.repeat(p.at-same) + sl.expects.tells + p.habit
	default:
		return m.another(p.at-first) + sl.expects.tells + p.habit
	}
}

// follows is the place of what p's site felt the fault after, among the sites
// gathered so far.
func follows(since map[*root]ingest.Millis, from ingest.Millis, p *point) ingest.Millis {
	for _, c := range p.covers {
		if at, ok := since[c.root]; ok && c.hops == 1 {
			from = max(from, at)
		}
	}
	return from
}

// heard is what it is worth that a fault is felt where it is.
func (sl *slot) heard(site *root) float64 {
	if site != sl.root || sl.root.kind != rootService {
		return 0
	}
	return -math.Log(silentRoot)
}

// compose chooses what to take. Its value leaves out the prior and the size of the whole.
func (s *search) compose(sl *slot, from ingest.Millis, groups []*group, claims []*claim, more float64) offer {
	m := s.line.model
	o := offer{from: from}
	taken := map[*root]bool{}
	gain := func(g *group) float64 {
		if taken[g.site] {
			return g.weight
		}
		return g.weight + m.onset(g.share, g.after) + more + sl.heard(g.site)
	}
	take := func(g *group, value float64) {
		if !taken[g.site] {
			value -= more // counted by the size of the whole
		}
		taken[g.site] = true
		o.value += value
		o.take = append(o.take, g.points...)
	}
	closed := map[*explanation]bool{}
	for _, c := range claims {
		if c.owner.fixed > 0 || c.points != len(c.owner.free) {
			continue
		}
		whole, parts := -c.owner.standing(), 0.0
		for _, g := range c.groups {
			whole += gain(g)
			parts += max(0, gain(g)-g.kept())
		}
		if whole > parts {
			closed[c.owner] = true
			o.value -= c.owner.standing()
			for _, g := range c.groups {
				take(g, gain(g))
			}
		}
	}
	for _, g := range groups {
		if g.owner != nil && closed[g.owner] {
			continue
		}
		if value := gain(g) - g.kept(); value > 0 {
			take(g, value)
		}
	}
	return o
}

// kept is what the owner of g loses beside the weights of its points.
func (g *group) kept() float64 {
	if g.owner == nil {
		return 0
	}
	if at := g.owner.sites[g.in]; at.n > len(g.points) {
		return 0
	}
	return g.owner.lessSite(g.in)
}
