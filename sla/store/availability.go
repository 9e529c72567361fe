package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// AvailabilityQuery asks how services did in [From, To), which need not align with
// anything, as it was known at AsOf.
type AvailabilityQuery struct {
	Tenant    string   // "" is the default tenant
	Services  []string // empty: all of Config, and all that rows are left of in the window
	Agreement string   // "" is the service itself; sla.EveryAgreement is that and every agreement
	From, To  ingest.Millis
	// AsOf is the instant that the answer speaks from: rows recorded later do not
	// count, and what lies after it is not yet. It should not lie after the stored fold
	// time: beyond that, rows only expect the rest of the day to go on as it is.
	AsOf ingest.Millis
	// Config names policies, objectives and zones. What it does not name has the
	// default policy, no objective and the root zone.
	Config sla.Config
}

// Availability returns one result for each service and agreement asked for,
// ordered by service, then agreement. A service of Config or of Services without
// any row is there too: unknown, with a reason. Rows that were taken back, such as those of
// a service that a reload brought and the next removed, make no service known.
func (r *Reader) Availability(ctx context.Context, q AvailabilityQuery) ([]sla.Availability, error) {
	s := scope{q.Tenant, q.Services, q.From, q.To, q.AsOf}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("availability: %w", err)
	}
	terms, err := q.terms()
	if err != nil {
		return nil, fmt.Errorf("availability: %w", err)
	}
	sums, err := r.matrices(ctx, s, q.Agreement)
	if err != nil {
		return nil, fmt.Errorf("availability: %w", err)
	}
	for key := range sums {
		if _, ok := terms[key]; !ok {
			terms[key] = q.Config.DefaultTerms(key.service, key.agreement)
		}
	}
	if err := r.plan(ctx, s, terms); err != nil {
		return nil, fmt.Errorf("availability: %w", err)
	}
	return measure(s, terms, sums)
}

// termsKey names what is measured.
type termsKey struct{ service, agreement string }

// terms returns the terms of all that is asked for by name or by configuration.
func (q AvailabilityQuery) terms() (map[termsKey]sla.Terms, error) {
	all, err := q.Config.Terms()
	if err != nil {
		return nil, err
	}
	asked := make(map[termsKey]sla.Terms, len(all))
	for _, t := range all {
		if q.wants(t.Service, t.Agreement) {
			asked[termsKey{t.Service, t.Agreement}] = t
		}
	}
	for _, service := range q.Services {
		key := termsKey{service, ""}
		if _, ok := asked[key]; !ok && q.wants(service, "") {
			asked[key] = q.Config.DefaultTerms(service, "")
		}
	}
	return asked, nil
}

func (q AvailabilityQuery) wants(service, agreement string) bool {
	return (len(q.Services) == 0 || slices.Contains(q.Services, service)) &&
		(q.Agreement == sla.EveryAgreement || q.Agreement == agreement)
}

// matrices sums the rows of a window by service and agreement.
func (r *Reader) matrices(ctx context.Context, s scope, agreement string) (map[termsKey]sla.Matrix, error) {
	sums := make(map[termsKey]sla.Matrix)
	if s.past().Empty() {
		return sums, nil
	}
	params := s.params()
	params["every_agreement"] = flag(agreement == sla.EveryAgreement)
	params["agreement"] = agreement
	by := make(map[termsKey]uint32) // the partition that has told
	var several []string            // services of which more than one has
	err := clickhouse.Each(ctx, r.db, availabilitySQL, params, func(rows clickhouse.Rows) error {
		var key termsKey
		var partition uint32
		var bucket, state string
		var ms int64
		if err := rows.Scan(&key.service, &key.agreement, &partition, &bucket, &state, &ms); err != nil {
			return err
		}
		m, told := sums[key]
		if told && by[key] != partition {
			several = append(several, key.service)
		}
		by[key] = partition
		if err := m.Add(sla.Bucket(bucket), sla.State(state), ms); err != nil {
			return fmt.Errorf("service %q, agreement %q: %w", key.service, key.agreement, err)
		}
		sums[key] = m
		return nil
	})
	if err != nil || len(several) == 0 {
		return sums, err
	}
	slices.Sort(several)
	return sums, r.mergeInto(ctx, sums, s, agreement, slices.Compact(several))
}

// mergeInto replaces the sums of services of which several partitions have told: time in which
// two of them have rows would count twice.
func (r *Reader) mergeInto(ctx context.Context, sums map[termsKey]sla.Matrix, s scope, agreement string, services []string) error {
	merged, err := r.Segments(ctx, SegmentsQuery{
		Tenant: s.tenant, Services: services, Agreement: agreement, From: s.from, To: s.to, AsOf: s.asOf,
	})
	if err != nil {
		return err
	}
	for key := range sums {
		if _, found := slices.BinarySearch(services, key.service); found {
			delete(sums, key)
		}
	}
	for _, one := range merged {
		key := termsKey{one.Service, one.Agreement}
		m := sums[key]
		if err := m.Add(one.Bucket, one.State, int64(one.To-one.From)); err != nil {
			return fmt.Errorf("service %q, agreement %q: %w", key.service, key.agreement, err)
		}
		sums[key] = m
	}
	return nil
}

// measure makes the results in their order.
func measure(s scope, terms map[termsKey]sla.Terms, sums map[termsKey]sla.Matrix) ([]sla.Availability, error) {
	window := sla.Interval{From: s.from, To: s.to}
	results := make([]sla.Availability, 0, len(terms))
	for key, t := range terms {
		m := sums[key]
		if err := m.Close(window, s.asOf); err != nil {
			return nil, fmt.Errorf("service %q, agreement %q: %w", key.service, key.agreement, err)
		}
		a := t.Measure(window, s.asOf, m)
		a.Tenant = cmp.Or(s.tenant, ingest.DefaultTenant)
		results = append(results, a)
	}
	slices.SortFunc(results, func(a, b sla.Availability) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Agreement, b.Agreement))
	})
	return results, nil
}
