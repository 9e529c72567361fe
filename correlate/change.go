package correlate

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// changeReach is how long after its start a change is thought of as a cause.
const changeReach = 30 * ingest.Minute

// changes are what is remembered of changes, by service and start.
type changes map[string][]ingest.Change

// insertChange takes in a change, or a newer report of a known one.
func (l *line) insertChange(c ingest.Change) {
	if l.changes == nil {
		l.changes = changes{}
	}
	known := l.changes[c.Service]
	known = slices.DeleteFunc(known, func(o ingest.Change) bool { return o.ID == c.ID })
	i, _ := slices.BinarySearchFunc(known, c, func(a, b ingest.Change) int {
		return cmp.Or(cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	l.changes[c.Service] = slices.Insert(known, i, c)
	l.invalidate(cellOf(c.StartedAt, l.model.cell))
}

// changeBefore returns the newest change of a root that began shortly before an instant.
func (l *line) changeBefore(r *root, at ingest.Millis) *ingest.Change {
	if r.kind != rootService {
		return nil
	}
	known := l.changes[r.name]
	for i := len(known) - 1; i >= 0; i-- {
		if c := &known[i]; c.StartedAt <= at {
			if at-c.StartedAt > changeReach {
				return nil
			}
			return c
		}
	}
	return nil
}
