package ingest

import (
	"fmt"
	"slices"
)

// Decoded is what a record holds, decoded.
type Decoded struct {
	Events []Event
	Dead   []DeadLetter // what in it was not understood
	// Truncated is how many alerts the sender says that it left out.
	Truncated int
	// Warnings tell the sender what was ignored, each with its path: the first 100.
	Warnings []string
	// Unsaid is how many more warnings there would be.
	Unsaid int
}

// Sources returns the sources of what the delivery holds, in the order in which they come: one, but where a
// record that names none holds events of several kinds. What holds nothing is of the source of alerts.
func (d *Decoded) Sources() []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i := range d.Events {
		add(d.Events[i].Source)
	}
	for i := range d.Dead {
		add(d.Dead[i].Source)
	}
	if names == nil {
		add(SourceOfAlerts)
	}
	return names
}

// Settle gives all of it its tenant where the record names no source, and returns that: the one of the sources of
// what it holds.
func (d *Decoded) Settle(tenantOf func(source string) (string, error)) (string, error) {
	found, of := "", d.Sources()
	for i, source := range of {
		tenant, err := tenantOf(source)
		if err != nil {
			return "", err
		}
		if i > 0 && tenant != found {
			return "", fmt.Errorf("it holds what is of source %q, of tenant %q, and of source %q, of tenant %q: send them apart, or name a source",
				of[0], found, source, tenant)
		}
		found = tenant
	}
	for i := range d.Events {
		d.Events[i].Tenant = found
	}
	for i := range d.Dead {
		d.Dead[i].Tenant = found
	}
	return found, nil
}

// Reading is what a record was decoded to by whoever appends it, who has to look into it anyway. It is a
// memory and no part of the record: a journal may drop it, and who finds it takes it only where decoding
// the record anew would give the same.
type Reading struct {
	Decoded
	By          string // names the decoder's configuration
	From, Until Millis // a record that is received within [From, Until) is decoded to this
}
