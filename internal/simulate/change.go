package simulate

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
)

// change is the body of a change that is posted when it is done.
type change struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	Service    string        `json:"service"`
	StartedAt  ingest.Millis `json:"started_at"`
	FinishedAt ingest.Millis `json:"finished_at"`
	Outcome    string        `json:"outcome"`
	Version    string        `json:"version"`
	Author     string        `json:"author"`
	Title      string        `json:"title,omitempty"`
}

// deployed is a deployment that took a minute or two and, as far as its pipeline
// could tell, went well.
func deployed(d dice, id, service, version string, at ingest.Millis) change {
	return change{
		ID: id, Kind: "deployment", Service: service, Version: version, Author: "ci",
		StartedAt: at, FinishedAt: at + d.between(minute, 3*minute), Outcome: "succeeded",
	}
}

// moved returns c at another time. It is another change then, and gets an id of its own.
func (c change) moved(shift ingest.Millis) change {
	if shift == 0 {
		return c
	}
	c.StartedAt += shift
	c.FinishedAt += shift
	c.ID += "-" + strconv.FormatInt(int64(shift/second), 36)
	return c
}

func sortChanges(changes []change) {
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.FinishedAt, b.FinishedAt), cmp.Compare(a.ID, b.ID))
	})
}
