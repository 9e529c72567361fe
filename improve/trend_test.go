package improve

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// series draws weeks of counts with ties and gaps.
func series(t *rapid.T, least int) []float64 {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
		if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
			return math.NaN()
		}
		return float64(rapid.IntRange(0, 12).Draw(t, "count"))
	}), least, 40).Draw(t, "series")
}

func TestATrendKnowsNoLevelAndNoUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := series(t, 0)
		shift, scale := float64(rapid.IntRange(-50, 50).Draw(t, "shift")), float64(int(1)<<rapid.IntRange(0, 6).Draw(t, "scale"))
		moved := make([]float64, len(x))
		for i, v := range x {
			moved[i] = v*scale + shift
		}
		a, b := TrendOf(x, "m", LessIsBetter), TrendOf(moved, "m", LessIsBetter)
		if a.Verdict != b.Verdict {
			t.Fatalf("%s became %s when the scale was moved", a.Verdict, b.Verdict)
		}
		if a.Effect != nil && math.Abs(*a.Effect*scale-*b.Effect) > 1e-9 {
			t.Fatalf("the slope %g became %g, at a scale of %g", *a.Effect, *b.Effect, scale)
		}
	})
}

func TestATrendReadBackwardsIsTheOpposite(t *testing.T) {
	opposite := map[Verdict]Verdict{Improved: Worse, Worse: Improved, NoEvidence: NoEvidence, TooLittleData: TooLittleData}
	rapid.Check(t, func(t *rapid.T) {
		x := series(t, 0)
		back := slices.Clone(x)
		slices.Reverse(back)
		a, b := MannKendallOf(x), MannKendallOf(back)
		if a.S != -b.S || a.P != b.P || a.VarS != b.VarS {
			t.Fatalf("forwards %+v, backwards %+v", a, b)
		}
		if got := TrendOf(x, "m", MoreIsBetter).Verdict; got != opposite[TrendOf(x, "m", LessIsBetter).Verdict] {
			t.Fatalf("%s whichever direction is better", got)
		}
	})
}

func TestTheSlopeLiesWithinItsInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := TrendOf(series(t, 0), "m", LessIsBetter)
		if tr.Interval == nil {
			if tr.N >= MinWeeks {
				t.Fatalf("no interval at n = %d", tr.N)
			}
			return
		}
		if *tr.Effect < tr.Interval.Low || *tr.Effect > tr.Interval.High {
			t.Fatalf("%g is outside of %+v", *tr.Effect, *tr.Interval)
		}
		if tr.Verdict != NoEvidence && *tr.P > 0.05 {
			t.Fatalf("%s at p = %g", tr.Verdict, *tr.P)
		}
	})
}

func TestVerdicts(t *testing.T) {
	none := math.NaN()
	for _, c := range []struct {
		name string
		x    []float64
		want Verdict
	}{
		{"no weeks at all", nil, TooLittleData},
		{"seven weeks, however clear", []float64{1, 2, 3, 4, 5, 6, 7}, TooLittleData},
		{"eight weeks of which one was not observed", []float64{1, 2, 3, none, 5, 6, 7, 8}, TooLittleData},
		{"eight weeks that always rise", []float64{1, 2, 3, 4, 5, 6, 7, 8}, Worse},
		{"eight weeks that always fall", []float64{8, 7, 6, 5, 4, 3, 2, 1}, Improved},
		{"thirteen weeks without any incident", make([]float64, 13), NoEvidence},
		{"one wild week at the end", []float64{3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 90}, NoEvidence},
		{"a difference of two means that is no trend", []float64{5, 9, 4, 8, 6, 7, 9, 5, 8, 6, 9, 7, 8}, NoEvidence},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := TrendOf(c.x, "m", LessIsBetter); got.Verdict != c.want {
				t.Errorf("%s, want %s: %+v", got.Verdict, c.want, got)
			}
		})
	}
}

// A slow wave looks like a trend to a test that takes its weeks to be independent.
func TestNeighbouringWeeksThatAreAlikeMakeTheTestCareful(t *testing.T) {
	x := make([]float64, 30)
	for i := range x {
		x[i] = math.Round(20*math.Sin(float64(i)/30*2*math.Pi*0.75) + float64(i)/3)
	}
	plain, got := MannKendallOf(x), TrendOf(x, "m", LessIsBetter)
	if *got.P < plain.P {
		t.Errorf("p = %g is smaller than the plain test's %g", *got.P, plain.P)
	}
	if len(got.Notes) == 0 {
		t.Error("no note says that neighbouring weeks are alike")
	}
}

func TestExactAndApproximateTestsAgreeForLongSeries(t *testing.T) {
	for s := 0; s <= 190; s += 10 {
		mk := MannKendall{N: 20, S: s}
		approximate := twoSided(zOf(s, untiedVariance(mk.N)))
		if exact := ExactP(mk.N, s); math.Abs(exact-approximate) > 0.006 {
			t.Errorf("S = %d: exact %.4f, approximate %.4f", s, exact, approximate)
		}
	}
}

func TestBenjaminiHochbergEqualsThePublishedExample(t *testing.T) {
	var file struct {
		BH struct {
			P        []float64
			Alpha    float64
			Rejected int
		} `json:"benjamini_hochberg"`
	}
	vectors(t, "rates.json", &file)
	believed := 0
	for _, ok := range Discoveries(file.BH.P, file.BH.Alpha) {
		if ok {
			believed++
		}
	}
	if believed != file.BH.Rejected {
		t.Errorf("%d of %d are believed, the reference says %d", believed, len(file.BH.P), file.BH.Rejected)
	}
}

func TestRatesOfExtremes(t *testing.T) {
	if ratio, i := RateRatio(Count{0, 4}, Count{0, 4}); !math.IsNaN(ratio) || i.Low != 0 || !math.IsInf(i.High, 1) {
		t.Errorf("nothing against nothing: %g in %+v", ratio, i)
	}
	if ratio, i := RateRatio(Count{5, 4}, Count{0, 4}); !math.IsNaN(ratio) || i.Low <= 0 || !math.IsInf(i.High, 1) {
		t.Errorf("five against nothing: %g in %+v", ratio, i)
	}
	if p := RateRatioP(Count{7, 4}, Count{7, 4}); p != 1 {
		t.Errorf("p = %g of equal rates", p)
	}
	if i := RateInterval(0, 2); i.Low != 0 || math.Abs(i.High-math.Log(40)/2) > 1e-9 {
		t.Errorf("nothing in two weeks: %+v", i)
	}
}

// Law: an interval at 95 % that excludes equal rates and a p above 5 % contradict each other.
func TestIntervalAndPAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Count{rapid.IntRange(0, 60).Draw(t, "a"), float64(rapid.IntRange(1, 9).Draw(t, "weeks of a"))}
		b := Count{rapid.IntRange(0, 60).Draw(t, "b"), float64(rapid.IntRange(1, 9).Draw(t, "weeks of b"))}
		_, i := RateRatio(a, b)
		p := RateRatioP(a, b)
		if outside := i.Low > 1+1e-9 || i.High < 1-1e-9; outside && p > 0.05+1e-9 || !outside && p < 0.05-1e-9 {
			t.Fatalf("%+v against %+v: interval %+v, p = %g", a, b, i, p)
		}
	})
}

// The chance that the median of n draws lies between the ranks is known: sum it up.
func TestTheMediansIntervalHoldsItAtLeastAsOftenAsItSays(t *testing.T) {
	for n := range 60 {
		low, high, ok := medianRanks(n)
		if !ok {
			if n >= 6 {
				t.Errorf("no interval at n = %d", n)
			}
			continue
		}
		held := 0.0
		for k := low + 1; k <= high; k++ { // so many draws lie below the median
			held += choose(n, k) / math.Pow(2, float64(n))
		}
		if held < Confidence || low+high != n-1 {
			t.Errorf("n = %d: ranks %d and %d hold the median with %.4f", n, low, high, held)
		}
	}
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}
