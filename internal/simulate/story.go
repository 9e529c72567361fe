package simulate

import (
	"cmp"
	"encoding/json"
	"io"
	"iter"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Story is a simulation as it looks from outside: what arrived, and the truth about it.
type Story struct {
	// Catalogue is a catalogue file as its owners keep it, in YAML.
	Catalogue []byte
	// Truth has a line for every firing that was delivered, by start.
	Truth []Truth
	// Causes names the change that began a fault, for the faults that a change began.
	Causes map[string]string

	pair     *pair
	arrivals []arrival
}

// arrival is one thing that arrives: a notification or a change.
type arrival struct {
	at           ingest.Millis
	notification *notification
	change       *change
}

// tell makes the story of its notifications and changes.
func tell(p *pair, sent []notification, changes []change, end ingest.Millis) *Story {
	s := &Story{pair: p, Truth: truthOf(sent), Causes: map[string]string{}}
	for i := range sent {
		s.arrivals = append(s.arrivals, arrival{at: sent[i].at, notification: &sent[i]})
	}
	sortChanges(changes)
	for i, c := range changes {
		if c.FinishedAt < end {
			s.arrivals = append(s.arrivals, arrival{at: c.FinishedAt, change: &changes[i]})
		}
	}
	slices.SortStableFunc(s.arrivals, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return s
}

// blame notes which change began which fault.
func (s *Story) blame(faults []outage) {
	for _, f := range faults {
		if f.change != "" {
			s.Causes[f.name] = f.change
		}
	}
}

// Len returns how many records there are.
func (s *Story) Len() int { return len(s.arrivals) }

// Records returns what arrived as journal records without positions, in order of
// ReceivedAt. Bodies are written one at a time, as they are asked for.
func (s *Story) Records() iter.Seq[ingest.Record] {
	return func(yield func(ingest.Record) bool) {
		for _, a := range s.arrivals {
			r := ingest.Record{ReceivedAt: a.at, Kind: ingest.KindDelivery}
			r.Path, r.Body = s.pair.render(a, 0)
			if !yield(r) {
				return
			}
		}
	}
}

// render writes the path and the body of an arrival, all its times moved by shift.
func (p *pair) render(a arrival, shift ingest.Millis) (path string, body []byte) {
	if a.change != nil {
		return ingest.PathChanges, encode(a.change.moved(shift))
	}
	return ingest.PathAlertmanager, p.body(*a.notification, shift)
}

// WriteDeliveries writes the records as recorded deliveries, a JSON line each.
func (s *Story) WriteDeliveries(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for r := range s.Records() {
		line := struct {
			ReceivedAt ingest.Millis   `json:"received_at"`
			Path       string          `json:"path"`
			Body       json.RawMessage `json:"body"`
		}{r.ReceivedAt, r.Path, r.Body}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// WriteTruth writes the truth, a JSON line for every firing.
func (s *Story) WriteTruth(w io.Writer) error {
	e := json.NewEncoder(w)
	for _, t := range s.Truth {
		if err := e.Encode(t); err != nil {
			return err
		}
	}
	return nil
}
