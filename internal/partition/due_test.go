package partition

import (
	"testing"
	"time"

	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
)

func TestABatchIsClosedByItsSizeItsAgeOrTheQuietAfterIt(t *testing.T) {
	const age = time.Hour
	tests := map[string]struct {
		rows          int
		waits         time.Duration // the oldest row
		quiet         time.Duration // nothing came
		first, behind uint64        // positions; the last of a batch that was in flight at a stop
		want          bool
	}{
		"without rows":                             {},
		"young":                                    {rows: 9, waits: age / 2, quiet: age / 2, first: 1},
		"as large as may be":                       {rows: 1600, waits: 0, first: 1, want: true},
		"small and old":                            {rows: 99, waits: age, first: 1, want: true},
		"not small, and more is coming":            {rows: 100, waits: age, first: 1},
		"not small, and nothing comes any more":    {rows: 100, waits: age, quiet: age / 2, first: 1, want: true},
		"not small, and too old to wait for more":  {rows: 100, waits: patience * age, first: 1, want: true},
		"in flight at the stop, not whole":         {rows: 1600, waits: 9 * age, quiet: age, first: 1, behind: 2},
		"in flight at the stop, as it was then":    {rows: 1, first: 1, behind: 1, want: true},
		"not small, young, and nothing comes more": {rows: 100, waits: age * 3 / 4, quiet: age * 3 / 4, first: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			r := &Runner{opts: Options{BatchRows: 1600, BatchBytes: 1 << 30, BatchAge: age}, came: now.Add(-test.quiet)}
			if test.behind > 0 {
				r.recover = &bounds{First: 1, Last: test.behind}
			}
			b := &batch{since: now.Add(-test.waits)}
			b.First, b.Last = test.first, test.first
			b.Rows.Deliveries = make([]ingeststore.DeliveryRow, test.rows)
			if got := r.due(b); got != test.want {
				t.Errorf("due: %t", got)
			}
		})
	}
}
