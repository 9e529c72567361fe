package partition

import "github.com/evenkeel/evenkeel/ingest"

// WithFault returns o with a fold that fails where fault does.
func (o Options) WithFault(fault func(ingest.Record)) Options {
	o.fault = fault
	return o
}

// NewFoldWithFault returns a fold that fails where fault does.
func NewFoldWithFault(fault func(ingest.Record), skips ...Skip) *Fold {
	f := NewFold(0, skips...)
	f.fault = fault
	return f
}

// Folded returns the position that the fold has reached.
func (r *Runner) Folded() uint64 { return r.progress.folded.Load() }

// Emptied returns what the next batch is made in.
func (r *Rows) Emptied() Rows { return r.emptied() }
