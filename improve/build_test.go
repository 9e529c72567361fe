package improve_test

import (
	"bytes"
	"context"
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

func build(t testing.TB, m *memory, p improve.Params) *improve.Report {
	t.Helper()
	r, err := improve.Build(context.Background(), m, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encode(t testing.TB, r *improve.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := report.JSON(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// golden compares b with a file of testdata, which -update writes.
func golden(t *testing.T, name string, b []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(b)); diff != "" {
		t.Errorf("%s differs (-want +got); see it, then run with -update:\n%s", name, diff)
	}
}

// The golden reports are what improve/report renders in its own tests.
func TestReportsOfKnownFactsStayWhatTheyAre(t *testing.T) {
	for name, fixture := range map[string]func(testing.TB) (*memory, improve.Params){"october": october, "nothing": nothing} {
		t.Run(name, func(t *testing.T) {
			m, p := fixture(t)
			first := encode(t, build(t, m, p))
			golden(t, name+".json", first)
			m, p = fixture(t)
			if again := encode(t, build(t, m, p)); !bytes.Equal(first, again) {
				t.Error("a second run gives other bytes")
			}
			var back improve.Report
			if err := json.Unmarshal(first, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(first), string(encode(t, &back))); diff != "" {
				t.Errorf("a report read back is another one:\n%s", diff)
			}
		})
	}
}
