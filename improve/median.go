package improve

import "gonum.org/v1/gonum/stat/distuv"

// medianRanks returns the ranks, from 0, of the two of n sorted observations that
// hold the median between them with at least [Confidence]; false where n is too
// small for that (under 6).
//
// Source: the number of observations below the median is binomial(n, 1/2); David and
// Nagaraja 2003, section 7.1.
func medianRanks(n int) (low, high int, ok bool) {
	below := distuv.Binomial{N: float64(n), P: 0.5}
	r := 0
	for r < n/2 && below.CDF(float64(r)) <= (1-Confidence)/2 {
		r++
	}
	if r == 0 {
		return 0, 0, false
	}
	return r - 1, n - r, true
}
