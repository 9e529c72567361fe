package improve

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// MannKendall is the result of the Mann-Kendall test: whether a series rises or
// falls more steadily than chance would have it.
//
// S is the number of pairs that rise in time minus the number that fall. Without
// a trend its variance is n(n-1)(2n+5)/18, less the same of every group of ties,
// and Z is S, moved one towards zero, over its standard deviation.
//
// Source: Mann 1945, Kendall 1975; ties as in Gilbert 1987, section 16.4.
type MannKendall struct {
	N    int
	S    int
	VarS float64
	Z    float64
	P    float64 // two-sided, normal approximation with continuity correction
	Tau  float64 // S over the number of pairs (tau-a)
	Tied bool    // two observations are equal
}

// MannKendallOf tests x, a series in time order in which NaN is a missing
// observation.
func MannKendallOf(x []float64) MannKendall {
	x = observed(x)
	n := len(x)
	mk := MannKendall{N: n, S: score(x), VarS: scoreVariance(x)}
	mk.Tied = mk.VarS != untiedVariance(n)
	if n > 1 {
		mk.Tau = float64(mk.S) / (float64(n) * float64(n-1) / 2)
	}
	mk.Z = zOf(mk.S, mk.VarS)
	mk.P = twoSided(mk.Z)
	return mk
}

// observed returns x without its missing observations.
func observed(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// score returns the pairs that rise minus the pairs that fall.
func score(x []float64) int {
	s := 0
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			switch {
			case x[j] > x[i]:
				s++
			case x[j] < x[i]:
				s--
			}
		}
	}
	return s
}

func untiedVariance(n int) float64 { return varianceTerm(n) / 18 }

func varianceTerm(n int) float64 { return float64(n) * float64(n-1) * float64(2*n+5) }

// scoreVariance returns the variance of the score of a series without a trend.
func scoreVariance(x []float64) float64 {
	sum := varianceTerm(len(x))
	for _, t := range tieGroups(x) {
		sum -= varianceTerm(t)
	}
	return sum / 18
}

// tieGroups returns the sizes of the groups of equal values.
func tieGroups(x []float64) []int {
	sorted := slices.Sorted(slices.Values(x))
	var groups []int
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		groups = append(groups, j-i)
		i = j
	}
	return groups
}

// zOf standardises a score with the continuity correction.
func zOf(s int, variance float64) float64 {
	switch {
	case s == 0 || variance <= 0:
		return 0
	case s > 0:
		return float64(s-1) / math.Sqrt(variance)
	}
	return float64(s+1) / math.Sqrt(variance)
}

func twoSided(z float64) float64 { return 2 * distuv.UnitNormal.Survival(math.Abs(z)) }

// maxExact is the longest series that ExactP is used for: beyond it the normal
// approximation is good to three decimals.
const maxExact = 20

// ExactP returns the exact two-sided p of a score s of n untied observations: the
// share of the n! orders whose score is at least as far from zero.
//
// The number of orders of n with k inversions obeys Mahonian numbers'
// recurrence, and the score is n(n-1)/2 - 2k. Source: Kendall 1975, chapter 5.
func ExactP(n, s int) float64 {
	pairs := n * (n - 1) / 2
	share := []float64{1} // share[k] of the orders have k inversions
	for m := 2; m <= n; m++ {
		next := make([]float64, len(share)+m-1)
		for k, p := range share {
			for j := range m {
				next[k+j] += p / float64(m)
			}
		}
		share = next
	}
	p := 0.0
	for k, q := range share {
		if abs(pairs-2*k) >= abs(s) {
			p += q
		}
	}
	return min(p, 1)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// HamedRao returns the variance of S and the z and p that follow from it when the
// observations are correlated in time: the plain variance times n/n*, with the
// significant autocorrelations of the ranks of the series less its slope.
//
// Source: Hamed and Rao 1998, J. Hydrology 204; the form of pyMannKendall, which
// takes every lag.
func HamedRao(x []float64) (z, p, variance float64) {
	slope := Sen(x).Slope
	x = observed(x)
	n := len(x)
	detrended := make([]float64, n)
	for i, v := range x {
		detrended[i] = v - float64(i+1)*slope
	}
	correlation := autocorrelation(ranks(detrended))
	bound := normalQuantile(Confidence) / math.Sqrt(float64(n))
	sum := 0.0
	for lag := 1; lag < n; lag++ {
		if math.Abs(correlation[lag]) > bound {
			sum += float64(n-lag) * float64(n-lag-1) * float64(n-lag-2) * correlation[lag]
		}
	}
	factor := 1 + 2*sum/(float64(n)*float64(n-1)*float64(n-2))
	variance = scoreVariance(x) * factor
	z = zOf(score(x), variance)
	return z, twoSided(z), variance
}

// normalQuantile returns how many standard deviations either side of the mean hold
// a share of a normal distribution: 1.96 for 0.95.
func normalQuantile(confidence float64) float64 {
	return distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
}

// ranks returns the rank of each value, ties sharing their mean.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	r := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			r[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return r
}

// autocorrelation returns the autocorrelation of x at every lag, 1 at lag 0. A
// constant series has none at all.
func autocorrelation(x []float64) []float64 {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	c := make([]float64, len(x))
	for lag := range c {
		for i := 0; i+lag < len(x); i++ {
			c[lag] += (x[i] - mean) * (x[i+lag] - mean)
		}
	}
	if len(c) == 0 || c[0] == 0 {
		return c
	}
	for lag := len(c) - 1; lag >= 0; lag-- {
		c[lag] /= c[0]
	}
	return c
}
