package improve

// Verdict is what a trend says. There is no fifth word: where the data do not
// decide, it says so.
type Verdict string

// The verdicts.
const (
	Improved      Verdict = "improved"
	Worse         Verdict = "worse"
	NoEvidence    Verdict = "no evidence"
	TooLittleData Verdict = "too little data"
)

// MinWeeks is the least number of observed weeks that a verdict may rest on.
const MinWeeks = 8

// Confidence is the level of every interval, and 1-Confidence the level of every test.
const Confidence = 0.95

// Interval is a two-sided confidence interval at [Confidence].
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Trend is a verdict on a weekly series, with what it rests on.
type Trend struct {
	Verdict  Verdict   `json:"verdict"`
	Metric   string    `json:"metric"`   // what was counted: "incidents per week"
	Effect   *float64  `json:"effect"`   // Theil-Sen slope: change of the metric from week to week; null without data
	Interval *Interval `json:"interval"` // of the effect
	P        *float64  `json:"p"`        // two-sided; the one the verdict used
	Tau      *float64  `json:"tau"`      // Kendall's: -1 always falling .. 1 always rising
	N        int       `json:"n"`        // observed weeks
	Missing  int       `json:"missing"`  // weeks that were not observed; they count as nothing, not as zero
	Method   string    `json:"method"`
	Notes    []string  `json:"notes"` // what limits it, in words
}
