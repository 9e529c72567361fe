package eval_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/ingest"
)

// naive computes the scores by their definitions, over all pairs of episodes.
func naive(classes, groups []string) eval.Result {
	n := len(classes)
	r := eval.Result{Episodes: n}
	var both, sameClass, sameGroup float64
	var hc, hk, hck, hkc float64
	for i := range n {
		var inClass, inGroup, inBoth float64
		for j := range n {
			c, g := classes[i] == classes[j], groups[i] == groups[j]
			if c {
				inClass++
			}
			if g {
				inGroup++
			}
			if c && g {
				inBoth++
			}
			if i < j {
				both += truth(c && g)
				sameClass += truth(c)
				sameGroup += truth(g)
			}
		}
		r.Precision += inBoth / inGroup / float64(n)
		r.Recall += inBoth / inClass / float64(n)
		// Entropies as means over episodes.
		hc -= math.Log(inClass/float64(n)) / float64(n)
		hk -= math.Log(inGroup/float64(n)) / float64(n)
		hck -= math.Log(inBoth/inGroup) / float64(n)
		hkc -= math.Log(inBoth/inClass) / float64(n)
	}
	r.F1 = 2 * r.Precision * r.Recall / (r.Precision + r.Recall)
	pairs := float64(n) * float64(n-1) / 2
	expected := sameClass * sameGroup / pairs
	r.ARI = 1
	if most := (sameClass + sameGroup) / 2; n > 1 && most != expected {
		r.ARI = (both - expected) / (most - expected)
	}
	homogeneity, completeness := 1.0, 1.0
	if hc > 1e-12 {
		homogeneity = 1 - hck/hc
	}
	if hk > 1e-12 {
		completeness = 1 - hkc/hk
	}
	if homogeneity+completeness > 0 {
		r.V = 2 * homogeneity * completeness / (homogeneity + completeness)
	}
	return r
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestScoresAreThoseOfTheDefinitionsOverAllPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "episodes")
		var truths []eval.Truth
		var assigned []eval.Assignment
		var classes, groups []string
		for i := range n {
			id := eval.EpisodeID{Fingerprint: fmt.Sprint(i), StartsAt: ingest.Millis(i + 1)}
			class := fmt.Sprint("fault-", rapid.IntRange(0, 5).Draw(t, "fault"))
			group := fmt.Sprint("g", rapid.IntRange(0, 5).Draw(t, "incident"))
			truths = append(truths, eval.Truth{EpisodeID: id, Fault: class})
			assigned = append(assigned, eval.Assignment{EpisodeID: id, Incident: group})
			classes, groups = append(classes, class), append(groups, group)
		}
		got, want := eval.Score(truths, assigned).All, naive(classes, groups)
		want.Groups, want.Missing = got.Groups, 0
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
		if diff := cmp.Diff(want, got, near); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestEveryMissingEpisodeIsAGroupOfItsOwn(t *testing.T) {
	var truths []eval.Truth
	for i := range 4 {
		truths = append(truths, eval.Truth{EpisodeID: eval.EpisodeID{Fingerprint: fmt.Sprint(i), StartsAt: 1}, Fault: "fault-1"})
	}
	got := eval.Score(truths, nil).All
	if got.Missing != 4 || got.Groups != 4 || got.Precision != 1 || got.Recall != 0.25 {
		t.Errorf("got %+v", got)
	}
}

func TestFaultsAreScoredWithoutNoiseAndFlaps(t *testing.T) {
	id := func(s string) eval.EpisodeID { return eval.EpisodeID{Fingerprint: s, StartsAt: 1} }
	truths := []eval.Truth{{EpisodeID: id("a"), Fault: "fault-1"}, {EpisodeID: id("b"), Fault: "noise-1"}, {EpisodeID: id("c"), Fault: "flap-1"}}
	got := eval.Score(truths, nil)
	if got.All.Episodes != 3 || got.Faults.Episodes != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestAnAliasHasALineOfItsOwn(t *testing.T) {
	episodes := []correlate.Episode{{
		EpisodeKey: correlate.EpisodeKey{Fingerprint: "f", StartsAt: 10}, Aliases: []ingest.Millis{20, 30},
		Incident: "i", FirstIncident: "h", Reasons: []string{"because"},
	}}
	var out bytes.Buffer
	if err := eval.WriteAssignments(&out, episodes); err != nil {
		t.Fatal(err)
	}
	got, err := eval.ReadAssignments(&out)
	if err != nil {
		t.Fatal(err)
	}
	line := func(at ingest.Millis) eval.Assignment {
		return eval.Assignment{EpisodeID: eval.EpisodeID{Fingerprint: "f", StartsAt: at}, Incident: "i", FirstIncident: "h", Reasons: []string{"because"}}
	}
	if diff := cmp.Diff([]eval.Assignment{line(10), line(20), line(30)}, got); diff != "" {
		t.Error(diff)
	}
}

func TestIncidentsAreWrittenWithoutThoseThatLiveOnInAnother(t *testing.T) {
	var out bytes.Buffer
	err := eval.WriteIncidents(&out, []correlate.Incident{
		{ID: "a", State: correlate.IncidentOpen, OpenedAt: 5, Services: []string{"s"}, Episodes: 2, Causes: []correlate.Cause{{Service: "s", Score: 0.5, Why: "why"}}},
		{ID: "b", State: correlate.IncidentMerged, MergedInto: "a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"a","opened_at":"1970-01-01T00:00:00.005Z","resolved_at":null,"state":"open","services":["s"],"episodes":2,` +
		`"probable_causes":[{"service":"s","score":0.5,"why":"why"}]}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatIsNoneSaysWhereItIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"{\"fault\":\"x\"}\n\n{\"fault\":1}\n":      "3:10: ",
		"{\"fault\":\"x\"}\noops":                   "2:1: ",
		"{\"fault\":\"x\"} {\"fault\":\"y\"}":       "1:15: ",
		"{\"fault\":\"x\"":                          "1:12: ",
		"{\"starts_at\":\"yesterday\"}\n{\"a\":\"b": "1:1: ",
	} {
		_, err := eval.ReadTruth(strings.NewReader(text))
		var at *eval.LineError
		if !errors.As(err, &at) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s…", text, err, want)
		}
	}
	if truth, err := eval.ReadTruth(strings.NewReader("\n {\"fault\":\"x\"}")); err != nil || len(truth) != 1 {
		t.Errorf("a file without a last line end: %v, %v", truth, err)
	}
}

func TestCausesAreLookedForInTheIncidentThatHoldsMostOfAFault(t *testing.T) {
	var truths []eval.Truth
	var assigned []eval.Assignment
	add := func(fault, root, incident string, n int) {
		for range n {
			id := eval.EpisodeID{Fingerprint: fmt.Sprint(len(truths)), StartsAt: 1}
			truths = append(truths, eval.Truth{EpisodeID: id, Fault: fault, Root: root, Roots: []string{root}})
			assigned = append(assigned, eval.Assignment{EpisodeID: id, Incident: incident})
		}
	}
	add("fault-1", "db", "one", 3)
	add("fault-1", "db", "two", 1)
	add("fault-2", "web", "two", 2)
	add("fault-3", "cart", "three", 1) // too small to be asked about
	incidents := []eval.Incident{
		{ID: "one", Causes: []correlate.Cause{{Service: "db"}, {Change: "c9"}}},
		{ID: "two", Causes: []correlate.Cause{{Service: "x"}, {Change: "c2"}, {Service: "web"}}},
	}
	got := eval.ScoreCauses(truths, assigned, incidents, map[string]string{"fault-2": "c2"})
	want := eval.CauseResult{Faults: 2, First: 1, Three: 2, Changes: 1, ChangesFound: 1, Blamed: 1, Unchanged: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
