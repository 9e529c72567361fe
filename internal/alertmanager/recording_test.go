package alertmanager_test

import (
	"context"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
)

// recording remembers whose episodes were asked for.
type recording struct {
	*apitest.Site
	tenant string
}

func (r *recording) Episodes(ctx context.Context, q correlatestore.EpisodeQuery) ([]correlate.Episode, error) {
	r.tenant = q.Tenant
	return r.Site.Episodes(ctx, q)
}
