package ingest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// DomainOf names the correlation domain of an event: what is correlated together, and so goes to
// one partition. It is the tenant and, for an alert, the value of one label, such as cluster. An
// event that concerns every domain of its tenant, such as a change, has none: everywhere is true.
func DomainOf(e Event, label string) (domain string, everywhere bool) {
	switch {
	case e.Change != nil, e.Maintenance != nil, e.Link != nil, // of services and alerts whose domain it does not name
		e.Progress != nil: // of all that a source could have said
		return "", true
	case e.Alert != nil && label != "":
		return domainOf(e.Tenant, e.Alert.Labels.Get(label)), false
	}
	return domainOf(e.Tenant, ""), false
}

// domainOf keeps a tenant "a" with the value "bc" apart from "ab" with "c": no tenant has a zero byte.
func domainOf(tenant, value string) string {
	if tenant == "" {
		tenant = DefaultTenant
	}
	return tenant + "\x00" + value
}

// PartitionOf returns the partition, of so many, that folds a domain. It is part of what is
// on disk: it never changes.
func PartitionOf(domain string, of uint32) uint32 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(domain)) // a hash takes everything
	x := h.Sum64()
	x ^= x >> 32 // the low bits of FNV alone tell short texts apart badly
	return uint32(x % uint64(of))
}

// Route says which partitions hold a copy of a record, and which of its events each of them folds.
// A copy carries it beside the same body: nothing is decoded and encoded anew, whatever the format.
//
// Each event belongs to exactly one of the copies, or to all of them, whoever
// decodes it: one whose partition has no copy (because it was decoded otherwise when the record
// was routed) belongs to the first.
type Route struct {
	Label string   // whose value names the domain of an alert
	Of    uint32   // partitions of the journal
	Among []uint32 // partitions that hold a copy, ascending, at least one
}

// NewRoute returns the route of a record with these events. A record of which
// nothing was understood goes where its tenant does.
func NewRoute(label string, of uint32, tenant string, events []Event) Route {
	r := Route{Label: label, Of: of}
	held := make([]bool, of)
	for i := range events {
		domain, everywhere := DomainOf(events[i], label)
		if everywhere {
			r.Among = allOf(of)
			return r
		}
		held[PartitionOf(domain, of)] = true
	}
	for p := range of {
		if held[p] {
			r.Among = append(r.Among, p)
		}
	}
	if len(r.Among) == 0 {
		r.Among = []uint32{PartitionOf(domainOf(tenant, ""), of)}
	}
	return r
}

func allOf(n uint32) []uint32 {
	all := make([]uint32, n)
	for p := range n {
		all[p] = p
	}
	return all
}

// Folds tells whether the fold of a partition applies an event of the record. Without a route it does.
func (r *Route) Folds(partition uint32, e Event) bool {
	if r == nil {
		return true
	}
	domain, everywhere := DomainOf(e, r.Label)
	if everywhere {
		return true
	}
	owner := PartitionOf(domain, r.Of)
	if !slices.Contains(r.Among, owner) {
		owner = r.Among[0]
	}
	return owner == partition
}

// Counts tells whether a partition counts what belongs to the record as a whole and must be
// seen once: its dead letters, and the rows of an event that every partition folds.
func (r *Route) Counts(partition uint32) bool { return r == nil || r.Among[0] == partition }

// MarshalText writes "8:0,3:cluster": of how many, among which, by which label.
func (r Route) MarshalText() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	b := strconv.AppendUint(nil, uint64(r.Of), 10)
	for i, p := range r.Among {
		b = append(b, ":,"[min(i, 1)])
		b = strconv.AppendUint(b, uint64(p), 10)
	}
	return append(append(b, ':'), r.Label...), nil
}

// UnmarshalText is the inverse of MarshalText.
func (r *Route) UnmarshalText(text []byte) error {
	parts := strings.SplitN(string(text), ":", 3)
	if len(parts) != 3 {
		return fmt.Errorf("%q is not a route", text)
	}
	of, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil {
		return fmt.Errorf("route %q: %w", text, err)
	}
	read := Route{Label: parts[2], Of: uint32(of)}
	for among := range strings.SplitSeq(parts[1], ",") {
		p, err := strconv.ParseUint(among, 10, 32)
		if err != nil {
			return fmt.Errorf("route %q: %w", text, err)
		}
		read.Among = append(read.Among, uint32(p))
	}
	if err := read.check(); err != nil {
		return fmt.Errorf("route %q: %w", text, err)
	}
	*r = read
	return nil
}

var errRoute = errors.New("the partitions of a route are ascending and below their number")

func (r *Route) check() error {
	if len(r.Among) == 0 {
		return errRoute
	}
	for i, p := range r.Among {
		if p >= r.Of || i > 0 && p <= r.Among[i-1] {
			return errRoute
		}
	}
	return nil
}
