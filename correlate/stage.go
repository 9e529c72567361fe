package correlate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// freeFrom returns the first cell that stage k still decides.
func freeFrom(k int64) int64 { return k - cellsPerSpan + 1 }

// advance decides every cell up to the last one that is not decided yet and
// returns the stages that are new, oldest first.
func (l *line) advance() []stage {
	l.unsettled, l.decided = false, nil
	if len(l.stages) == 0 {
		return nil
	}
	known := len(l.stages)
	for {
		k, ok := l.nextCell(l.stages[len(l.stages)-1].cell)
		if !ok {
			return l.stages[known:]
		}
		l.stages = append(l.stages, l.decide(&l.stages[len(l.stages)-1], k))
	}
}

// nextCell returns the first cell after one that holds an episode. An empty cell
// needs no stage: nothing is to be decided in it.
func (l *line) nextCell(after int64) (int64, bool) {
	for k := after + 1; k <= l.lastCell; k++ {
		if len(l.cells[k]) > 0 {
			return k, true
		}
	}
	return 0, false
}

// decide computes the stage of cell k from the stage before it.
func (l *line) decide(before *stage, k int64) stage {
	carried := l.carry(before, k)
	var points []*point
	for c := freeFrom(k); c <= k; c++ {
		for _, e := range l.cells[c] {
			p := carried.points[e]
			if p == nil {
				p = &point{episode: e}
			}
			p.habit = carried.habits.of(e.row.AlertName)
			points = append(points, p)
		}
	}
	live := newSearch(l, k, points, l.link(points, carried)).solve()
	for _, x := range live {
		x.settleFirst()
	}
	return stage{cell: k, live: live, points: points, habits: carried.habits}
}

// carried is what a stage hands to the next one.
type carried struct {
	live   []*explanation
	points map[*episode]*point // those that stay free
	habits habits
}

// carry copies what the stage before decided, so that it stays as it is: points
// that leave the range of stage k are fixed in their explanation, the others stay free in it.
func (l *line) carry(before *stage, k int64) carried {
	c := carried{points: map[*episode]*point{}, habits: before.habits.copy()}
	copies := map[*explanation]*explanation{}
	for _, x := range before.live {
		y := x.copy()
		copies[x] = y
		c.live = append(c.live, y)
	}
	for _, p := range before.points {
		y := copies[p.owner]
		switch free := l.cellOf(p.episode) >= freeFrom(k); {
		case free:
			q := &point{episode: p.episode, owner: y, in: p.in, weight: p.weight}
			c.points[p.episode] = q
			if y != nil {
				q.slot, q.felt = len(y.free), y.sites[p.in]
				y.free = append(y.free, q)
			}
		case y != nil:
			y.fixed++
			y.sites[p.in].fixed++
			p.fixedIn = y.first
			c.habits.learn(p.row.AlertName, y.root.kind != rootAlert && y.n() >= company)
		default:
			p.fixedIn = p.episode
			c.habits.learn(p.row.AlertName, false)
			c.live = append(c.live, l.alone(p.episode, p.episode))
		}
	}
	horizon := ingest.Millis(k)*l.model.cell - ingest.Millis(l.model.Span)
	c.live = slices.DeleteFunc(c.live, func(x *explanation) bool { return len(x.free) == 0 && x.last < horizon })
	return c
}

// copy returns x without its free points.
func (x *explanation) copy() *explanation {
	y := *x
	y.run, y.table, y.free, y.sites = 0, tabled{}, nil, make(map[*root]*felt, len(x.sites))
	for site, at := range x.sites {
		one := *at
		one.kinds = slices.Clone(at.kinds)
		y.sites[site] = &one
	}
	return &y
}

// link tells points what the episode before theirs, of the same alert, is in. What
// that is comes back to life if it is not live any more. It returns what is live.
func (l *line) link(points []*point, c carried) []*explanation {
	live := c.live
	byEpisode := map[*episode]*point{}
	for _, p := range points {
		byEpisode[p.episode] = p
	}
	byFirst := map[*episode]*explanation{}
	for _, x := range live {
		byFirst[x.first] = x
	}
	for _, p := range points {
		if p.previous == nil || p.at-p.resumes > l.model.reopen {
			continue
		}
		if p.before = byEpisode[p.previous]; p.before != nil || p.previous.fixedIn == nil {
			continue
		}
		first := p.previous.fixedIn
		if byFirst[first] == nil {
			byFirst[first] = l.alone(p.previous, first)
			live = append(live, byFirst[first])
		}
		p.beforeIn = byFirst[first]
	}
	return live
}

// alone is the explanation of an episode that nothing else explained, or whose
// explanation is over: later ones of the same alert may still join it.
func (l *line) alone(e, first *episode) *explanation {
	r := e.unstable()
	x := &explanation{
		root: r, from: e.at, last: e.at, first: first, sites: map[*root]*felt{},
		prior: l.prior(r, e.at), expects: expectation{sites: 1, shape: serviceShape},
	}
	l.give(x, &point{episode: e}, bond{})
	x.free, x.fixed = nil, 1
	x.sites[e.site].fixed = 1
	return x
}

func (l *line) cellOf(e *episode) int64 { return cellOf(e.at, l.model.cell) }

// settleFirst names the first and last episode of x, once its free ones are decided.
func (x *explanation) settleFirst() {
	slices.SortFunc(x.free, func(a, b *point) int { return compareEpisodes(a.episode, b.episode) })
	for i, p := range x.free {
		p.slot = i
	}
	if x.fixed == 0 {
		x.first, x.from = x.free[0].episode, x.free[0].at
	}
	if n := len(x.free); n > 0 {
		x.last = max(x.from, x.free[n-1].at)
	}
}

// freeze makes the stages up to a cell final and forgets what led to them. The stage
// before the first that can still change is kept: it is where the rest starts from.
// It returns false where nothing was to be done.
func (l *line) freeze(cell int64) bool {
	keep := 0
	for i := range l.stages {
		if l.stages[i].cell <= cell {
			keep = i
		}
	}
	compacts := len(l.stages) > 0 && freeFrom(cell+1) > l.stages[keep].cell
	if keep == 0 && !compacts {
		return false
	}
	l.stages = slices.Clone(l.stages[keep:])
	if compacts { // nothing of it is free any more
		c := l.carry(&l.stages[0], cell+1)
		l.stages[0] = stage{cell: cell, live: c.live, habits: c.habits}
	}
	base := l.stages[0].cell
	for c := range l.cells {
		if c < freeFrom(base)+1 {
			delete(l.cells, c)
		}
	}
	l.known.fold(l.summedUp())
	return true
}
