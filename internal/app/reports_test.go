package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
)

func TestAReportKnowsTheHeartbeatsOfItsTenant(t *testing.T) {
	c := correlate.Config{Heartbeats: []correlate.Heartbeat{
		{Source: "am"}, {Tenant: "default", Source: "eu"}, {Tenant: "shop", Source: "till"}, {Source: "bus", Stream: "alerts"},
	}}
	for tenant, want := range map[string][]string{"default": {"am", "eu"}, "shop": {"till"}, "nobody": nil} {
		if diff := cmp.Diff(want, heartbeatsOf(c, tenant)); diff != "" {
			t.Errorf("of %s (-want +got)\n%s", tenant, diff)
		}
	}
}
