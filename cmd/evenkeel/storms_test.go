package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// What the commands must reach on recorded storms, whose truth is known: more than every
// trivial grouping (by name, service, gap in time or neighbourhood), of which the
// best is the baseline here; and on the quieter two a floor.
func TestStormsAreGroupedBetterThanByAnyTrivialMeans(t *testing.T) {
	for _, storm := range []struct {
		name              string
		baseline, f1      float64
		precision, recall float64 // least
	}{
		{name: "calm", baseline: .785, f1: .84, precision: .70, recall: .70},
		{name: "busy", baseline: .688, f1: .75, precision: .70, recall: .70},
		{name: "dense", baseline: .588},
	} {
		t.Run(storm.name, func(t *testing.T) {
			dir := rig.Shared(t, "data/storms/"+storm.name)
			assignments := filepath.Join(t.TempDir(), "assignments.jsonl")
			command(t, "replay", "--deliveries="+filepath.Join(dir, "deliveries.jsonl.gz"),
				"--catalogue="+filepath.Join(dir, "catalogue.yml"), "--assignments="+assignments)
			out := command(t, "eval", "--truth="+filepath.Join(dir, "truth.jsonl"), "--assignments="+assignments, "--output=json")
			var scores eval.Scores
			if err := json.Unmarshal(out, &scores); err != nil {
				t.Fatal(err)
			}
			all := scores.All
			t.Logf("F1 %.3f, precision %.3f, recall %.3f, ARI %.3f, V %.3f; faults alone: F1 %.3f",
				all.F1, all.Precision, all.Recall, all.ARI, all.V, scores.Faults.F1)
			if all.Episodes == 0 || all.Missing != 0 {
				t.Errorf("%d of %d episodes of the truth have no assignment", all.Missing, all.Episodes)
			}
			if all.F1 <= storm.baseline || all.F1 < storm.f1 {
				t.Errorf("F1 %.3f, want at least %.3f and more than %.3f", all.F1, storm.f1, storm.baseline)
			}
			if all.Precision < storm.precision || all.Recall < storm.recall {
				t.Errorf("precision %.3f, recall %.3f: want %.3f and %.3f", all.Precision, all.Recall, storm.precision, storm.recall)
			}
		})
	}
}

// command runs a subcommand that is to succeed, and returns what it printed.
func command(t *testing.T, args ...string) []byte {
	t.Helper()
	var out, talk bytes.Buffer
	if code := run(t.Context(), args, streams{&out, &talk}); code != exitOK {
		t.Fatalf("evenkeel %v: code %d\n%s", args, code, &talk)
	}
	return out.Bytes()
}
