package simulate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// The services of a storm belong to a railway: names that no sample has.
func edgeNames() []string {
	return []string{"kiosk", "passenger-app", "dispatch-console", "agency-portal"}
}

func innerNames() []string {
	return []string{
		"timetable", "seatmap", "fares", "boarding", "wallet", "passes", "luggage", "platforms", "crews", "consists",
		"signalling", "forecast", "punctuality", "refunding", "vouchers", "penalties", "subscriptions", "itineraries",
		"stations", "elevators", "loudspeakers", "cameras", "validators", "depots", "traction", "rostering", "academy",
		"leasing", "complaints", "milepoints", "catering", "cleaning", "tunnels", "bridges", "freight", "wagons",
		"manifests", "customs", "tolls", "sleepers", "charters", "rebooking", "translation", "heatmap", "turnstiles",
		"lockers", "parking", "bicycles", "shuttles", "ferries", "accessibility", "lostfound", "diagnostics", "lubrication",
	}
}

func storeNames() []string {
	return []string{
		"cassandra", "oracle", "couchbase", "nats", "minio", "consul", "memcached", "opensearch", "cockroach", "pulsar",
	}
}

// stormEstate makes up a company of about the size asked for.
func stormEstate(o StormOptions) *estate {
	d := roll(o.Seed, "estate")
	e := &estate{cluster: "rail-prod", namespace: "rail"}
	stores := max(2, o.Services/6)
	edges := min(len(edgeNames()), max(1, o.Services/15))
	for i := range o.Services {
		s := &service{named: pick(d, []string{"service", "service", "service", "app", "deployment"}), placed: d.chance(0.85)}
		switch {
		case i < edges:
			s.name, s.tier, s.replicas = edgeNames()[i], 1, 3+d.IntN(3)
		case i < o.Services-stores:
			s.name, s.tier, s.replicas = numbered(innerNames(), i-edges), 2+d.IntN(2), 2+d.IntN(4)
		default:
			s.name, s.tier, s.replicas, s.store = numbered(storeNames(), i-(o.Services-stores)), 2, 3, true
		}
		s.owner = fmt.Sprintf("squad-%d", i%7)
		e.services = append(e.services, s)
	}
	for i, s := range e.services {
		if !s.store {
			s.calls = e.callees(d, i, stores)
		}
	}
	e.build(d, max(6, o.Services/5), "rail-1")
	return e
}

// callees chooses whom service i calls: services after it, so that there are few
// circles, and one or two stores.
func (e *estate) callees(d dice, i, stores int) []string {
	var calls []string
	inner := e.services[min(i+1, len(e.services)-stores) : len(e.services)-stores]
	for _, s := range some(d, inner, 1+d.IntN(4)) {
		calls = append(calls, s.name)
	}
	for _, s := range some(d, e.services[len(e.services)-stores:], d.IntN(3)) {
		calls = append(calls, s.name)
	}
	if i > 2 && d.chance(0.03) { // somebody calls back
		calls = append(calls, e.services[d.IntN(i)].name)
	}
	slices.Sort(calls)
	return slices.Compact(calls)
}

// numbered returns the i-th name; past the end of the list names get a number.
func numbered(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s-%d", names[i%len(names)], i/len(names)+1)
}

// catalogue writes the catalogue as its owners keep it: a share of the true
// dependencies is missing, and some are there that are no longer true, some of
// them to services that are gone.
func (e *estate) catalogue(d dice, missing, stale float64) []byte {
	var b bytes.Buffer
	b.WriteString("services:\n")
	for _, s := range e.services {
		var depends []string
		for _, c := range s.calls {
			if !d.chance(missing) {
				depends = append(depends, c)
			}
		}
		if d.chance(stale) {
			depends = append(depends, pick(d, e.services).name)
		}
		if d.chance(stale / 2) {
			depends = append(depends, "legacy-"+s.name)
		}
		depends = slices.DeleteFunc(depends, func(c string) bool { return c == s.name })
		slices.Sort(depends)
		fmt.Fprintf(&b, "  - name: %s\n    owner: %s\n    tier: %d\n    depends_on: [%s]\n",
			s.name, s.owner, s.tier, strings.Join(slices.Compact(depends), ", "))
	}
	return b.Bytes()
}
