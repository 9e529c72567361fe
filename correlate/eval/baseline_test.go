package eval_test

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/ingest"
)

// baselines are the trivial groupings that a correlator must beat: an episode joins a
// group whose last episode began at most a gap before, if the two have something in common.
func baselines(services []correlate.Service) map[string]grouper {
	neighbour := map[[2]string]bool{}
	for _, s := range services {
		neighbour[[2]string{s.Name, s.Name}] = true
		for _, d := range s.DependsOn {
			neighbour[[2]string{s.Name, d}], neighbour[[2]string{d, s.Name}] = true, true
		}
	}
	near := func(a, b *correlate.Episode) bool { return neighbour[[2]string{a.Service, b.Service}] }
	return map[string]grouper{
		"alertname, 5 min":            {5 * ingest.Minute, func(a, b *correlate.Episode) bool { return a.AlertName == b.AlertName }},
		"service, 15 min":             {15 * ingest.Minute, func(a, b *correlate.Episode) bool { return a.Service == b.Service }},
		"time gap 60 s":               {ingest.Minute, func(_, _ *correlate.Episode) bool { return true }},
		"topology neighbours, 5 min":  {5 * ingest.Minute, near},
		"topology neighbours, 15 min": {15 * ingest.Minute, near},
		"every alert alone":           {0, func(_, _ *correlate.Episode) bool { return false }},
		"everything in one":           {ingest.Day, func(_, _ *correlate.Episode) bool { return true }},
	}
}

type grouper struct {
	gap  ingest.Millis
	akin func(a, b *correlate.Episode) bool
}

// group puts episodes into connected sets of those that are akin and near in time.
func (g grouper) group(episodes []correlate.Episode) []eval.Assignment {
	all := slices.SortedFunc(slices.Values(episodes), func(a, b correlate.Episode) int {
		return cmp.Or(cmp.Compare(a.StartsAt, b.StartsAt), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	set := make([]int, len(all))
	var find func(int) int
	find = func(i int) int {
		if set[i] != i {
			set[i] = find(set[i])
		}
		return set[i]
	}
	for i := range all {
		set[i] = i
		for j := i - 1; j >= 0 && all[i].StartsAt-all[j].StartsAt <= g.gap; j-- {
			if g.akin(&all[i], &all[j]) {
				set[find(i)] = find(j)
			}
		}
	}
	for i := range all {
		all[i].Incident = fmt.Sprint(find(i))
	}
	return eval.Assignments(all)
}
