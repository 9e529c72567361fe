package improve

import (
	"math"
	"slices"
)

// SenLine is the Theil-Sen line through a series: the median of the slopes of all
// pairs, which a few wild weeks cannot move.
type SenLine struct {
	Slope     float64  // per step; NaN under two observations
	Intercept float64  // at step 0
	Interval  Interval // of the slope, by Sen's method
	N         int
}

// Sen fits the line to x, a series of equal steps in which NaN is missing: a gap
// keeps its place in time. The interval takes the slopes whose ranks lie
// normalQuantile * sqrt(Var S) either side of the middle.
//
// Source: Theil 1950, Sen 1968; interval as in Gilbert 1987, section 16.5;
// intercept as the median of x less slope times the median step.
func Sen(x []float64) SenLine {
	slopes, steps := pairSlopes(x)
	values := observed(x)
	line := SenLine{N: len(values), Slope: math.NaN(), Intercept: math.NaN(), Interval: Interval{math.NaN(), math.NaN()}}
	if len(slopes) == 0 {
		return line
	}
	slices.Sort(slopes)
	line.Slope = medianOfSorted(slopes)
	line.Intercept = median(values) - line.Slope*median(steps)
	reach := normalQuantile(Confidence) * math.Sqrt(scoreVariance(values))
	pairs := float64(len(slopes))
	low := max(int(math.RoundToEven((pairs-reach)/2))-1, 0)
	high := min(int(math.RoundToEven((pairs+reach)/2)), len(slopes)-1)
	line.Interval = Interval{slopes[low], slopes[high]}
	return line
}

// pairSlopes returns the slope of every pair of observations, and the steps observed.
func pairSlopes(x []float64) (slopes, steps []float64) {
	for i := range x {
		if math.IsNaN(x[i]) {
			continue
		}
		steps = append(steps, float64(i))
		for j := i + 1; j < len(x); j++ {
			if !math.IsNaN(x[j]) {
				slopes = append(slopes, (x[j]-x[i])/float64(j-i))
			}
		}
	}
	return slopes, steps
}

func median(x []float64) float64 { return medianOfSorted(slices.Sorted(slices.Values(x))) }

func medianOfSorted(x []float64) float64 {
	n := len(x)
	if n == 0 {
		return math.NaN()
	}
	if n%2 == 1 {
		return x[n/2]
	}
	return (x[n/2-1] + x[n/2]) / 2
}
