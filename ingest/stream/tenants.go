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
	t.seen[tenant] = true
	return nil
}

func (t *tenants) refuse(tenant string) error {
	if !t.seen[tenant] && len(t.seen) >= t.limit {
		return fmt.Errorf("tenant %q would be one more than the %d that ingest.max_tenants allows", tenant, t.limit)
	}
	return nil
}
