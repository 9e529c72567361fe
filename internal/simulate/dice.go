package simulate

import (
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

// around returns a length with the given median, in seven of ten cases within a
// factor of 1.7 of it, and always within 4: repairs and faults are spread like
// that. It counts in whole percents, so that no machine rounds otherwise.
func (d dice) around(median ingest.Millis) ingest.Millis {
	percents := []int64{25, 45, 55, 65, 75, 85, 95, 105, 120, 135, 155, 180, 220, 400}
	i := d.IntN(len(percents) - 1)
	return median * ingest.Millis(percents[i]+d.Int64N(percents[i+1]-percents[i])) / 100
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
