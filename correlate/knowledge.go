package correlate

import (
	"cmp"
	"math"

	"github.com/evenkeel/evenkeel/ingest"
)

// knowledge is what past episodes told of labels: how many values each has and
// how many services meet at one value. From it follows how many services a fault
// of one value would be felt at: all for a label with one value, a few for a host,
// one for a pod. So no label needs to be known by name.
type knowledge struct {
	sites  firsts[string]
	labels map[string]*labelUse
}

// labelUse counts the values of one label.
type labelUse struct {
	values firsts[string]
	sites  firsts[string] // that have the label
	pairs  firsts[pair]

	asked    int64 // the cell that answer is for
	answered bool  // learning takes it back
	answer   sharing
}

// pair is a value of a label and a site that has it.
type pair struct{ value, site string }

func comparePairs(a, b pair) int {
	return cmp.Or(cmp.Compare(a.value, b.value), cmp.Compare(a.site, b.site))
}

// firsts remembers in which cell each name was first seen, and counts them by cell.
type firsts[K comparable] struct {
	seen   map[K]int64
	byCell map[int64]int
	before int // names first seen in the cells that were folded up
}

// add notes that a name was seen in a cell, and tells whether that is news: it was not seen so early yet.
func (f *firsts[K]) add(name K, cell int64) bool {
	if f.seen == nil {
		f.seen, f.byCell = map[K]int64{}, map[int64]int{}
	}
	known, ok := f.seen[name]
	if ok && known <= cell {
		return false
	}
	if ok {
		f.byCell[known]--
	}
	f.seen[name] = cell
	f.byCell[cell]++
	return true
}

// upTo returns how many names were first seen up to a cell.
func (f *firsts[K]) upTo(cell int64) int {
	n := f.before
	for c, count := range f.byCell {
		if c <= cell {
			n += count
		}
	}
	return n
}

// fold moves the counts up to a cell together.
func (f *firsts[K]) fold(cell int64) {
	for c, count := range f.byCell {
		if c <= cell {
			f.before += count
			delete(f.byCell, c)
		}
	}
}

func newKnowledge() *knowledge { return &knowledge{labels: map[string]*labelUse{}} }

// learn takes in the labels of e.
func (k *knowledge) learn(e *episode, cell int64) {
	site := e.site.name // its service, or else its fingerprint
	k.sites.add(site, cell)
	for _, use := range k.labels {
		use.answered = false
	}
	for _, l := range e.row.Labels {
		k.learnLabel(l.Name, pair{l.Value, site}, cell)
	}
}

// learnLabel takes in one value of a label.
func (k *knowledge) learnLabel(name string, p pair, cell int64) {
	use := k.labels[name]
	if use == nil {
		use = &labelUse{}
		k.labels[name] = use
	}
	if use.pairs.add(p, cell) { // else neither of the two is news
		use.values.add(p.value, cell)
		use.sites.add(p.site, cell)
	}
}

// size is how many names are remembered.
func (k *knowledge) size() int {
	n := len(k.sites.seen)
	for _, use := range k.labels {
		n += len(use.values.seen) + len(use.sites.seen) + len(use.pairs.seen)
	}
	return n
}

// rememberedCells is for how long before what is decided for good it is known when names came.
const rememberedCells = ingest.Day

// fold closes the books of the cells up to one.
func (k *knowledge) fold(cell int64) {
	k.sites.fold(cell)
	for _, use := range k.labels {
		use.values.fold(cell)
		use.sites.fold(cell)
		use.pairs.fold(cell)
	}
}

// sharing is what is known of faults of the values of one label.
type sharing struct {
	meet  float64 // services that meet at one value
	tells float64 // weight of an alert having the value: log of how many values a service has
	names bool    // whether the label tells anything apart: it has more than one value
}

// sharing estimates what is to be expected of a label's values, from what was seen
// up to a cell. A service not seen yet is taken to be like those that were.
func (k *knowledge) sharing(label string, cell int64, all int) sharing {
	use := k.labels[label]
	if use == nil {
		return sharing{}
	}
	if use.asked != cell || !use.answered {
		use.asked, use.answered = cell, true
		use.answer = k.estimate(use, cell, all)
	}
	return use.answer
}

func (k *knowledge) estimate(use *labelUse, cell int64, all int) sharing {
	values, pairs := use.values.upTo(cell), use.pairs.upTo(cell)
	sites, having := k.sites.upTo(cell), use.sites.upTo(cell)
	if values < 2 || sites == 0 || having == 0 {
		return sharing{}
	}
	unseen := max(1, float64(all)/float64(sites))
	meet := float64(pairs) / float64(values) * unseen
	return sharing{
		meet:  min(max(1, meet), float64(max(all, sites))),
		tells: math.Log(max(1, float64(pairs)/float64(having))),
		names: true,
	}
}
