package eval

import (
	"math"
	"strings"
)

// Result holds the scores of one grouping. All lie between 0 and 1, except ARI,
// which is 0 for a random grouping and may be negative.
type Result struct {
	Episodes  int     `json:"episodes"`
	Groups    int     `json:"groups"`
	Missing   int     `json:"missing"` // episodes of the truth without an assignment; each counts as a group of its own
	F1        float64 `json:"b3_f1"`
	Precision float64 `json:"b3_precision"`
	Recall    float64 `json:"b3_recall"`
	ARI       float64 `json:"ari"`
	V         float64 `json:"v_measure"`
}

// Scores are the results over all episodes and over those of faults alone:
// noise and flaps are nearly free, and hide what a grouping does with faults.
type Scores struct {
	All    Result `json:"all"`
	Faults Result `json:"faults"`
}

// Score compares a grouping with the truth.
func Score(truth []Truth, assigned []Assignment) Scores {
	where := map[EpisodeID]string{}
	for _, a := range assigned {
		where[a.EpisodeID] = a.Incident
	}
	var all, faults sample
	for _, t := range truth {
		group, ok := where[t.EpisodeID]
		all.add(t.Fault, group, ok)
		if t.IsFault() {
			faults.add(t.Fault, group, ok)
		}
	}
	return Scores{All: all.result(), Faults: faults.result()}
}

// IsFault tells whether the episode belongs to a fault, rather than to noise or
// to an alert that flaps.
func (t Truth) IsFault() bool { return strings.HasPrefix(t.Fault, "fault") }

// sample collects pairs of true and assigned group.
type sample struct {
	classes, groups []int
	class           map[string]int
	group           map[string]int
	missing         int
}

func (s *sample) add(class, group string, assigned bool) {
	if s.class == nil {
		s.class, s.group = map[string]int{}, map[string]int{}
	}
	s.classes = append(s.classes, number(s.class, class))
	if !assigned {
		s.missing++
		group = "\x00" + string(rune(s.missing)) // alone
	}
	s.groups = append(s.groups, number(s.group, group))
}

// number returns the number of a name, the next one for a new name.
func number(names map[string]int, name string) int {
	n, ok := names[name]
	if !ok {
		n = len(names)
		names[name] = n
	}
	return n
}

func (s *sample) result() Result {
	r := Result{Episodes: len(s.classes), Groups: len(s.group), Missing: s.missing}
	if r.Episodes == 0 {
		return r
	}
	t := newTable(s.classes, s.groups, len(s.class), len(s.group))
	r.Precision, r.Recall = t.bCubed()
	r.F1 = harmonic(r.Precision, r.Recall)
	r.ARI, r.V = t.ari(), t.vMeasure()
	return r
}

// table is a contingency table of classes against groups, as far as it is not empty.
type table struct {
	n       int
	classes []int
	groups  []int
	cells   []cell // in the order in which they were first met
}

type cell struct{ class, group, n int }

func newTable(classes, groups []int, nClasses, nGroups int) *table {
	t := &table{n: len(classes), classes: make([]int, nClasses), groups: make([]int, nGroups)}
	at := map[[2]int]int{}
	for i, c := range classes {
		g := groups[i]
		t.classes[c]++
		t.groups[g]++
		j, ok := at[[2]int{c, g}]
		if !ok {
			j = len(t.cells)
			at[[2]int{c, g}] = j
			t.cells = append(t.cells, cell{class: c, group: g})
		}
		t.cells[j].n++
	}
	return t
}

// bCubed returns the mean over episodes of the share of their group that is of
// their class (precision), and of their class that is in their group (recall).
// Bagga and Baldwin 1998.
func (t *table) bCubed() (precision, recall float64) {
	for _, c := range t.cells {
		square := float64(c.n) * float64(c.n)
		precision += square / float64(t.groups[c.group])
		recall += square / float64(t.classes[c.class])
	}
	return precision / float64(t.n), recall / float64(t.n)
}

// ari is the adjusted Rand index: agreement of pairs, less what chance gives.
// Hubert and Arabie 1985.
func (t *table) ari() float64 {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	var both, classes, groups float64
	for _, c := range t.cells {
		both += pairs(c.n)
	}
	for _, n := range t.classes {
		classes += pairs(n)
	}
	for _, n := range t.groups {
		groups += pairs(n)
	}
	all := pairs(t.n)
	if all == 0 {
		return 1
	}
	expected := classes * groups / all
	most := (classes + groups) / 2
	if most == expected {
		return 1
	}
	return (both - expected) / (most - expected)
}

// vMeasure is the harmonic mean of homogeneity and completeness. Rosenberg and
// Hirschberg 2007.
func (t *table) vMeasure() float64 {
	n := float64(t.n)
	var hc, hg, hcg, hgc float64
	for _, c := range t.classes {
		hc -= float64(c) / n * math.Log(float64(c)/n)
	}
	for _, g := range t.groups {
		hg -= float64(g) / n * math.Log(float64(g)/n)
	}
	for _, c := range t.cells {
		p := float64(c.n) / n
		hcg -= p * math.Log(float64(c.n)/float64(t.groups[c.group]))
		hgc -= p * math.Log(float64(c.n)/float64(t.classes[c.class]))
	}
	homogeneity, completeness := 1.0, 1.0
	if hc > 0 {
		homogeneity = 1 - hcg/hc
	}
	if hg > 0 {
		completeness = 1 - hgc/hg
	}
	return harmonic(homogeneity, completeness)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}
