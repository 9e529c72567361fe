package ingest

import (
	"fmt"
	"sync"
)

// Tenants bounds how many tenants can be brought into being by naming them. Those of the
// configuration are there anyway. It may be used by many goroutines at once.
type Tenants struct {
	mu    sync.Mutex
	limit int
	seen  map[string]bool
}

// NewTenants returns a bound of so many.
func NewTenants(limit int) *Tenants { return &Tenants{limit: limit, seen: map[string]bool{}} }

// Room returns why a tenant could not be taken in.
func (t *Tenants) Room(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refuse(tenant)
}

// Admit takes a tenant in, or returns why not.
func (t *Tenants) Admit(tenant string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.refuse(tenant); err != nil {
		return err
	}
	t.seen[tenant] = true
	return nil
}

func (t *Tenants) refuse(tenant string) error {
	if !t.seen[tenant] && len(t.seen) >= t.limit {
		return fmt.Errorf("tenant %q would be one more than the %d that ingest.max_tenants allows", tenant, t.limit)
	}
	return nil
}
