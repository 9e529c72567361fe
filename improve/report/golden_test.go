package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

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

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); look at it, then run with -update:\n%s", name, diff)
	}
}

func TestAReportIsRenderedAsItWasBefore(t *testing.T) {
	for _, name := range []string{"october", "nothing"} {
		t.Run(name, func(t *testing.T) {
			r, source := stored(t, name)
			golden(t, name+".html", render(t, r, report.FormatHTML))
			golden(t, name+".md", render(t, r, report.FormatMarkdown))
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
