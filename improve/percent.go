package improve

import (
	"math"
	"strconv"
)

// Percent writes a share as a percentage with so many decimals, cut and not
// rounded: 0.99999 is "99.99 %" with two, and only 1 is "100.00 %".
func Percent(share float64, decimals int) string {
	scale := math.Pow10(decimals)
	// The shares of whole counts carry errors of 1e-16: 0.29 must not read 28 %.
	return strconv.FormatFloat(math.Floor(share*100*scale+1e-9)/scale, 'f', decimals, 64) + " %"
}

// Share writes a share of counts as a whole percentage, rounded, but never as
// nothing or all where it is not.
func Share(share float64) string {
	switch rounded := math.Round(share * 100); {
	case share > 0 && rounded == 0:
		return "< 1 %"
	case share < 1 && rounded == 100:
		return "> 99 %"
	default:
		return strconv.FormatFloat(rounded, 'f', 0, 64) + " %"
	}
}

// percentOf writes a share as a percentage with as many decimals as it has, up to nine.
func percentOf(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e11)/1e9, 'f', -1, 64) + " %"
}
