package simulate

import (
	"slices"
	"strings"
	"testing"
)

func TestACatalogueKnowsMostOfTheTruth(t *testing.T) {
	o := StormOptions{Seed: 4, Services: 400}.withDefaults()
	e := stormEstate(o)
	written := map[string][]string{}
	name := ""
	for line := range strings.Lines(string(e.catalogue(roll(4, "catalogue"), 0.10, 0.05))) {
		if after, ok := strings.CutPrefix(line, "  - name: "); ok {
			name = strings.TrimSpace(after)
		}
		if after, ok := strings.CutPrefix(line, "    depends_on: ["); ok {
			written[name] = strings.Split(strings.TrimSuffix(strings.TrimSpace(after), "]"), ", ")
		}
	}
	edges, missing, stale := 0, 0, 0
	for _, s := range e.services {
		edges += len(s.calls)
		for _, c := range s.calls {
			if !slices.Contains(written[s.name], c) {
				missing++
			}
		}
		for _, c := range written[s.name] {
			if c != "" && !slices.Contains(s.calls, c) {
				stale++
			}
		}
	}
	if share := missing * 100 / edges; share < 7 || share > 13 {
		t.Errorf("%d of %d edges are missing, want a tenth", missing, edges)
	}
	if stale < 10 || stale > 60 {
		t.Errorf("%d edges of 400 services are stale, want about 30", stale)
	}
}

func TestNamesAndPodsAreUnique(t *testing.T) {
	e := stormEstate(StormOptions{Seed: 9, Services: 300}.withDefaults())
	seen := map[string]bool{}
	for _, s := range e.services {
		names := []string{s.name}
		for _, p := range s.pods {
			names = append(names, p.name)
		}
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
		}
	}
}
