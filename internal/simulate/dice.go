package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/evenkeel/evenkeel/ingest"
)

// dice are the only source of chance. Each part of a story rolls its own, so that
// a change to one part leaves the others as they were.
type dice struct{ *rand.Rand }

// roll returns the dice of one part of a story.
func roll(seed uint64, part string) dice {
	stream := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(part) {
		stream = (stream ^ uint64(b)) * 1099511628211
	}
	return dice{rand.New(rand.NewPCG(seed, stream))}
}

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between returns an instant or a length of at least low and less than high.
func (d dice) between(low, high ingest.Millis) ingest.Millis {
	if high <= low {
		return low
	}
	return low + ingest.Millis(d.Int64N(int64(high-low)))
}

// around returns a length with the given median, mostly within a factor of two
// of it: repairs and fault lengths are spread like that.
func (d dice) around(median ingest.Millis) ingest.Millis {
	factor := math.Exp(d.NormFloat64() * 0.5)
	return ingest.Millis(float64(median) * min(max(factor, 0.25), 4))
}

// pick returns one of the items.
func pick[T any](d dice, items []T) T { return items[d.IntN(len(items))] }

// some returns n of the items, or all where there are fewer, in their order.
func some[T any](d dice, items []T, n int) []T {
	var chosen []T
	for i, item := range items {
		left := len(items) - i
		if d.IntN(left) < n-len(chosen) {
			chosen = append(chosen, item)
		}
	}
	return chosen
}
