package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/improvetest"
	"github.com/evenkeel/evenkeel/improve/report"
)

// stored reads one of the reports that the tests of improve made.
func stored(t testing.TB, name string) (*improve.Report, []byte) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r improve.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r, b
}

func render(t testing.TB, r *improve.Report, f report.Format) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.Render(&out, r, f); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAReportIsRenderedAsItWasBefore(t *testing.T) {
	for _, name := range []string{"october", "nothing"} {
		t.Run(name, func(t *testing.T) {
			r, source := stored(t, name)
			improvetest.Golden(t, name+".html", render(t, r, report.FormatHTML))
			improvetest.Golden(t, name+".md", render(t, r, report.FormatMarkdown))
			if diff := cmp.Diff(string(source), string(render(t, r, report.FormatJSON))); diff != "" {
				t.Errorf("the JSON is not what it was read from:\n%s", diff)
			}
		})
	}
}

func TestASecondRunGivesTheSameBytes(t *testing.T) {
	for _, f := range report.Formats() {
		r, _ := stored(t, "october")
		first := render(t, r, f)
		for range 5 {
			if !bytes.Equal(first, render(t, r, f)) {
				t.Errorf("%s differs from run to run", f)
			}
		}
	}
}
