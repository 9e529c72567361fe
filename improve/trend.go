package improve

import (
	"fmt"
	"math"
)

// Direction says which way a metric gets better.
type Direction int

// The directions in which a metric gets better.
const (
	LessIsBetter Direction = iota
	MoreIsBetter
)

// TrendOf tests a weekly series for a trend; NaN is a week that was not observed.
//
// The verdict is the Mann-Kendall test's at 1-Confidence, two-sided: exact where
// no two of at most twenty weeks are equal, else by the normal approximation.
// Where neighbouring weeks are significantly alike the test would be too sure of
// itself; then the larger of its p and Hamed-Rao's decides. The effect is
// the Theil-Sen slope.
func TrendOf(x []float64, metric string, better Direction) Trend {
	n := len(observed(x))
	t := Trend{Verdict: TooLittleData, Metric: metric, N: n, Missing: len(x) - n, Notes: []string{}}
	t.Method = "Mann-Kendall test, Theil-Sen slope"
	if n >= 2 {
		line := Sen(x)
		t.Effect = &line.Slope
	}
	if n < MinWeeks {
		t.Notes = append(t.Notes, fmt.Sprintf("a verdict needs at least %d observed weeks", MinWeeks))
		return t
	}
	line := Sen(x)
	t.Interval = &line.Interval
	mk := MannKendallOf(x)
	p, how := mk.P, "normal approximation"
	if !mk.Tied && n <= maxExact {
		p, how = ExactP(n, mk.S), "exact"
	}
	if alike(x) {
		if _, hr, variance := HamedRao(x); variance > 0 && hr > p {
			p, how = hr, "Hamed-Rao"
			t.Notes = append(t.Notes, "neighbouring weeks are alike; the test allows for it")
		}
	}
	t.P, t.Tau = &p, &mk.Tau
	t.Method += " (" + how + ")"
	t.Verdict = verdictOf(p, mk.S, better)
	if t.Missing > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d of %d weeks not observed and left out", t.Missing, len(x)))
	}
	return t
}

func verdictOf(p float64, s int, better Direction) Verdict {
	switch {
	case p > 1-Confidence || s == 0:
		return NoEvidence
	case (s < 0) == (better == LessIsBetter):
		return Improved
	}
	return Worse
}

// alike says whether neighbouring observations, less the slope, are correlated
// more than chance would have it.
func alike(x []float64) bool {
	slope := Sen(x).Slope
	x = observed(x)
	for i := range x {
		x[i] -= float64(i) * slope
	}
	c := autocorrelation(ranks(x))
	return len(c) > 1 && c[1] > normalQuantile(Confidence)/math.Sqrt(float64(len(x)))
}
