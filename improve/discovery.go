package improve

import (
	"cmp"
	"slices"
)

// Discoveries says which of several tests to believe when the share of false ones
// among those believed is to stay at level: the Benjamini-Hochberg procedure.
//
// Source: Benjamini and Hochberg 1995.
func Discoveries(p []float64, level float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	last := -1
	for rank, i := range order {
		if p[i] <= level*float64(rank+1)/float64(len(p)) {
			last = rank
		}
	}
	believed := make([]bool, len(p))
	for _, i := range order[:last+1] {
		believed[i] = true
	}
	return believed
}

// discoveries says which of several trends to believe.
func discoveries(trends []Trend) []bool {
	p := make([]float64, len(trends))
	for i, t := range trends {
		p[i] = *t.P
	}
	return Discoveries(p, 1-Confidence)
}
