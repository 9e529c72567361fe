package correlate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

const limitsFrom = ingest.Millis(1_790_000_000_000)

// sight applies one alert of a source and tenant, seen at an instant.
func sight(f *correlate.Fold, tenant, source string, n int, at ingest.Millis, resolved bool) string {
	f.Advance(at)
	ls := ingest.Labels{{Name: "alertname", Value: "Up"}, {Name: "instance", Value: fmt.Sprint(n)}}
	a := &ingest.Alert{Fingerprint: ls.Fingerprint(), Labels: ls, StartsAt: limitsFrom, Resolved: resolved}
	if resolved {
		a.EndsAt = at
	}
	refused := f.Apply(ingest.Event{Tenant: tenant, Source: source, ReceivedAt: at, Alert: a}).Refused
	f.Flush()
	return refused
}

func limited(t *testing.T, l correlate.Limits) *correlate.Fold {
	t.Helper()
	f := correlate.New(0)
	if err := f.Configure(correlate.Config{Limits: l}); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAnAlertTooManyIsRefusedAndThoseThatAreKnownGoOn(t *testing.T) {
	f := limited(t, correlate.Limits{AlertsPerSource: 3, AlertsPerTenant: 5})
	for _, step := range []struct {
		tenant, source string
		n              int
		refused        string
	}{
		{"a", "eu", 1, ""}, {"a", "eu", 2, ""}, {"a", "eu", 3, ""},
		{"a", "eu", 4, `source "eu" has 3 distinct alerts`},
		{"a", "eu", 2, ""}, // again
		{"a", "us", 1, ""}, {"a", "us", 2, ""},
		{"a", "us", 3, `tenant "a" has 5 distinct alerts`},
		{"b", "eu", 1, ""}, // tenants are apart
		{"a", "eu", 4, `alerts_per_source allows 3`},
	} {
		got := sight(f, step.tenant, step.source, step.n, limitsFrom, false)
		if (got == "") != (step.refused == "") || !strings.Contains(got, step.refused) {
			t.Errorf("%+v: %q", step, got)
		}
	}
}

func TestAnAlertThatBeginsInYearsIsRefusedAndTakesNoRoom(t *testing.T) {
	const year = 366 * ingest.Day
	f := limited(t, correlate.Limits{AlertsPerSource: 1})
	f.Advance(limitsFrom)
	apply := func(name string, starts ingest.Millis, resolved bool) string {
		a := &ingest.Alert{Fingerprint: name, Labels: ingest.Labels{{Name: "alertname", Value: name}}, StartsAt: starts, Resolved: resolved}
		return f.Apply(ingest.Event{Source: "eu", ReceivedAt: limitsFrom, Alert: a}).Refused
	}
	for _, resolved := range []bool{false, true} {
		const want = `alert "Far": its start 2027-09-22T14:13:20.001Z lies more than 366 days after it was received: it is not counted`
		if got := apply("Far", limitsFrom+year+1, resolved); got != want {
			t.Errorf("resolved %t: %q", resolved, got)
		}
	}
	if got := apply("Near", limitsFrom+year, false); got != "" {
		t.Error(got)
	}
	if out := f.Flush(); len(out.Episodes) != 1 || out.Episodes[0].AlertName != "Near" {
		t.Errorf("%+v", out.Episodes)
	}
}

func TestThereIsRoomAgainWhenAlertsAreForgotten(t *testing.T) {
	f := limited(t, correlate.Limits{AlertsPerSource: 2})
	at := limitsFrom
	for n := range 2 {
		sight(f, "", "eu", n, at, false)
		sight(f, "", "eu", n, at+ingest.Minute, true)
	}
	if got := sight(f, "", "eu", 9, at+2*ingest.Minute, false); got == "" {
		t.Error("one that just ended is not remembered")
	}
	// What is restored counts as it did.
	state, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := limited(t, correlate.Limits{AlertsPerSource: 2})
	if err := restored.Restore(state); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*correlate.Fold{"the fold": f, "the restored one": restored} {
		if got := sight(f, "", "eu", 9, at+3*ingest.Minute, false); got == "" {
			t.Errorf("%s: a third alert is taken", name)
		}
		later := at + 40*ingest.Day
		for now := at; now < later; now += ingest.Day {
			f.Advance(now)
			f.Flush()
		}
		for n := range 2 {
			if got := sight(f, "", "eu", 20+n, later, false); got != "" {
				t.Errorf("%s, much later: %s", name, got)
			}
		}
	}
}
