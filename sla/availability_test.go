package sla

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// reference is vectors/availability.json as far as policies are concerned, in seconds.
type reference struct {
	Cases []referenceCase `json:"cases"`
}

type referenceCase struct {
	Name   string
	Window [2]int64
	Events []struct {
		At              int64
		State, Previous int
	}
	Downtimes    []struct{ From, To int64 }
	CurrentState *int               `json:"current_state"`
	Percent      map[string]float64 `json:"availability_percent"`
}

// states turns a case into service states as its file says: an event's previous
// state holds before it where nothing is known, and the current one where there is no event.
func (c referenceCase) state(second int64) State {
	word := map[int]State{0: Up, 2: Down, 99: Unknown}
	for k := len(c.Events) - 1; k >= 0; k-- {
		e := c.Events[k]
		if e.At <= second {
			if k+1 < len(c.Events) && c.Events[k+1].Previous == 99 {
				return Unknown
			}
			return word[e.State]
		}
	}
	switch {
	case len(c.Events) > 0:
		return word[c.Events[0].Previous]
	case c.CurrentState != nil:
		return word[*c.CurrentState]
	}
	return Unknown
}

func (c referenceCase) matrix(t *testing.T) Matrix {
	var m Matrix
	for second := c.Window[0]; second < c.Window[1]; second++ {
		state := c.state(second)
		bucket := Bucket(state)
		for _, d := range c.Downtimes {
			if d.From <= second && second < d.To {
				bucket = MaintenanceBucket
			}
		}
		if err := m.Add(bucket, state, 1000); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestReferenceCasesOfAvailability(t *testing.T) {
	b, err := os.ReadFile(rig.Shared(t, "vectors/availability.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) < 12 {
		t.Fatalf("%d cases, want 12 or more", len(r.Cases))
	}
	policies := map[string]Policy{
		"maintenance_up_unknown_excluded": {Maintenance: CountsUp, Unknown: Excluded},
		"maintenance_excluded":            {Maintenance: Excluded, Unknown: Excluded},
		"unknown_down":                    {Maintenance: CountsUp, Unknown: CountsDown},
	}
	for _, c := range r.Cases {
		for name, policy := range policies {
			t.Run(c.Name+" "+name, func(t *testing.T) {
				w := Interval{ingest.Millis(c.Window[0] * 1000), ingest.Millis(c.Window[1] * 1000)}
				m := c.matrix(t)
				terms := Terms{Policy: policy}
				a := terms.Measure(w, w.To, m)
				if len(c.Events) == 0 && c.CurrentState == nil {
					if a.Ratio != nil || a.Reason == "" || *a.Coverage != 0 {
						t.Errorf("an empty history has the ratio %v and the reason %q", a.Ratio, a.Reason)
					}
					return
				}
				if a.Ratio == nil {
					t.Fatalf("no ratio: %s", a.Reason)
				}
				if want := c.Percent[name]; math.Abs(100**a.Ratio-want) > 1e-4 {
					t.Errorf("%v %%, want %v %%", 100**a.Ratio, want)
				}
			})
		}
	}
}

func ms(d ingest.Millis) int64 { return int64(d) }

func TestPresetsCountWhatTheirDocsSay(t *testing.T) {
	// 10 h: 4 up, 1 degraded, 1 down, 2 unknown, 2 of maintenance, of which half an hour down.
	h := ms(ingest.Hour)
	m := Matrix{
		Buckets:       Buckets{Up: 4 * h, Degraded: h, Down: h, Unknown: 2 * h, Maintenance: 2 * h},
		InMaintenance: States{Up: 3 * h / 2, Down: h / 2},
	}
	for name, want := range map[string][2]int64{ // counted, down
		"itil":   {6 * h, h},
		"icinga": {8 * h, h},
		"zabbix": {8 * h, h},
		"gcp":    {10 * h, 3 * h / 2},
		"aws":    {8 * h, h},
	} {
		policy, ok := Preset(name)
		if !ok {
			t.Fatalf("no preset %q", name)
		}
		terms := Terms{Policy: policy}
		a := terms.Measure(Interval{0, 10 * ingest.Hour}, 10*ingest.Hour, m)
		if a.Counted != want[0] || a.Downtime != want[1] {
			t.Errorf("%s counts %d ms, %d down; want %v", name, a.Counted, a.Downtime, want)
		}
		if err := policy.Validate(); err != nil {
			t.Errorf("preset %s: %v", name, err)
		}
	}
	if got, want := len(Presets()), 5; got != want {
		t.Errorf("%d presets, want %d", got, want)
	}
}

func TestAnAvailabilityIsNeverMadeOfNothing(t *testing.T) {
	hour := ms(ingest.Hour)
	w := Interval{ingest.Hour, 2 * ingest.Hour}
	lowCoverage := Policy{Maintenance: Excluded, Unknown: Excluded, MinCoverage: .9}
	itil, _ := Preset("itil")
	zabbix, _ := Preset("zabbix")
	for _, test := range []struct {
		name   string
		policy Policy
		asOf   ingest.Millis
		m      Matrix
		reason string
	}{
		{"nothing was seen", itil, w.To, Matrix{Buckets: Buckets{Unknown: hour}}, "nothing is known of the window"},
		{"nothing was seen, and unknown is up", zabbix, w.To, Matrix{Buckets: Buckets{Unknown: hour}}, "nothing is known of the window"},
		{"all of it is out of hours", itil, w.To, Matrix{Buckets: Buckets{OutOfHours: hour}}, "no time of the window counts"},
		{"all of it is maintenance", itil, w.To, Matrix{Buckets: Buckets{Maintenance: hour}, InMaintenance: States{Up: hour}}, "no time of the window counts"},
		{"it has not begun", itil, w.From, Matrix{Buckets: Buckets{NotYet: hour}}, "the window has not begun"},
		{"too little is known", lowCoverage, w.To, Matrix{Buckets: Buckets{Up: hour / 2, Unknown: hour / 2}}, "coverage 50 % is below the 90 % that the policy asks for"},
	} {
		terms := Terms{Policy: test.policy, Objective: .99}
		a := terms.Measure(w, test.asOf, test.m)
		if a.Ratio != nil || a.Reason != test.reason || a.Met != nil {
			t.Errorf("%s: ratio %v, met %v, reason %q, want %q", test.name, a.Ratio, a.Met, a.Reason, test.reason)
		}
	}
}

func TestARatioIsRoundedDown(t *testing.T) {
	year := ms(365 * ingest.Day)
	itil, _ := Preset("itil")
	terms := Terms{Policy: itil}
	for _, test := range []struct {
		down    int64
		digits  int
		percent string
	}{
		{0, 3, "100.000"},
		{1, 3, "99.999"},
		{1, 0, "99"},
		{year / 1000, 2, "99.90"},
		{year, 1, "0.0"},
	} {
		a := terms.Measure(Interval{0, ingest.Millis(year)}, ingest.Millis(year), Matrix{Buckets: Buckets{Up: year - test.down, Down: test.down}})
		if got := a.Percent(test.digits); got != test.percent {
			t.Errorf("%d ms down of a year: %s %%, want %s %%", test.down, got, test.percent)
		}
		if test.down > 0 && *a.Ratio >= 1 {
			t.Errorf("%d ms down of a year is a ratio of %v", test.down, *a.Ratio)
		}
	}
}

// vectors/availability.json, budgets
func TestBudgets(t *testing.T) {
	for _, test := range []struct {
		target float64
		days   ingest.Millis
		budget int64
	}{{.9995, 7, 302_400}, {.999, 30, 2592_000}} {
		itil, _ := Preset("itil")
		terms := Terms{Policy: itil, Objective: test.target}
		w := Interval{0, test.days * ingest.Day}
		for down, met := range map[int64]bool{test.budget: true, test.budget + 1: false} {
			a := terms.Measure(w, w.To, Matrix{Buckets: Buckets{Up: w.Length() - down, Down: down}})
			want := Budget{Total: test.budget, Spent: down, Left: test.budget - down}
			if *a.Budget != want || *a.Met != met || !a.Final {
				t.Errorf("%v of %d days with %d ms down: budget %+v, met %v", test.target, test.days, down, *a.Budget, *a.Met)
			}
		}
	}
}

func TestARunningWindowHasTheBudgetOfAllOfIt(t *testing.T) {
	itil, _ := Preset("itil")
	w := Interval{0, 30 * ingest.Day}
	terms := Terms{Policy: itil, Objective: .999}
	up := Matrix{Buckets: Buckets{Up: day - 60_000, Down: 60_000, NotYet: 29 * day}}
	a := terms.Measure(w, ingest.Day, up)
	if a.Budget.Total != 2592_000 || !*a.Met || a.Final {
		t.Errorf("budget %+v, met %v, final %v", *a.Budget, *a.Met, a.Final)
	}
	terms.Maintenance = Set{{29 * ingest.Day, 30 * ingest.Day}}
	if a = terms.Measure(w, ingest.Day, up); a.Budget.Total != 29*86_400 {
		t.Errorf("with a day of maintenance to come, the budget is %d ms", a.Budget.Total)
	}
	terms.Hours = schedule(t, "UTC", nil, Hours{Weekdays: []int{0, 1, 2, 3, 4, 5, 6}, From: 0, To: 12 * 60})
	if a = terms.Measure(w, ingest.Day, up); a.Budget.Total != 15*86_400 {
		t.Errorf("with half days to come, the budget is %d ms", a.Budget.Total)
	}
}

func TestDegradedTimeCountsByItsWeightRoundedUp(t *testing.T) {
	for _, test := range []struct {
		weight float64
		ms     int64
		down   int64
	}{{0, 1000, 0}, {1, 1000, 1000}, {.5, 1001, 501}, {.1, 1, 1}, {.25, 8, 2}} {
		p := Policy{Maintenance: Excluded, Unknown: Excluded, DegradedWeight: test.weight}
		if got := p.count(Matrix{Buckets: Buckets{Degraded: test.ms}}).down; got != test.down {
			t.Errorf("%d ms degraded with the weight %v count %d ms as down, want %d", test.ms, test.weight, got, test.down)
		}
	}
}

func TestPoliciesThatMakeNoSenseAreRefused(t *testing.T) {
	for name, p := range map[string]Policy{
		"an unknown preset":          {Preset: "azure"},
		"maintenance counts double":  {Maintenance: "double"},
		"unknown counts":             {Unknown: CountsState},
		"a weight over 1":            {DegradedWeight: 1.5},
		"a weight that is no number": {DegradedWeight: math.NaN()},
		"a negative coverage":        {MinCoverage: -1},
	} {
		if p.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestBucketsSumToTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := Interval{ingest.Millis(rapid.Int64Range(0, 1000).Draw(t, "from")), ingest.Millis(rapid.Int64Range(1001, 5000).Draw(t, "to"))}
		asOf := ingest.Millis(rapid.Int64Range(0, 6000).Draw(t, "as of"))
		past := max(0, min(int64(w.To), int64(asOf))-int64(w.From))
		covered := rapid.Int64Range(0, past).Draw(t, "covered")
		var m Matrix
		if err := m.Add(DownBucket, Down, covered); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(w, asOf); err != nil {
			t.Fatal(err)
		}
		if m.Sum() != w.Length() || m.NotYet != w.Length()-past || m.Unknown != past-covered {
			t.Fatalf("%+v in a window of %d ms", m, w.Length())
		}
		if err := m.Add(UpBucket, Up, w.Length()+1); err != nil {
			t.Fatal(err)
		}
		if m.Close(w, asOf) == nil {
			t.Fatal("more rows than window are taken")
		}
	})
}

func TestBucketsThatAreNoneAreRefused(t *testing.T) {
	var m Matrix
	if m.Add("sideways", Up, 1) == nil || m.Add(UpBucket, Covered, 1) == nil || m != (Matrix{}) {
		t.Errorf("taken: %+v", m)
	}
}
