package correlate

import (
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// The line of decisions is cut into cells. Episodes lie on it by place (see [Fold]);
// stage k decides what is in the last [cellsPerSpan] cells up to k, starting from what stage k-1
// decided; what leaves that range is decided for good. So the outcome of stage
// k is a function of the episodes up to cell k and of nothing else, and an
// episode that comes late has the stages from its cell on decided anew.
const cellsPerSpan = 3

// lookBack bounds how far before its first delivery an episode lies on the
// line: what fires since yesterday and is first heard of now is news of now.
const lookBack = 15 * ingest.Minute

// explanation is a fault in a root, and the episodes that it explains.
type explanation struct {
	root  *root
	from  ingest.Millis // place of the first episode
	last  ingest.Millis // place of the last one
	first *episode      // names the incident
	fixed int           // episodes decided for good
	sum   float64       // of the weights of all episodes
	sites map[*root]*felt
	onset float64 // sum of the weights of the sites

	free    []*point // being decided in this stage
	prior   float64  // logarithm
	expects expectation

	run   uint64 // of the evaluation that claims from it
	claim int
	moved bool // since its points' roots were marked
	table tabled
	grows [2]growth
}

// n is the number of episodes explained.
func (x *explanation) n() int { return x.fixed + len(x.free) }

// worth is the logarithm of how much better x explains its episodes than the background does.
func (x *explanation) worth() float64 { return x.standing() + x.sum }

// standing is the part of worth that is not of single episodes.
func (x *explanation) standing() float64 {
	standing := x.prior + x.expects.size(len(x.sites)) + x.onset
	if x.silent() {
		standing += logSilent
	}
	return standing
}

// silent tells whether the fault is in a service that does not feel it itself.
func (x *explanation) silent() bool {
	return x.root.kind == rootService && x.at(x.root) == nil
}

// point is an episode within a search.
type point struct {
	*episode
	owner  *explanation
	slot   int     // its place among owner's free points
	in     *root   // its site in owner
	felt   *felt   // what owner has there
	look   bool    // whether something changed that may move it
	weight float64 // in owner
	habit  float64 // what its alert's name tells of being in company; see habits

	before   *point       // of the alert's episode before this one, where it is decided too
	beforeIn *explanation // or what that one is in for good
}

// resumed is the explanation that the alert's episode before p is in, if it is
// not long over.
func (p *point) resumed(m *model) *explanation {
	switch gap := p.at - p.resumes; {
	case p.previous == nil || gap < 0 || gap > m.reopen:
		return nil
	case p.before != nil:
		return p.before.owner
	default:
		return p.beforeIn
	}
}

// stage is the outcome of deciding one cell.
type stage struct {
	cell   int64
	live   []*explanation // that later episodes may still join
	points []*point       // what was decided in it, in order
	habits habits

	byRoot map[*root][]*explanation // live, made by index
}

// line is the line of decisions of one tenant.
type line struct {
	model     *model
	known     *knowledge
	roots     map[rootKey]*root
	keptRoots int                  // at the last cleaning
	run       uint64               // number of the last search; roots are stamped with it
	cells     map[int64][]*episode // what is not decided for good, sorted
	stages    []stage              // the first is final; the rest can still change
	decided   *stage               // the last one that was forgotten: what comes before all is decided anew goes by it
	changes   changes
	lastCell  int64
	unsettled bool
}

func newLine(m *model) *line {
	return &line{model: m, known: newKnowledge(), roots: map[rootKey]*root{}, cells: map[int64][]*episode{}}
}

func cellOf(at, cell ingest.Millis) int64 { return int64(at / cell) }

// place is where an episode lies: at its start, but not after its first
// delivery nor long before it, nor where all is decided for good.
func (l *line) place(startsAt, firstSeen ingest.Millis) ingest.Millis {
	at := min(max(startsAt, firstSeen-lookBack), firstSeen)
	if len(l.stages) > 0 {
		at = max(at, ingest.Millis(l.stages[0].cell+1)*l.model.cell)
	}
	return at
}

// complete is the last cell that nothing can come into any more at fold time now.
func (l *line) complete(now ingest.Millis) int64 {
	return cellOf(now-lookBack-Lateness, l.model.cell) - 1
}

// insert puts e on the line.
func (l *line) insert(e *episode) {
	c := cellOf(e.at, l.model.cell)
	if len(l.stages) == 0 {
		l.stages = []stage{{cell: l.complete(e.row.FirstSeenAt) - 1}}
	}
	i, _ := slices.BinarySearchFunc(l.cells[c], e, compareEpisodes)
	l.cells[c] = slices.Insert(l.cells[c], i, e)
	l.model.explain(e, l.intern)
	l.known.learn(e, c)
	l.lastCell = max(l.lastCell, c)
	l.invalidate(c)
}

func (l *line) intern(key rootKey) *root {
	r := l.roots[key]
	if r == nil {
		r = &root{rootKey: key}
		l.roots[key] = r
	}
	return r
}

// invalidate forgets the stages from a cell on.
func (l *line) invalidate(cell int64) {
	if len(l.stages) == 0 {
		return
	}
	l.unsettled = true
	n := len(l.stages)
	for n > 1 && l.stages[n-1].cell >= cell {
		n--
	}
	if last := len(l.stages); n < last && l.decided == nil {
		newest := l.stages[last-1]
		l.decided = &newest
	}
	l.stages = l.stages[:n]
}

// summedUp is the last cell of which it is not told apart any more when names came.
func (l *line) summedUp() int64 {
	return l.stages[0].cell - int64(rememberedCells/l.model.cell)
}

// undecided counts the episodes that are to be decided.
func (l *line) undecided() int {
	n := 0
	after := l.stages[len(l.stages)-1].cell
	for c := freeFrom(after + 1); c <= l.lastCell; c++ {
		n += len(l.cells[c])
	}
	return n
}

// guess returns where e most likely belongs, by what is decided so far.
func (l *line) guess(e *episode) (*episode, *explanation) {
	newest := l.decided
	if newest == nil {
		newest = &l.stages[len(l.stages)-1]
	}
	byRoot := newest.index()
	p := &point{episode: e}
	var best *explanation
	most := 0.0
	for _, c := range e.covers {
		for _, x := range byRoot[c.root] {
			if j := l.joining(x, p, bond{share: c.share, tells: x.expects.tells}); j.ok && j.gain > most {
				best, most = x, j.gain
			}
		}
	}
	if best == nil {
		return e, nil
	}
	return best.first, best
}

// bond says how an episode hangs on a root: how likely a fault there is felt at its
// site, and what having the root's label tells.
type bond struct {
	share, tells float64
	far          bool // through a service that it depends on
	again        bool // only as the same alert firing again
}

// joint is what an explanation gains by an episode: its own weight, and that of its site if it is the first there.
type joint struct {
	gain, weight, onset float64
	site                *root
	ok                  bool
}

// joining weighs p in x.
func (l *line) joining(x *explanation, p *point, b bond) joint {
	m := l.model
	j := joint{ok: !b.again && m.inReach(x.root.kind, x.from, x.last, p.at), site: p.site}
	if b.far {
		j.site = p.far
	}
	at := x.at(j.site)
	switch {
	case at == nil:
		j.onset = m.onset(b.share, p.at-l.follows(x, p))
		j.weight = m.further + b.tells + p.habit
		j.gain = j.onset + x.oneMore(len(x.sites))
		if j.site == x.root && x.silent() {
			j.gain -= logSilent
		}
	case x.root.kind == rootAlert:
		j.weight = m.again(p.at - at.last)
	default:
		if first, seen := at.first(p.unstable()); seen {
			j.weight = m.repeat(p.at-first) + b.tells + p.habit
		} else {
			j.weight = m.another(p.at-at.from) + b.tells + p.habit
		}
	}
	if at != nil && p.resumed(m) == x {
		if again := m.again(p.at - p.resumes); !j.ok || again > j.weight {
			j.ok, j.weight = true, again
		}
	}
	j.gain += j.weight
	return j
}

// resuming is the bond of p to what the same alert was in before.
func (p *point) resuming(x *explanation) bond {
	return bond{again: true, far: p.far != nil && x.at(p.site) == nil && x.at(p.far) != nil}
}

// follows is the place of what p's site felt the fault after: a service that it
// depends on, or else the first of all.
func (l *line) follows(x *explanation, p *point) ingest.Millis {
	from := x.from
	for _, c := range p.covers[:p.direct] {
		if c.hops != 1 {
			continue
		}
		if at := x.at(c.root); at != nil && at.from <= p.at {
			from = max(from, at.from)
		}
	}
	return from
}

// throughService is the bond of p to something shared that it does not have itself,
// but a service that it depends on.
func (l *line) throughService(x *explanation, p *point) (bond, bool) {
	if len(x.sites) < leastShared {
		return bond{}, false
	}
	for _, c := range p.covers {
		if c.root.kind != rootService {
			break // services come first
		}
		if c.hops > 0 && x.at(c.root) != nil {
			return bond{share: c.share + logIndirect, far: true}, true
		}
	}
	return bond{}, false
}

// index returns what is live by root; it is made once.
func (s *stage) index() map[*root][]*explanation {
	if s.byRoot == nil {
		s.byRoot = map[*root][]*explanation{}
		for _, x := range s.live {
			s.byRoot[x.root] = append(s.byRoot[x.root], x)
		}
	}
	return s.byRoot
}

// reconfigure decides by another model from here on.
func (l *line) reconfigure(m *model) {
	if m.cell != l.model.cell {
		l.recut(m.cell)
	}
	l.model = m
	for _, use := range l.known.labels {
		use.answered = false
	}
	if len(l.stages) > 0 {
		l.invalidate(l.stages[0].cell + 1)
	}
}

// recut lays what is not final out in cells of another length.
func (l *line) recut(cell ingest.Millis) {
	old := l.model.cell
	cells := map[int64][]*episode{}
	for _, c := range slices.Sorted(maps.Keys(l.cells)) {
		for _, e := range l.cells[c] {
			k := cellOf(e.at, cell)
			cells[k] = append(cells[k], e)
		}
	}
	l.cells = cells
	l.lastCell = 0
	for c := range cells {
		l.lastCell = max(l.lastCell, c)
	}
	if len(l.stages) > 0 {
		l.stages = l.stages[:1]
		l.stages[0].cell = int64(ingest.Millis(l.stages[0].cell+1)*old/cell) - 1
	}
}
