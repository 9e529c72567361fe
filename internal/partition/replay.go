package partition

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// Replay folds records without a store and keeps the newest row of every episode
// and incident.
type Replay struct {
	fold      *Fold
	next      uint64
	episodes  map[correlate.EpisodeKey]correlate.Episode
	incidents map[incidentKey]correlate.Incident
	dead      []ingest.DeadLetter
}

type incidentKey struct{ tenant, id string }

// NewReplay returns a replay of a partition from its first record on, which leaves out
// what the records at skips say.
func NewReplay(partition uint32, skips ...Skip) *Replay {
	return &Replay{
		fold: NewFold(partition, skips...), next: 1,
		episodes:  map[correlate.EpisodeKey]correlate.Episode{},
		incidents: map[incidentKey]correlate.Incident{},
	}
}

// Apply folds one record and returns its rows. A record without a position gets the next one.
func (r *Replay) Apply(rec ingest.Record) Rows {
	if rec.Position == 0 {
		rec.Position = r.next
	}
	r.next = rec.Position + 1
	defer func() {
		if cause := recover(); cause != nil { // say where; what failed stands in the stack below
			panic(fmt.Sprintf("the fold fails at position %d, received at %s: %v", rec.Position, rec.ReceivedAt, cause))
		}
	}()
	rows := r.fold.Apply(rec)
	for _, e := range rows.Episodes {
		r.episodes[e.EpisodeKey] = e
	}
	for _, i := range rows.Incidents {
		r.incidents[incidentKey{i.Tenant, i.ID}] = i
	}
	for _, d := range rows.DeadLetters {
		r.dead = append(r.dead, d.DeadLetter)
	}
	return rows
}

// Finish decides what deciding was put off for: a service that lives on would do so a moment after
// the last record.
func (r *Replay) Finish() {
	if at, waits := r.fold.incidents.Undecided(); waits {
		r.Apply(ingest.Record{Kind: ingest.KindTick, ReceivedAt: at})
	}
}

// Episodes returns every episode as it stands, ordered by start, then key.
func (r *Replay) Episodes() []correlate.Episode {
	all := make([]correlate.Episode, 0, len(r.episodes))
	for _, e := range r.episodes {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b correlate.Episode) int {
		return cmp.Or(cmp.Compare(a.StartsAt, b.StartsAt), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return all
}

// Incidents returns every incident as it stands, merged ones included, ordered by opening, then id.
func (r *Replay) Incidents() []correlate.Incident {
	all := make([]correlate.Incident, 0, len(r.incidents))
	for _, i := range r.incidents {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b correlate.Incident) int {
		return cmp.Or(cmp.Compare(a.OpenedAt, b.OpenedAt), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// DeadLetters returns what was not understood, in order.
func (r *Replay) DeadLetters() []ingest.DeadLetter { return r.dead }
