package webhook

import (
	"fmt"
	"sync"
)

// tenants bounds how many tenants can be brought into being by naming them. Those of the
// configuration are there anyway.
type tenants struct {
	mu    sync.Mutex
	limit int
	seen  map[string]struct{}
}

func newTenants(limit int) *tenants {
	return &tenants{limit: limit, seen: make(map[string]struct{})}
}

// admit takes a tenant in, or returns why not.
func (t *tenants) admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.seen[tenant]; known {
		return nil
	}
	if len(t.seen) >= t.limit {
		return forbidden(fmt.Sprintf("tenant %q would be one more than the %d that ingest.max_tenants allows", tenant, t.limit))
	}
	t.seen[tenant] = struct{}{}
	return nil
}
