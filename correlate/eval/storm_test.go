package eval_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// storm is a history with its truth.
type storm struct {
	config  correlate.Config
	records []ingest.Record
	truth   []eval.Truth
	changes map[string]string // that began a fault
}

// outcome is what a fold made of a storm.
type outcome struct {
	episodes  []correlate.Episode
	incidents []eval.Incident
}

// fold replays a storm as the service would.
func (s storm) fold(t testing.TB) outcome {
	t.Helper()
	f := correlate.New(0)
	if err := f.Configure(s.config); err != nil {
		t.Fatal(err)
	}
	episodes := map[correlate.EpisodeKey]correlate.Episode{}
	incidents := map[string]correlate.Incident{}
	for _, r := range s.records {
		events, dead, err := wire.Decode(r)
		if err != nil || len(dead) > 0 {
			t.Fatalf("decode: %v %v", err, dead)
		}
		f.Advance(r.ReceivedAt)
		for _, e := range events {
			f.Apply(e)
		}
		out := f.Flush()
		for _, e := range out.Episodes {
			episodes[e.EpisodeKey] = e
		}
		for _, i := range out.Incidents {
			incidents[i.ID] = i
		}
	}
	var lines bytes.Buffer
	if err := eval.WriteIncidents(&lines, slices.Collect(maps.Values(incidents))); err != nil {
		t.Fatal(err)
	}
	written, err := eval.ReadIncidents(&lines)
	if err != nil {
		t.Fatal(err)
	}
	return outcome{slices.Collect(maps.Values(episodes)), written}
}

// recorded reads a storm of the shared data.
func recorded(t testing.TB, name string) storm {
	t.Helper()
	folder := rig.Shared(t, "data/storms/"+name)
	open := func(file string) *os.File {
		f, err := os.Open(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	s := storm{config: catalogue(t, filepath.Join(folder, "catalogue.yml"))}
	for r, err := range wire.Recorded(open("deliveries.jsonl.gz")) {
		if err != nil {
			t.Fatal(err)
		}
		s.records = append(s.records, r)
	}
	var err error
	if s.truth, err = eval.ReadTruth(open("truth.jsonl")); err != nil {
		t.Fatal(err)
	}
	causes, err := io.ReadAll(open("causes.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(causes, &s.changes); err != nil {
		t.Fatal(err)
	}
	return s
}

// unseen draws a storm that nothing here was tuned on, of another generator than that of the shared data.
func unseen(t testing.TB, o simulate.StormOptions) storm {
	t.Helper()
	story := simulate.Storm(o)
	file := filepath.Join(t.TempDir(), "catalogue.yml")
	if err := os.WriteFile(file, story.Catalogue, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	if err := story.WriteTruth(&lines); err != nil {
		t.Fatal(err)
	}
	truth, err := eval.ReadTruth(&lines)
	if err != nil {
		t.Fatal(err)
	}
	return storm{catalogue(t, file), slices.Collect(story.Records()), truth, story.Causes}
}

func catalogue(t testing.TB, file string) correlate.Config {
	t.Helper()
	c, _, err := config.Load("", file)
	if err != nil {
		t.Fatal(err)
	}
	return c.Correlation()
}

// line prints a result as the tables of the documentation do.
func line(r eval.Result) string { return fmt.Sprintf("%.3f (%.3f %.3f)", r.F1, r.Precision, r.Recall) }

// check folds a storm, logs its scores beside those of the baselines, and fails where
// an episode is missing or a baseline is better.
func check(t *testing.T, s storm) (eval.Scores, eval.CauseResult) {
	t.Helper()
	out := s.fold(t)
	assigned := eval.Assignments(out.episodes)
	scores := eval.Score(s.truth, assigned)
	t.Logf("all %s, faults alone %s, ARI %.3f, V %.3f", line(scores.All), line(scores.Faults), scores.All.ARI, scores.All.V)
	causes := eval.ScoreCauses(s.truth, assigned, out.incidents, s.changes)
	t.Logf("causes %+v", causes)
	if scores.All.Missing > 0 {
		t.Errorf("%d episodes of the truth are in no incident", scores.All.Missing)
	}
	groupers := baselines(s.config.Services)
	for _, name := range slices.Sorted(maps.Keys(groupers)) {
		b := eval.Score(s.truth, groupers[name].group(out.episodes))
		t.Logf("%-28s all %s, faults alone %s", name, line(b.All), line(b.Faults))
		if b.All.F1 >= scores.All.F1 {
			t.Errorf("%s is no worse", name)
		}
	}
	return scores, causes
}

func TestRecordedStormsAreGroupedByTheirFaults(t *testing.T) {
	for name, least := range map[string]struct{ f1, precision, recall float64 }{
		"calm":  {0.84, 0.70, 0.70},
		"busy":  {0.75, 0.70, 0.70},
		"dense": {0.65, 0.60, 0.60},
	} {
		t.Run(name, func(t *testing.T) {
			got, causes := check(t, recorded(t, name))
			if got.All.F1 < least.f1 || got.All.Precision < least.precision || got.All.Recall < least.recall {
				t.Errorf("%s is below %v", line(got.All), least)
			}
			if got.Faults.F1 < least.f1-0.05 {
				t.Errorf("over faults alone %s is far below %.2f", line(got.Faults), least.f1)
			}
			if share := float64(causes.First) / float64(causes.Faults); share < 0.8 {
				t.Errorf("the first cause is right for %.0f %% of the faults", 100*share)
			}
		})
	}
}

func TestUnseenStormsAreGroupedByTheirFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		simulate.StormOptions
		f1 float64
	}{
		{"a quiet day", simulate.StormOptions{Seed: 1}, 0.80},
		{"another quiet day", simulate.StormOptions{Seed: 2}, 0.80},
		{"busy hours", simulate.StormOptions{Seed: 3, Duration: 6 * time.Hour, Services: 120, Faults: 30}, 0.75},
		{"other busy hours", simulate.StormOptions{Seed: 4, Duration: 6 * time.Hour, Services: 120, Faults: 30}, 0.75},
		{"everything at once", simulate.StormOptions{Seed: 5, Duration: 3 * time.Hour, Services: 120, Faults: 30}, 0.60},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, causes := check(t, unseen(t, c.StormOptions))
			if got.All.F1 < c.f1 {
				t.Errorf("%s is below %.2f", line(got.All), c.f1)
			}
			if share := float64(causes.First) / float64(causes.Faults); share < 0.5 {
				t.Errorf("the first cause is right for %.0f %% of the faults", 100*share)
			}
		})
	}
}

func BenchmarkFoldingARecordedStorm(b *testing.B) {
	for _, name := range []string{"calm", "busy", "dense"} {
		b.Run(name, func(b *testing.B) {
			s := recorded(b, name)
			for b.Loop() {
				s.fold(b)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(s.records)), "µs/delivery")
		})
	}
}
