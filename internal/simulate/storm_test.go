package simulate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

func TestStormsAreAsLargeAsTheyWereAskedToBe(t *testing.T) {
	for seed := range uint64(5) {
		o := simulate.StormOptions{Seed: seed, Start: at("2026-05-04T00:00:00Z"), Duration: 6 * time.Hour, Services: 80, Faults: 24}
		s := simulate.Storm(o)
		faults, noise, flaps, nodes, zones := map[string]int{}, map[string]int{}, map[string]int{}, 0, 0
		for _, truth := range s.Truth {
			kind, _, _ := strings.Cut(truth.Fault, "-")
			switch kind {
			case "fault":
				faults[truth.Fault]++
			case "noise":
				noise[truth.Fault]++
			case "flap":
				flaps[truth.Fault]++
			default:
				t.Errorf("seed %d: a fault is named %s", seed, truth.Fault)
			}
			if strings.Contains(truth.Root, "-worker-") {
				nodes++
			}
			if len(truth.Roots) > 1 {
				zones++
			}
		}
		between(t, seed, "faults that are seen", len(faults), 20, 24)
		between(t, seed, "alerts of faults", sum(faults), 150, 1200)
		between(t, seed, "single alerts", sum(noise), 45, 72)
		between(t, seed, "flapping alerts", len(flaps), 5, 8)
		between(t, seed, "flaps", sum(flaps), 25, 100)
		between(t, seed, "alerts of lost nodes", nodes, 5, 400)
		between(t, seed, "alerts of a lost zone", zones, 20, 800)
		between(t, seed, "faults that a deployment began", len(s.Causes), 1, 14)
		between(t, seed, "services of the catalogue", bytes.Count(s.Catalogue, []byte("- name: ")), 80, 80)
	}
}

func between(t *testing.T, seed uint64, what string, got, low, high int) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("seed %d: %s: %d, want %d to %d", seed, what, got, low, high)
	}
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func TestAStormHasCopiesLateOnesAndFiringsAfterTheirOwnResolve(t *testing.T) {
	seen, resolved := map[string]ingest.Millis{}, map[key]bool{}
	copies, late, after, senders := 0, 0, 0, map[string]bool{}
	s := simulate.Storm(simulate.StormOptions{Seed: 1})
	for r := range s.Records() {
		if r.Path != ingest.PathAlertmanager {
			continue
		}
		var body struct {
			ExternalURL string
			Alerts      []struct {
				Status, Fingerprint string
				StartsAt            ingest.Millis
			}
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		senders[body.ExternalURL] = true
		content := strings.ReplaceAll(string(r.Body), body.ExternalURL, "")
		if first, known := seen[content]; known {
			copies++
			if r.ReceivedAt-first > 30*ingest.Second {
				late++
			}
		} else {
			seen[content] = r.ReceivedAt
		}
		for _, a := range body.Alerts {
			k := key{a.Fingerprint, a.StartsAt}
			if a.Status == "resolved" {
				resolved[k] = true
			} else if resolved[k] {
				after++
			}
		}
	}
	if len(senders) != 2 || copies < s.Len()/20 || late < 3 || after < 1 {
		t.Errorf("of %d records from %d senders %d are copies, %d of them late, with %d firings after their own resolve",
			s.Len(), len(senders), copies, late, after)
	}
}

// Whoever tunes on the recorded storms can be checked with these: no name is in both.
func TestStormsShareNoNameWithTheRecordedOnes(t *testing.T) {
	recorded := map[string]bool{}
	for _, name := range []string{"calm", "busy", "dense"} {
		text, err := os.ReadFile(rig.Shared(t, "data/storms/"+name+"/truth.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var truth simulate.Truth
			if err := json.Unmarshal(line, &truth); err != nil {
				t.Fatal(err)
			}
			recorded[truth.AlertName], recorded[truth.Service], recorded[truth.Root] = true, true, true
		}
	}
	delete(recorded, "")
	for _, truth := range simulate.Storm(simulate.StormOptions{Seed: 1, Services: 120, Faults: 40}).Truth {
		for _, name := range []string{truth.AlertName, truth.Service, truth.Root} {
			if recorded[name] {
				t.Errorf("%s is a name of the recorded storms", name)
			}
		}
	}
}
