package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
	"github.com/evenkeel/evenkeel/sla/store"
)

// Alerts of one service that several partitions have folded, each some of them, are read as if one
// partition had folded them all.
func TestWhatSeveralPartitionsHaveFoldedReadsAsIfOneHad(t *testing.T) {
	d := newDatabase(t)
	const partitions = 3
	d.knowPartitions(t, partitions)
	r := store.NewReader(d.conn)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		all := deeds(t)
		first := configuration(t)
		levels := first.Services[0]
		first.Services = nil
		for _, name := range slices.Sorted(slices.Values(services)) {
			levels.Name = name
			first.Services = append(first.Services, levels)
		}
		all = slices.Insert(all, 0, deed{at: begin - ingest.Day, configure: &first})
		asOf := begin + span + ingest.Day
		whole := fold(t, all, asOf)
		c := whole.config
		one := d.keep(ctx, t, whole.Output, whole.windows...)
		many := d.keepParts(ctx, t, shares(t, all, asOf, partitions), whole.windows)

		from := moments().Draw(t, "from")
		to := from + 1 + ingest.Millis(rapid.Int64Range(0, int64(2*ingest.Day)).Draw(t, "window"))
		for _, tenant := range []string{one, many} {
			discrepancies, err := r.Reconcile(ctx, store.ReconcileQuery{Tenant: tenant, From: from, To: to, AsOf: asOf, Config: c})
			if err != nil || tenant == one && len(discrepancies) > 0 {
				t.Fatal(discrepancies, err)
			}
		}
		ignoring := cmp.Options{
			cmpopts.IgnoreFields(sla.Availability{}, "Tenant"),
			cmpopts.IgnoreFields(sla.Segment{}, "Tenant", "StatedAt"), cmpopts.IgnoreFields(sla.Stretch{}, "Tenant", "StatedAt"),
		}
		same(t, ignoring, one, many, func(tenant string) (any, error) {
			return r.Availability(ctx, store.AvailabilityQuery{Tenant: tenant, Agreement: sla.EveryAgreement, From: from, To: to, AsOf: asOf, Config: c})
		})
		buckets := rapid.SampledFrom([][]sla.Bucket{nil, {sla.DownBucket}, {sla.UnknownBucket, sla.DegradedBucket}}).Draw(t, "buckets")
		same(t, ignoring, one, many, func(tenant string) (any, error) {
			return r.Segments(ctx, store.SegmentsQuery{Tenant: tenant, Agreement: sla.EveryAgreement, Buckets: buckets, From: from, To: to, AsOf: asOf})
		})
		states := rapid.SampledFrom([][]sla.State{nil, {sla.Degraded}, {sla.Covered}}).Draw(t, "states")
		same(t, ignoring, one, many, func(tenant string) (any, error) {
			return r.Stretches(ctx, store.StretchesQuery{Tenant: tenant, States: states, From: from, To: to, AsOf: asOf})
		})
		at := to // not where an episode begins: see Running
		for slices.ContainsFunc(all, func(d deed) bool { return d.episode.StartsAt == at }) {
			at++
		}
		same(t, ignoring, one, many, func(tenant string) (any, error) { return r.Running(ctx, tenant, at) })
	})
}

func same(t *rapid.T, o cmp.Option, one, many string, ask func(tenant string) (any, error)) {
	t.Helper()
	want, err := ask(one)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ask(many)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, o); diff != "" {
		t.Fatalf("-one partition +several:\n%s", diff)
	}
}

// shares folds what each of n partitions sees: every configuration, every window, and its own alerts.
func shares(t *rapid.T, all []deed, asOf ingest.Millis, n int) []sla.Output {
	outs := make([]sla.Output, n)
	for p := range outs {
		l := sla.NewSharedLedger(sla.Share{Index: uint32(p), Of: uint32(n)})
		for k, d := range all {
			l.Advance(d.at)
			switch {
			case d.configure != nil:
				if err := l.Configure(d.at, *d.configure); err != nil {
					t.Fatal(err)
				}
			case d.window != nil:
				l.Maintain(ingest.Event{Source: "itsm", Maintenance: d.window})
			case d.episode.Fingerprint[0]%byte(n) == byte(p):
				l.Apply([]correlate.Episode{d.episode})
			}
			add(&outs[p], k+1, l.Flush())
		}
		l.Advance(asOf)
		add(&outs[p], len(all)+1, l.Flush())
	}
	return outs
}

// keepParts stores the rows of several partitions for one new tenant; the windows are those of the first.
func (d *database) keepParts(ctx context.Context, t fataler, outs []sla.Output, windows []ingeststore.MaintenanceRow) string {
	tenant := fmt.Sprintf("tenant %d's", d.tenants.Add(1))
	for p, out := range outs {
		number := uint32(d.tenants.Add(1))
		last := uint64(1)
		for i := range out.Ledger {
			out.Ledger[i].Tenant, out.Ledger[i].Partition = tenant, number
			last = max(last, out.Ledger[i].Position)
		}
		for i := range out.Segments {
			out.Segments[i].Tenant, out.Segments[i].Partition = tenant, number
			last = max(last, out.Segments[i].Position)
		}
		var kept []ingeststore.MaintenanceRow
		if p == 0 {
			kept = slices.Clone(windows)
		}
		for i := range kept {
			kept[i].Tenant, kept[i].Partition = tenant, number
			last = max(last, kept[i].Position)
		}
		err := d.writer.Insert(ctx, clickhouse.Batch{Partition: number, First: 1, Last: last, Tables: []clickhouse.TableRows{
			store.Ledger.Rows(out.Ledger), store.Segments.Rows(out.Segments), ingeststore.Maintenance.Rows(kept),
		}}, false)
		if err != nil {
			t.Fatalf("partition %d: %v", p, err)
		}
	}
	return tenant
}

// knowPartitions makes it known that so many partitions have stored something.
func (d *database) knowPartitions(t *testing.T, n uint32) {
	t.Helper()
	for p := range n {
		err := d.writer.Insert(t.Context(), clickhouse.Batch{Partition: p, First: 1, Last: 1, Tables: []clickhouse.TableRows{
			partition.Positions.Rows([]partition.Position{{Partition: p, Position: 1, FoldTime: begin}}),
		}}, false)
		if err != nil {
			t.Fatal(err)
		}
	}
}
