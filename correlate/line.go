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
	sum   float64       // of the gains of the fixed ones

	free    []*point // being decided in this stage
	freeSum float64
	prior   float64 // logarithm
	expects float64 // episodes
}

// n is the number of episodes explained.
func (x *explanation) n() int { return x.fixed + len(x.free) }

// worth is the logarithm of how much better x explains its episodes than the background does.
func (x *explanation) worth() float64 {
	return x.prior + size(x.n(), x.expects) + x.sum + x.freeSum
}

// point is an episode within a search.
type point struct {
	*episode
	owner *explanation
	gain  float64 // of owner, timing included
}

// stage is the outcome of deciding one cell.
type stage struct {
	cell   int64
	live   []*explanation // that later episodes may still join
	points []*point       // what was decided in it, in order

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
	l.known.learn(e, c)
	e.covers = l.model.explain(e, l.intern)
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
	for len(l.stages) > 1 && l.stages[len(l.stages)-1].cell >= cell {
		l.stages = l.stages[:len(l.stages)-1]
	}
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
	last := &l.stages[len(l.stages)-1]
	byRoot := last.index()
	var best *explanation
	most := 0.0
	for _, c := range e.covers {
		for _, x := range byRoot[c.root] {
			if !l.model.inReach(x.root.kind, x.from, x.last, e.at) {
				continue
			}
			if gain := c.gain + l.model.since(x.root.kind, x.from, x.last, e.at) + oneMore(x.n(), x.expects); gain > most {
				best, most = x, gain
			}
		}
	}
	if best == nil {
		return e, nil
	}
	return best.first, best
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
		use.answer = 0
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
