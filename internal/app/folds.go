package app

import (
	"context"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// folds is the journal of a service with what folds it: [single] on one machine, [replica] where
// several share it.
type folds interface {
	// Append, Health, Usage and Close are the journal's.
	Append(ctx context.Context, records []ingest.Record) (uint64, error)
	Health() error
	Usage() journal.Usage
	Close() error

	// Run folds and stores until ctx ends.
	Run(ctx context.Context) error
	// Configure makes the folds use c from here on. A received_at of 0 is now.
	Configure(ctx context.Context, c partition.Configuration, at ingest.Millis) error
	// WaitStored returns once all that is in the journal now, as far as it is folded here, is stored.
	WaitStored(ctx context.Context) error
	// Stored returns the now of queries: fold time up to which everything is stored, 0 before there is any.
	Stored() ingest.Millis
	// Folding says of every partition that is folded here how it goes, in their order.
	Folding() []folding
}

// folding says how the fold of one partition goes.
type folding struct {
	Partition     uint32
	Last          uint64 // newest position that is known
	Stored        uint64 // position up to which everything is stored
	Configuration string // hash of what is in force, "" before the first
	Halted        string // why nothing is folded any more; "" while it is
}

func foldingOf(id uint32, r *partition.Runner, last uint64) folding {
	stored, _ := r.Stored()
	return folding{
		Partition: id, Last: max(last, stored), Stored: stored,
		Configuration: r.Configuration(), Halted: r.Halted(),
	}
}

// positions adds up how many records there were ever, and how many of them are stored.
func positions(all []folding) (last, stored uint64) {
	for _, f := range all {
		last += f.Last
		stored += f.Stored
	}
	return last, stored
}

// waiting is how many records are not stored yet.
func waiting(all []folding) uint64 {
	last, stored := positions(all)
	return last - stored
}

// single folds a journal of this machine.
type single struct {
	*journal.Local
	*partition.Runner
}

// Stored implements folds.
func (s *single) Stored() ingest.Millis {
	_, at := s.Runner.Stored()
	return at
}

// WaitStored implements folds.
func (s *single) WaitStored(ctx context.Context) error {
	return s.Runner.WaitStored(ctx, s.Local.Last())
}

// Folding implements folds.
func (s *single) Folding() []folding { return []folding{foldingOf(0, s.Runner, s.Local.Last())} }
