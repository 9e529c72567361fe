package config

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// groupingKeys are the settings of the search for what explains episodes
// together. What is left out is left to the correlator, which was tuned with them all.
func groupingKeys() reader[correlate.Grouping] {
	const own = "the correlator's"
	milliseconds := convert(asDuration, func(d time.Duration) int64 { return int64(ingest.MillisIn(d)) })
	number := scalar("number", parsePositive)
	return object(
		key(spec{Name: "span", Default: own, Text: "how long after an incident's first episode others still join it"},
			milliseconds, func(g *correlate.Grouping) *int64 { return &g.Span }),
		key(spec{Name: "delay", Default: own, Text: "the mean time from an incident's first episode to the first one at another service"},
			milliseconds, func(g *correlate.Grouping) *int64 { return &g.Delay }),
		key(spec{Name: "burst", Default: own, Text: "the mean time from the first episode at a service to the others there"},
			milliseconds, func(g *correlate.Grouping) *int64 { return &g.Burst }),
		key(spec{Name: "background_per_hour", Default: own, Text: "how often one service begins to alert for a reason of its own, per hour"},
			number, func(g *correlate.Grouping) *float64 { return &g.Background }),
		key(spec{Name: "own", Default: own, Text: "how many episodes a fault makes at a service that feels it"},
			number, func(g *correlate.Grouping) *float64 { return &g.Own }),
		key(spec{Name: "spread", Default: own, Text: "the share of a service's dependants that feel its faults"},
			asShare, func(g *correlate.Grouping) *float64 { return &g.Spread }),
		key(spec{Name: "hops", Default: own, Text: "how many steps of dependency are followed"},
			scalar("whole number", wholeNumber(1, 10)), func(g *correlate.Grouping) *int { return &g.Hops }),
		key(spec{Name: "shared", Default: own, Text: "the share of those that share a host or a zone which feel its faults"},
			asShare, func(g *correlate.Grouping) *float64 { return &g.Shared }),
	)
}

// asShare refuses 0, which would be read as not said.
var asShare = scalar("percentage or ratio", func(s string) (float64, error) {
	r, err := parseRatio(s)
	if err == nil && r == 0 {
		return 0, fmt.Errorf("%q is nothing; leave the key out for the default", s)
	}
	return r, err
})

func parsePositive(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n > 0) || n > math.MaxInt32 {
		return 0, fmt.Errorf("%q is not a number above 0", s)
	}
	return n, nil
}
