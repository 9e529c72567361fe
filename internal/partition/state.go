package partition

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// bounds are the first and last position of a batch, both included.
type bounds struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// state is what a partition must remember across a crash beside its journal and
// its checkpoint. It is written before a batch is first sent and after it is stored.
type state struct {
	// Stored is the position up to which every row is in the store.
	Stored uint64 `json:"stored"`
	// StoredAt is fold time at Stored.
	StoredAt ingest.Millis `json:"stored_at"`
	// InFlight is the batch that may be in the store in part.
	InFlight *bounds `json:"in_flight,omitempty"`
	// Skips are the records that are not folded.
	Skips Skips `json:"skips,omitempty"`
}

// loadState reads the state that was kept; where there is none yet it is zero.
func loadState(ctx context.Context, k Keep) (state, error) {
	var s state
	b, err := k.LoadState(ctx)
	if err != nil || b == nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("the state that was kept: %w", err)
	}
	return s, nil
}

func (s state) save(ctx context.Context, k Keep) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return k.SaveState(ctx, b)
}
