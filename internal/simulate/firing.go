package simulate

import (
	"cmp"
	"slices"

	"github.com/prometheus/common/model"

	"github.com/evenkeel/evenkeel/ingest"
)

// firing is one alert from the moment it fires to the moment it no longer does.
type firing struct {
	labels      ingest.Labels
	annotations ingest.Labels
	fingerprint string
	from        ingest.Millis
	to          ingest.Millis // 0: it still fires when the story ends
	because     *fault        // of what; never nil
	service     string        // whom it concerns in truth; "" for a node
}

// fault is something that happened, and all that it made fire has one cause: it.
type fault struct {
	name   string
	root   string   // the service, node or zone that broke
	roots  []string // any of which is a right answer; begins with root
	change string   // the change that began it; "" where none did
}

// fingerprint names an alert as Prometheus and Alertmanager do.
func fingerprint(labels ingest.Labels) string {
	set := make(model.LabelSet, len(labels))
	for _, l := range labels {
		set[model.LabelName(l.Name)] = model.LabelValue(l.Value)
	}
	return set.Fingerprint().String()
}

// firings gathers what fires. An alert that fires already, or stopped so shortly
// before that its Alertmanager would not have told of it, does not fire again.
type firings struct {
	apart ingest.Millis
	all   []firing
	by    map[string][]int // fingerprint to the indexes of its firings
}

func newFirings(apart ingest.Millis) *firings {
	return &firings{apart: apart, by: map[string][]int{}}
}

// add takes f unless the same alert is too near.
func (fs *firings) add(f firing) {
	f.fingerprint = fingerprint(f.labels)
	for _, i := range fs.by[f.fingerprint] {
		other := fs.all[i]
		if (other.to == 0 || f.from < other.to+fs.apart) && (f.to == 0 || other.from < f.to+fs.apart) {
			return
		}
	}
	fs.by[f.fingerprint] = append(fs.by[f.fingerprint], len(fs.all))
	fs.all = append(fs.all, f)
}

// inOrder returns the firings by start.
func (fs *firings) inOrder() []firing {
	slices.SortFunc(fs.all, func(a, b firing) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.fingerprint, b.fingerprint))
	})
	return fs.all
}
