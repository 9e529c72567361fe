package partition

import (
	"context"
	"slices"
)

// Skip says that the record at a position is kept and not folded: it made the fold fail. It is
// remembered beside the journal, so that the same record is left out every time.
type Skip struct {
	Position uint64 `json:"position"`
	Reason   string `json:"reason"`
}

// Skips are the records of a partition that are not folded.
type Skips []Skip

// at returns why the record at position is not folded; false where it is.
func (s Skips) at(position uint64) (reason string, skipped bool) {
	i := slices.IndexFunc(s, func(one Skip) bool { return one.Position == position })
	if i < 0 {
		return "", false
	}
	return s[i].Reason, true
}

// ReadSkips returns what the partition of a keep does not fold.
func ReadSkips(ctx context.Context, k Keep) (Skips, error) {
	s, err := loadState(ctx, k)
	return s.Skips, err
}
