package simulate_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

const base = ingest.Millis(1_795_000_000_000)

func TestALiveStormIsTheSameEveryTimeButForItsBase(t *testing.T) {
	one, two := simulate.Live(simulate.LiveOptions{Seed: 7}), simulate.Live(simulate.LiveOptions{Seed: 7})
	if len(one) != len(two) {
		t.Fatalf("%d steps and %d", len(one), len(two))
	}
	for i := range one {
		if one[i].Offset != two[i].Offset || !bytes.Equal(one[i].Body(base), two[i].Body(base)) {
			t.Errorf("step %d differs", i)
		}
		if bytes.Equal(one[i].Body(base), one[i].Body(base+ingest.Hour)) {
			t.Errorf("step %d says the same an hour later", i)
		}
	}
}

func TestALiveStormIsPostedInOrderAndTellsOnlyOfThePast(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, 4, 5} {
		steps := simulate.Live(simulate.LiveOptions{Seed: seed})
		between(t, seed, "requests", len(steps), 10, 40)
		var last time.Duration
		firing, resolved, changes := map[key]bool{}, map[key]bool{}, 0
		for i, step := range steps {
			if step.Offset < last || step.Offset > 30*time.Second {
				t.Errorf("seed %d: step %d comes at %v, after %v", seed, i, step.Offset, last)
			}
			last = step.Offset
			posted := base + ingest.MillisIn(step.Offset)
			events, dead, err := wire.Decode(ingest.Record{Kind: ingest.KindDelivery, ReceivedAt: posted, Path: step.Path, Body: step.Body(base)})
			if err != nil || len(dead) > 0 {
				t.Fatalf("seed %d: step %d: %v %v", seed, i, dead, err)
			}
			for _, e := range events {
				if e.Change != nil {
					changes++
					continue
				}
				k := key{e.Alert.Fingerprint, e.Alert.StartsAt}
				if e.Alert.StartsAt < base || e.Alert.StartsAt >= posted || e.Alert.EndsAt > posted {
					t.Errorf("seed %d: step %d tells at %v of %v to %v", seed, i, posted, e.Alert.StartsAt, e.Alert.EndsAt)
				}
				if e.Alert.Resolved {
					resolved[k] = true
				} else {
					firing[k] = true
				}
			}
		}
		between(t, seed, "alerts", len(firing), 20, 100)
		between(t, seed, "alerts that are over", len(resolved), 2, 20)
		between(t, seed, "changes", changes, 2, 2)
		if steps[0].Offset > time.Second || last < 20*time.Second {
			t.Errorf("seed %d: the storm lasts from %v to %v", seed, steps[0].Offset, last)
		}
	}
}

func TestALiveStormStretches(t *testing.T) {
	steps := simulate.Live(simulate.LiveOptions{Seed: 1, Length: 10 * time.Second})
	if last := steps[len(steps)-1].Offset; last > 10*time.Second || last < 6*time.Second {
		t.Errorf("a storm of ten seconds ends after %v", last)
	}
}
