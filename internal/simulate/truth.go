package simulate

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Truth is what one episode was about. In JSON it is a line of a truth file.
type Truth struct {
	Fingerprint string        `json:"fingerprint"`
	StartsAt    ingest.Millis `json:"starts_at"`
	Fault       string        `json:"fault"` // one name for all that has one cause
	Root        string        `json:"root"`  // the service, node or zone that broke
	Roots       []string      `json:"roots"` // any of which is a right answer
	AlertName   string        `json:"alertname"`
	Service     string        `json:"service"` // "" where it concerns none
}

// truthOf tells the truth of every firing that was delivered, by start. What came
// and went between two notifications was never sent: nobody can be asked about it.
func truthOf(sent []notification) []Truth {
	told := map[*firing]bool{}
	var truth []Truth
	for _, n := range sent {
		for _, m := range n.members {
			if told[m.firing] {
				continue
			}
			told[m.firing] = true
			truth = append(truth, Truth{
				Fingerprint: m.fingerprint, StartsAt: m.from,
				Fault: m.because.name, Root: m.because.root, Roots: m.because.roots,
				AlertName: m.labels.Get("alertname"), Service: m.service,
			})
		}
	}
	slices.SortFunc(truth, func(a, b Truth) int {
		return cmp.Or(cmp.Compare(a.StartsAt, b.StartsAt), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return truth
}
