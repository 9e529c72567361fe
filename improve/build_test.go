package improve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/improvetest"
	"github.com/evenkeel/evenkeel/improve/report"
)

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

// The golden reports are what improve/report renders in its own tests.
func TestReportsOfKnownFactsStayWhatTheyAre(t *testing.T) {
	for name, fixture := range map[string]func(testing.TB) (*memory, improve.Params){"october": october, "nothing": nothing} {
		t.Run(name, func(t *testing.T) {
			m, p := fixture(t)
			first := encode(t, build(t, m, p))
			improvetest.Golden(t, name+".json", first)
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

func TestAnIncidentOfWhichNobodyKnowsWhenItEndedHasNoLength(t *testing.T) {
	m, p := october(t)
	before := build(t, m, p).Incidents.Resolve
	m, p = october(t)
	i := slices.IndexFunc(m.incidents, func(i correlate.Incident) bool { return i.ResolvedAt != 0 && i.OpenedAt >= at(t, "2026-10-02") })
	m.incidents[i].Unknown = 1
	after := build(t, m, p).Incidents.Resolve
	if before.UnknownEnd != 0 || after.UnknownEnd != 1 || after.N != before.N-1 || after.NotResolved != before.NotResolved {
		t.Errorf("before %+v, after %+v", before, after)
	}
}
