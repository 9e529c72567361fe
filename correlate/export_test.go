package correlate

import (
	"maps"
	"slices"
)

// SourceNames returns the sources that are remembered, of all tenants.
func (f *Fold) SourceNames() []string {
	var names []string
	for _, t := range f.ordered() {
		names = append(names, slices.Sorted(maps.Keys(t.sources))...)
	}
	return names
}
