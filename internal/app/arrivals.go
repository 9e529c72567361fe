package app

import (
	"context"

	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/api"
)

// arrivals answers the API from the ingest tables.
type arrivals struct{ reader *ingeststore.Reader }

func (a arrivals) Changes(ctx context.Context, q api.ArrivalsQuery) ([]ingest.Change, error) {
	return a.reader.Changes(ctx, ingeststore.ArrivalsQuery(q))
}

func (a arrivals) DeadLetters(ctx context.Context, q api.ArrivalsQuery) ([]ingest.DeadLetter, error) {
	return a.reader.DeadLetters(ctx, ingeststore.ArrivalsQuery(q))
}
