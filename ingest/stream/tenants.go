package stream

import (
	"fmt"
	"sync"
)

// tenants bounds how many can be brought into being by naming them in headers.
type tenants struct {
	mu    sync.Mutex
	limit int
	seen  map[string]bool
}

// admit takes a tenant in, or returns why not.
func (t *tenants) admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.seen[tenant] && len(t.seen) >= t.limit {
		return fmt.Errorf("tenant %q would be one more than the %d that ingest.max_tenants allows", tenant, t.limit)
	}
	t.seen[tenant] = true
	return nil
}
