package partition_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
)

// A configuration is taken whole or not at all: where one part of it cannot be used, the others
// change nothing, and its record says that it was refused.
func TestAConfigurationIsTakenWholeOrNotAtAll(t *testing.T) {
	records := stormRecords(t, smallStorm)
	half := len(records) / 2
	for name, body := range map[string]string{
		"the levels have an unknown zone":        `{"correlation":{"services":[{"name":"other"}]},"levels":{"zone":"Nowhere/At_All"}}`,
		"the correlation has a broken matcher":   `{"correlation":{"services":[{"name":"other","matchers":[[{"name":"a","op":"=~","value":"("}]]}]},"levels":{"zone":"UTC","services":[{"name":"other"}]}}`,
		"the decoding has a negative time limit": `{"decoding":{"resolve_timeout":-1000},"correlation":{"services":[{"name":"other"}]},"levels":{"zone":"UTC"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			refused := ingest.Record{Kind: ingest.KindConfiguration, ReceivedAt: records[half-1].ReceivedAt, Body: []byte(body)}
			whole, hurt := partition.NewReplay(0), partition.NewReplay(0)
			for i, rec := range records {
				if i == half {
					rows := hurt.Apply(refused)
					if n := len(rows.DeadLetters); n != 1 || rows.Deliveries[0].DeadLetters != 1 {
						t.Fatalf("it has %d dead letters, its record counts %d", n, rows.Deliveries[0].DeadLetters)
					}
					if got := len(rows.Ledger) + len(rows.Segments) + len(rows.Episodes); got != 0 {
						t.Errorf("it changed %d rows", got)
					}
				}
				rec.Position = 0
				want, got := whole.Apply(rec), hurt.Apply(rec)
				if diff := cmp.Diff(want, got, sameRows, cmpopts.IgnoreTypes(ingest.Address{}), cmpopts.IgnoreFields(ingest.Record{}, "Position")); diff != "" {
					t.Fatalf("after it the rows differ:\n%s", diff)
				}
			}
		})
	}
}

// What the last configuration is, the journal says: not a file beside it that can be lost.
func TestAConfigurationIsWrittenOnceHoweverOftenTheServiceStarts(t *testing.T) {
	j, dir := journalOf(t, nil), t.TempDir()
	c := partition.Configuration{Correlation: correlate.Config{Services: []correlate.Service{{Name: "cart"}}}}
	wait := func(r *partition.Runner, ctx context.Context) {
		for range 2 {
			if err := r.Configure(ctx, c, 0); err != nil {
				t.Error(err)
			}
		}
		_ = r.WaitStored(ctx, j.Last())
	}
	for range 3 {
		runUntil(t, startWith(t, partition.Options{Log: j, Store: &memory{}, Keep: partition.NewFiles(dir)}), wait)
	}
	if j.Last() != 1 {
		t.Errorf("after three starts the journal has %d records", j.Last())
	}

	// Where records wait that may hold another one, it is written again: else another would win.
	other, err := partition.Configuration{Levels: sla.Config{Zone: "Europe/Berlin"}}.Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), []ingest.Record{other}); err != nil {
		t.Fatal(err)
	}
	r := startWith(t, partition.Options{Log: j, Store: &memory{}, Keep: partition.NewFiles(dir)})
	runUntil(t, r, wait)
	want, err := c.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if j.Last() != 3 || r.Configuration() != want {
		t.Errorf("the journal has %d records, want 3; in force is %.8s, want %.8s", j.Last(), r.Configuration(), want)
	}

	// A state of before, or none, changes nothing.
	if err := os.Remove(filepath.Join(dir, "state.json")); err != nil {
		t.Fatal(err)
	}
	runUntil(t, startWith(t, partition.Options{Log: j, Store: &memory{}, Keep: partition.NewFiles(dir)}), wait)
	if j.Last() != 3 {
		t.Errorf("without the state the journal has %d records, want 3", j.Last())
	}
}

// What the fold would refuse never reaches the journal.
func TestAConfigurationThatCannotBeUsedIsNotWritten(t *testing.T) {
	j := journalOf(t, nil)
	r := startWith(t, partition.Options{Log: j, Store: &memory{}, Keep: partition.NewFiles(t.TempDir())})
	err := r.Configure(t.Context(), partition.Configuration{Levels: sla.Config{Zone: "Nowhere/At_All"}}, 0)
	if err == nil || !strings.Contains(err.Error(), "Nowhere") || j.Last() != 0 {
		t.Errorf("it gives %v, and the journal has %d records", err, j.Last())
	}
}

func TestAConfigurationIsTheSameBytesEveryTime(t *testing.T) {
	c := partition.Configuration{
		Correlation: correlate.Config{Services: []correlate.Service{{Name: "cart", Owner: "a"}}},
		Levels:      sla.Config{Zone: "UTC", Services: []sla.ServiceLevels{{Name: "cart"}}},
	}
	first, err := c.Record()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := partition.ParseConfiguration(first.Body)
	if err != nil {
		t.Fatal(err)
	}
	second, err := parsed.Record()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Body, second.Body) {
		t.Errorf("written and read again the configuration is\n%s\nand was\n%s", second.Body, first.Body)
	}
}
