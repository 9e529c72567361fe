package app

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/evenkeel/evenkeel/internal/partition"
)

func TestAReplicaShowsWhichPartitionsItFolds(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	r := &replica{registry: registry, runners: map[uint32]*partition.Runner{}, failed: map[uint32]string{1: "it cannot be claimed"}}
	if err := r.show(2); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		runner *partition.Runner
		want   string
	}{{nil, "0"}, {&partition.Runner{}, "1"}, {nil, "0"}} {
		r.set(0, step.runner)
		want := `
# HELP evenkeel_partition_folding 1 where this replica folds the partition; the sum over all replicas is 1.
# TYPE evenkeel_partition_folding gauge
evenkeel_partition_folding{partition="0"} ` + step.want + `
evenkeel_partition_folding{partition="1"} 0
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}
