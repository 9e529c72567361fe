package correlate

import (
	"maps"
	"math"
	"slices"
)

// step is a service reached along dependencies, and the way there.
type step struct {
	service string
	hops    int
	via     int // index of the step before; -1 for the first
}

// topology holds what can be reached from each service along its dependencies.
type topology struct {
	below map[string][]step  // the service itself first, then by hops, then by name
	reach map[string]float64 // at how many services a fault of the service is felt
	size  int                // services
}

// newTopology follows the dependencies of services up to g.Hops steps. A
// dependency that is no service of the catalogue counts as one.
func newTopology(services []Service, g Grouping) *topology {
	depends := map[string][]string{}
	for _, s := range services {
		depends[s.Name] = append(depends[s.Name], s.DependsOn...)
		for _, d := range s.DependsOn {
			depends[d] = depends[d][:len(depends[d]):len(depends[d])]
		}
	}
	t := &topology{below: map[string][]step{}, reach: map[string]float64{}, size: len(depends)}
	for _, name := range slices.Sorted(maps.Keys(depends)) { // sums of floats need an order
		slices.Sort(depends[name])
	}
	for _, name := range slices.Sorted(maps.Keys(depends)) {
		t.below[name] = follow(depends, name, g.Hops)
		for _, s := range t.below[name] {
			t.reach[s.service] += math.Pow(g.Spread, float64(s.hops))
		}
	}
	return t
}

// follow walks the dependencies of name breadth first.
func follow(depends map[string][]string, name string, hops int) []step {
	steps := []step{{name, 0, -1}}
	seen := map[string]bool{name: true}
	for i := 0; i < len(steps); i++ {
		if steps[i].hops == hops {
			break
		}
		for _, d := range depends[steps[i].service] {
			if !seen[d] {
				seen[d] = true
				steps = append(steps, step{d, steps[i].hops + 1, i})
			}
		}
	}
	return steps
}

// path returns the services from one to another that it depends on, both
// included; nil where no way is known.
func (t *topology) path(from, to string) []string {
	steps := t.below[from]
	i := slices.IndexFunc(steps, func(s step) bool { return s.service == to })
	var path []string
	for ; i >= 0; i = steps[i].via {
		path = append(path, steps[i].service)
	}
	slices.Reverse(path)
	return path
}
