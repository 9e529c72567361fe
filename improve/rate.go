package improve

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// RateInterval returns the exact interval of the rate of a Poisson count over an
// exposure (in any unit of time; the rate is per that unit).
//
// Source: Garwood 1936: half the chi-squared quantiles with 2k and 2k+2 degrees of freedom.
func RateInterval(count int, exposure float64) Interval {
	tail := (1 - Confidence) / 2
	low := 0.0
	if count > 0 {
		low = poissonQuantile(tail, float64(count))
	}
	return Interval{low / exposure, poissonQuantile(1-tail, float64(count+1)) / exposure}
}

func poissonQuantile(p, shape float64) float64 {
	return distuv.Gamma{Alpha: shape, Beta: 1}.Quantile(p)
}

// Count is how often something was seen and for how long it was looked for.
type Count struct {
	N        int
	Exposure float64
}

// RateRatio returns the ratio of the rate of a over that of b with its exact
// interval: given the sum, a.N is binomial. The ratio is NaN without any b, the
// upper bound then infinite; without any at all the interval is everything.
//
// Source: Przyborowski and Wilenski 1940; interval by Clopper and Pearson 1934.
func RateRatio(a, b Count) (ratio float64, interval Interval) {
	scale := b.Exposure / a.Exposure
	ratio = math.NaN()
	if b.N > 0 {
		ratio = float64(a.N) / float64(b.N) * scale
	}
	share := clopperPearson(a.N, a.N+b.N)
	odds := func(p float64) float64 { return scale * p / (1 - p) }
	return ratio, Interval{odds(share.Low), odds(share.High)}
}

// RateRatioAbove returns the exact one-sided p of the null that the ratio of the
// rates is at most h0: the chance of a.N or more, given the sum.
func RateRatioAbove(a, b Count, h0 float64) float64 {
	return binomialAtLeast(a.N, a.N+b.N, nullShare(a, b, h0))
}

// RateRatioBelow returns the exact one-sided p of the null that the ratio is at least h0.
func RateRatioBelow(a, b Count, h0 float64) float64 {
	n := a.N + b.N
	return binomialAtLeast(n-a.N, n, 1-nullShare(a, b, h0))
}

// RateRatioP returns the two-sided p of equal rates that agrees with the interval of
// RateRatio: twice the smaller of the one-sided ones.
func RateRatioP(a, b Count) float64 {
	return min(1, 2*min(RateRatioAbove(a, b, 1), RateRatioBelow(a, b, 1)))
}

// nullShare returns the chance that one of all events is one of a's when the ratio is h0.
func nullShare(a, b Count, h0 float64) float64 {
	r := h0 * a.Exposure / b.Exposure
	return r / (1 + r)
}

// binomialAtLeast returns the chance of k or more successes in n: the beta
// distribution's, which keeps its accuracy in the tail.
func binomialAtLeast(k, n int, p float64) float64 {
	if k <= 0 {
		return 1
	}
	return distuv.Beta{Alpha: float64(k), Beta: float64(n-k) + 1}.CDF(p)
}

// clopperPearson returns the exact interval of a share of k in n.
func clopperPearson(k, n int) Interval {
	tail := (1 - Confidence) / 2
	i := Interval{0, 1}
	if k > 0 {
		i.Low = distuv.Beta{Alpha: float64(k), Beta: float64(n-k) + 1}.Quantile(tail)
	}
	if k < n {
		i.High = distuv.Beta{Alpha: float64(k) + 1, Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return i
}

// WilsonInterval returns the interval of a share of k in n, good for small n and
// shares near 0 and 1. Without any n it is everything.
//
// Source: Wilson 1927; Newcombe 1998, method 3.
func WilsonInterval(k, n int) Interval {
	if n == 0 {
		return Interval{0, 1}
	}
	z := normalQuantile(Confidence)
	p, m := float64(k)/float64(n), float64(n)
	centre := p + z*z/(2*m)
	reach := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	return Interval{max(0, (centre-reach)/scale), min(1, (centre+reach)/scale)}
}

// shareOf returns k in n with its Wilson interval, or reason where n is none.
func shareOf(k, n int, reason string) Ratio {
	if n == 0 {
		return Ratio{Reason: reason}
	}
	v, i := float64(k)/float64(n), WilsonInterval(k, n)
	return Ratio{Value: &v, Interval: &i}
}
