package improve

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// vectors reads a file of reference results.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(rig.Shared(t, "vectors/"+name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// near fails where got is further from want than the digits that want was published with.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance*max(1, math.Abs(want)) {
		t.Errorf("%s = %.12g, the reference says %.12g", what, got, want)
	}
}

type trendCase struct {
	Name  string
	X     []*float64
	Plain *struct {
		N         int
		S         int
		VarS      float64 `json:"var_s"`
		Z         float64
		P         *float64
		Tau       float64
		SenSlope  float64 `json:"sen_slope"`
		Intercept float64
	}
	HamedRao *struct {
		Z    float64
		P    *float64
		VarS float64 `json:"var_s"`
	} `json:"hamed_rao"`
	ExactP map[int]float64 `json:"exact_p"`
}

func (c trendCase) series() []float64 {
	x := make([]float64, len(c.X))
	for i, v := range c.X {
		x[i] = math.NaN()
		if v != nil {
			x[i] = *v
		}
	}
	return x
}

func TestTrendsEqualThePublishedReferences(t *testing.T) {
	var file struct{ Cases []trendCase }
	vectors(t, "trend.json", &file)
	checked := map[string]int{}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if c.Plain != nil {
				checked["plain"]++
				checkPlain(t, c)
			}
			if c.HamedRao != nil {
				checked["hamed_rao"]++
				z, p, variance := HamedRao(c.series())
				near(t, "z", z, c.HamedRao.Z, 1e-9)
				near(t, "var S", variance, c.HamedRao.VarS, 1e-9)
				if c.HamedRao.P != nil {
					near(t, "p", p, *c.HamedRao.P, 1e-12)
				}
			}
			for n, want := range c.ExactP {
				checked["exact_p"]++
				near(t, "exact p", ExactP(n, n*(n-1)/2), want, 5e-5)
			}
		})
	}
	if checked["plain"] < 3 || checked["hamed_rao"] < 2 || checked["exact_p"] < 3 {
		t.Errorf("checked only %v of the references", checked)
	}
}

func checkPlain(t *testing.T, c trendCase) {
	mk, line, want := MannKendallOf(c.series()), Sen(c.series()), *c.Plain
	if mk.N != want.N || mk.S != want.S {
		t.Errorf("n = %d, S = %d; the reference says %d, %d", mk.N, mk.S, want.N, want.S)
	}
	near(t, "var S", mk.VarS, want.VarS, 1e-12)
	near(t, "z", mk.Z, want.Z, 1e-12)
	near(t, "tau", mk.Tau, want.Tau, 1e-12)
	near(t, "slope", line.Slope, want.SenSlope, 1e-12)
	near(t, "intercept", line.Intercept, want.Intercept, 1e-12)
	if want.P != nil {
		near(t, "p", mk.P, *want.P, 1e-12)
	}
}

func TestRatesEqualThePublishedReferences(t *testing.T) {
	var file struct {
		OneSample struct {
			Count    int
			Exposure float64
			Exact    [2]float64 `json:"exact_ci95"`
		} `json:"one_sample"`
		TwoSample []struct {
			A, B     [2]float64
			OneSided *struct {
				Exact float64 `json:"exact_conditional"`
			} `json:"one_sided_p"`
			Interval *struct {
				Exact [2]float64 `json:"exact_central"`
			} `json:"ratio_ci95"`
			Above12 *struct {
				Exact float64 `json:"exact_conditional"`
			} `json:"h0_ratio_1.2_greater"`
		} `json:"two_sample"`
		Wilson []struct {
			X, N int
			CI   [2]float64
		} `json:"wilson_ci95"`
	}
	vectors(t, "rates.json", &file)
	one := RateInterval(file.OneSample.Count, file.OneSample.Exposure)
	near(t, "exact low", one.Low, file.OneSample.Exact[0], 1e-12)
	near(t, "exact high", one.High, file.OneSample.Exact[1], 1e-12)
	for _, c := range file.TwoSample {
		a, b := Count{int(c.A[0]), c.A[1]}, Count{int(c.B[0]), c.B[1]}
		if c.OneSided != nil {
			near(t, "one-sided p", RateRatioAbove(a, b, 1), c.OneSided.Exact, 5e-7)
		}
		if c.Above12 != nil {
			near(t, "p of a ratio above 1.2", RateRatioAbove(a, b, 1.2), c.Above12.Exact, 1e-12)
		}
		if c.Interval != nil {
			_, got := RateRatio(a, b)
			near(t, "ratio low", got.Low, c.Interval.Exact[0], 1e-8)
			near(t, "ratio high", got.High, c.Interval.Exact[1], 1e-8)
		}
	}
	for _, c := range file.Wilson {
		got := WilsonInterval(c.X, c.N)
		near(t, "Wilson low", got.Low, c.CI[0], 6e-5)
		near(t, "Wilson high", got.High, c.CI[1], 6e-5)
	}
	if len(file.TwoSample) == 0 || len(file.Wilson) == 0 {
		t.Error("the reference file holds no cases")
	}
}
