package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// ReconcileQuery says which rows to reconcile.
type ReconcileQuery struct {
	Tenant   string // "" is the default tenant
	From, To ingest.Millis
	AsOf     ingest.Millis
	Config   sla.Config // for the zones of agreements
}

// Reconcile returns what must never be, in the rows of [From, To) recorded up to
// AsOf: a net count of a row other than 0 or 1, overlaps, holes in a day that has
// rows, and sums that differ between the ledger and the segments. Rows that are
// added once by address, and taken back once, leave nothing to return.
//
// A day without rows lies between two midnights of the agreement's zone. So holes are
// looked for in the agreements that Config names, and days that were closed before
// a change of zone, which are cut elsewhere, show holes that are none.
func (r *Reader) Reconcile(ctx context.Context, q ReconcileQuery) ([]sla.Discrepancy, error) {
	s := scope{tenant: q.Tenant, from: q.From, to: q.To, asOf: q.AsOf}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	zones, err := zonesOf(q.Config)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	var all []sla.Discrepancy
	for _, check := range []func() ([]sla.Discrepancy, error){
		func() ([]sla.Discrepancy, error) { return r.counts(ctx, s) },
		func() ([]sla.Discrepancy, error) { return r.overlaps(ctx, s) },
		func() ([]sla.Discrepancy, error) { return r.gaps(ctx, s, zones) },
		func() ([]sla.Discrepancy, error) { return r.sums(ctx, s) },
	} {
		found, err := check()
		if err != nil {
			return nil, fmt.Errorf("reconcile: %w", err)
		}
		all = append(all, found...)
	}
	for i := range all {
		all[i].Tenant = cmp.Or(q.Tenant, ingest.DefaultTenant)
	}
	return all, nil
}

// whole returns parameters for whole rows that begin in the window, future ones included.
func whole(s scope) clickhouse.Params {
	params := s.params()
	params["to_ms"] = number(s.to)
	return params
}

func (r *Reader) counts(ctx context.Context, s scope) (found []sla.Discrepancy, err error) {
	err = clickhouse.Each(ctx, r.db, countsSQL, whole(s), func(rows clickhouse.Rows) error {
		var d sla.Discrepancy
		var at int64
		if err := rows.Scan(&d.Table, &d.Service, &d.Agreement, &at, &d.Problem); err != nil {
			return err
		}
		d.At = ingest.Millis(at)
		found = append(found, d)
		return nil
	})
	return found, err
}

func (r *Reader) overlaps(ctx context.Context, s scope) (found []sla.Discrepancy, err error) {
	err = clickhouse.Each(ctx, r.db, overlapsSQL, whole(s), func(rows clickhouse.Rows) error {
		var service string
		var covered uint8
		var ended, begins int64
		if err := rows.Scan(&service, &covered, &ended, &begins); err != nil {
			return err
		}
		what := "a state"
		if covered == 1 {
			what = "covered"
		}
		found = append(found, sla.Discrepancy{
			Table: Ledger.Name, Service: service, At: ingest.Millis(begins),
			Problem: fmt.Sprintf("%s begins before %s, the end of the row before", what, ingest.Millis(ended)),
		})
		return nil
	})
	return found, err
}

func (r *Reader) gaps(ctx context.Context, s scope, zones map[termsKey]*time.Location) (found []sla.Discrepancy, err error) {
	err = clickhouse.Each(ctx, r.db, gapsSQL, whole(s), func(rows clickhouse.Rows) error {
		var key termsKey
		var from, to int64
		if err := rows.Scan(&key.service, &key.agreement, &from, &to); err != nil {
			return err
		}
		ended, begins := ingest.Millis(from), ingest.Millis(to)
		zone := zones[key]
		if begins > ended && (zone == nil || isMidnight(ended, zone) && isMidnight(begins, zone)) {
			return nil // days without rows, or no way to tell
		}
		found = append(found, sla.Discrepancy{
			Table: Segments.Name, Service: key.service, Agreement: key.agreement, At: begins,
			Problem: fmt.Sprintf("begins %d ms after %s, the end of the row before", begins-ended, ended),
		})
		return nil
	})
	return found, err
}

func (r *Reader) sums(ctx context.Context, s scope) (found []sla.Discrepancy, err error) {
	if s.past().Empty() {
		return nil, nil
	}
	err = clickhouse.Each(ctx, r.db, sumsSQL, s.params(), func(rows clickhouse.Rows) error {
		var service string
		var ledger, segments struct{ down, degraded, known int64 }
		err := rows.Scan(&service, &ledger.down, &segments.down, &ledger.degraded, &segments.degraded, &ledger.known, &segments.known)
		if err != nil {
			return err
		}
		found = append(found, sla.Discrepancy{
			Table: Segments.Name, Service: service, At: s.from,
			Problem: fmt.Sprintf("the ledger has %d ms down, %d degraded, %d known; the segments have %d, %d, %d",
				ledger.down, ledger.degraded, ledger.known, segments.down, segments.degraded, segments.known),
		})
		return nil
	})
	return found, err
}

// zonesOf returns the zone of each agreement.
func zonesOf(c sla.Config) (map[termsKey]*time.Location, error) {
	terms, err := c.Terms()
	if err != nil {
		return nil, err
	}
	zones := make(map[termsKey]*time.Location, len(terms))
	for _, t := range terms {
		if zones[termsKey{t.Service, t.Agreement}], err = sla.LoadZone(t.Zone); err != nil {
			return nil, err
		}
	}
	return zones, nil
}

func isMidnight(t ingest.Millis, zone *time.Location) bool {
	return sla.MidnightAfter(t-1, zone) == t
}
