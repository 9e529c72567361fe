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

// room returns why a tenant could not be taken in.
func (t *tenants) room(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refuse(tenant)
}

// admit takes a tenant in, or returns why not.
func (t *tenants) admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refuse(tenant); err != nil {
		return err
	}
	t.seen[tenant] = struct{}{}
	return nil
}

func (t *tenants) refuse(tenant string) error {
	if _, known := t.seen[tenant]; !known && len(t.seen) >= t.limit {
		return forbidden(fmt.Sprintf("tenant %q would be one more than the %d that ingest.max_tenants allows", tenant, t.limit))
	}
	return nil
}
