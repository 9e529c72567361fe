package eval

import (
	"cmp"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
)

// CauseResult says how often the probable causes of incidents name what was broken.
type CauseResult struct {
	Faults int `json:"faults"` // with at least two episodes
	First  int `json:"first"`  // of them, that the first cause names
	Three  int `json:"three"`  // that one of the first three names
	// Changes are the faults that a change began; the others of their numbers say
	// how often that change is among the causes shown.
	Changes      int `json:"changes"`
	ChangesFound int `json:"changes_found"`
	// Blamed counts incidents of faults without a change whose causes name one, of Unchanged.
	Blamed    int `json:"blamed"`
	Unchanged int `json:"unchanged"`
}

// ScoreCauses looks, for every fault with at least two episodes, at the incident that holds
// most of its episodes, and whether its causes name one of the fault's roots or the change
// that began it. changes names that change by fault.
func ScoreCauses(truth []Truth, assigned []Assignment, incidents []Incident, changes map[string]string) CauseResult {
	holders := holders(truth, assigned)
	byID := map[string]Incident{}
	for _, i := range incidents {
		byID[i.ID] = i
	}
	var r CauseResult
	for _, fault := range slices.Sorted(maps.Keys(holders)) {
		h := holders[fault]
		if h.episodes < 2 {
			continue
		}
		causes := byID[h.incident()].Causes
		named := func(c correlate.Cause) bool {
			return slices.Contains(h.roots, cmp.Or(c.Service, c.Entity)) || c.Change != "" && c.Change == changes[fault]
		}
		r.count(causes, named, changes[fault])
	}
	return r
}

func (r *CauseResult) count(causes []correlate.Cause, named func(correlate.Cause) bool, change string) {
	r.Faults++
	if len(causes) > 0 && named(causes[0]) {
		r.First++
	}
	if slices.ContainsFunc(causes[:min(3, len(causes))], named) {
		r.Three++
	}
	if change == "" {
		r.Unchanged++
		if slices.ContainsFunc(causes, func(c correlate.Cause) bool { return c.Change != "" }) {
			r.Blamed++
		}
		return
	}
	r.Changes++
	if slices.ContainsFunc(causes, func(c correlate.Cause) bool { return c.Change == change }) {
		r.ChangesFound++
	}
}

// holder is where the episodes of one fault are.
type holder struct {
	episodes int
	roots    []string
	held     map[string]int // by incident
}

// holders returns where the episodes of each fault are.
func holders(truth []Truth, assigned []Assignment) map[string]*holder {
	where := map[EpisodeID]string{}
	for _, a := range assigned {
		where[a.EpisodeID] = a.Incident
	}
	all := map[string]*holder{}
	for _, t := range truth {
		if !t.IsFault() {
			continue
		}
		h := all[t.Fault]
		if h == nil {
			h = &holder{roots: t.Roots, held: map[string]int{}}
			all[t.Fault] = h
		}
		h.episodes++
		h.held[where[t.EpisodeID]]++
	}
	return all
}

// incident returns the one that holds most, the first by id where several do.
func (h *holder) incident() string {
	return slices.MaxFunc(slices.Sorted(maps.Keys(h.held)), func(a, b string) int {
		return cmp.Or(cmp.Compare(h.held[a], h.held[b]), cmp.Compare(b, a))
	})
}
