package correlate

import "github.com/evenkeel/evenkeel/ingest"

// Undecided returns until when deciding is put off at most; false where everything is decided.
func (f *Fold) Undecided() (until ingest.Millis, waits bool) {
	for _, t := range f.tenants {
		until = max(until, t.settleAt)
	}
	return until, until != 0
}
