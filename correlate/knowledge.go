package correlate

import "math"

// knowledge is what past episodes told of labels: how many values each has and
// how many services meet at one value. From it follows how many services a fault
// of one value would be felt at: all for a label with one value, a few for a host,
// one for a pod. So no label needs to be known by name.
type knowledge struct {
	services firsts
	labels   map[string]*labelUse
}

// labelUse counts the values of one label.
type labelUse struct {
	values firsts
	pairs  firsts // value and service together

	asked  int64 // the cell that answer is for; learning takes it back
	answer float64
}

// firsts remembers in which cell each name was first seen, and counts them by cell.
type firsts struct {
	seen   map[string]int64
	byCell map[int64]int
	before int // names first seen in the cells that were folded up
}

func (f *firsts) add(name string, cell int64) {
	if f.seen == nil {
		f.seen, f.byCell = map[string]int64{}, map[int64]int{}
	}
	known, ok := f.seen[name]
	if ok && known <= cell {
		return
	}
	if ok {
		f.byCell[known]--
	}
	f.seen[name] = cell
	f.byCell[cell]++
}

// upTo returns how many names were first seen up to a cell.
func (f *firsts) upTo(cell int64) int {
	n := f.before
	for c, count := range f.byCell {
		if c <= cell {
			n += count
		}
	}
	return n
}

// fold moves the counts up to a cell together.
func (f *firsts) fold(cell int64) {
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
	place := e.row.Service
	if place == "" {
		place = e.row.Fingerprint
	}
	k.services.add(place, cell)
	for _, use := range k.labels {
		use.answer = 0
	}
	for _, l := range e.row.Labels {
		use := k.labels[l.Name]
		if use == nil {
			use = &labelUse{}
			k.labels[l.Name] = use
		}
		use.values.add(l.Value, cell)
		use.pairs.add(l.Value+"\x00"+place, cell)
	}
}

// size is how many names are remembered.
func (k *knowledge) size() int {
	n := len(k.services.seen)
	for _, use := range k.labels {
		n += len(use.values.seen) + len(use.pairs.seen)
	}
	return n
}

// fold closes the books of the cells up to one.
func (k *knowledge) fold(cell int64) {
	k.services.fold(cell)
	for _, use := range k.labels {
		use.values.fold(cell)
		use.pairs.fold(cell)
	}
}

// meeting estimates how many of all services meet at one value of a label, from
// what was seen up to a cell.
func (k *knowledge) meeting(label string, cell int64, all int) float64 {
	use := k.labels[label]
	if use == nil {
		return float64(all)
	}
	if use.asked == cell && use.answer != 0 {
		return use.answer
	}
	use.asked, use.answer = cell, k.estimate(use, cell, all)
	return use.answer
}

func (k *knowledge) estimate(use *labelUse, cell int64, all int) float64 {
	values, pairs, services := use.values.upTo(cell), use.pairs.upTo(cell), k.services.upTo(cell)
	if values == 0 || services == 0 {
		return float64(all)
	}
	unseen := max(1, float64(all)/float64(services))
	return math.Min(math.Max(1, float64(pairs)/float64(values)*unseen), float64(max(all, services)))
}
