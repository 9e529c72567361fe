package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/ingest"
)

// Change is a change as JSON.
type Change struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	Service    string        `json:"service"`
	StartedAt  ingest.Millis `json:"started_at"`
	FinishedAt ingest.Millis `json:"finished_at"` // null while it runs
	Outcome    string        `json:"outcome"`
	Version    string        `json:"version"`
	Author     string        `json:"author"`
	Title      string        `json:"title"`
	URL        string        `json:"url"`
}

// ChangeList is the changes of a window, newest first.
type ChangeList struct {
	AsOf    ingest.Millis `json:"as_of"`
	From    ingest.Millis `json:"from"`
	To      ingest.Millis `json:"to"`
	Changes []Change      `json:"changes"`
}

// DeadLetter is something that was not understood, as JSON.
type DeadLetter struct {
	ReceivedAt ingest.Millis `json:"received_at"`
	Source     string        `json:"source"`
	Path       string        `json:"path"`
	Reason     string        `json:"reason"`
	Body       string        `json:"body"`
	Encoding   string        `json:"body_encoding"` // text, or base64 where it is none
}

// DeadLetterList is the dead letters of a window, newest first.
type DeadLetterList struct {
	AsOf        ingest.Millis `json:"as_of"`
	From        ingest.Millis `json:"from"`
	To          ingest.Millis `json:"to"`
	DeadLetters []DeadLetter  `json:"dead_letters"`
}

// arrivalsQuery reads the window, by default the last 30 days up to as_of.
func (r *Reads) arrivalsQuery(p *Params) (ArrivalsQuery, []string, error) {
	asOf, warnings, err := r.AsOf(p)
	if err != nil {
		return ArrivalsQuery{}, nil, errors.Join(p.Err(), err)
	}
	q := ArrivalsQuery{
		Tenant: r.tenant(), Service: p.Text("service"), AsOf: asOf,
		Limit: p.Limit(DefaultLimit, MaxLimit),
	}
	q.From, q.To = p.Window(max(1, asOf-lastDays), asOf+1) // what was recorded at as_of is in it
	return q, warnings, p.Err()
}

func (a *API) changes(ctx context.Context, r *http.Request) (answer, error) {
	q, warnings, err := a.reads.arrivalsQuery(ReadParams(r.URL.Query(), "service", "from", "to", "as_of", "limit"))
	if err != nil {
		return answer{}, err
	}
	changes, err := a.reads.Arrivals.Changes(ctx, q)
	list := ChangeList{AsOf: q.AsOf, From: q.From, To: q.To, Changes: make([]Change, len(changes))}
	for i, c := range changes {
		list.Changes[i] = Change(c)
	}
	return answer{list, warnings}, err
}

func (a *API) deadLetters(ctx context.Context, r *http.Request) (answer, error) {
	q, warnings, err := a.reads.arrivalsQuery(ReadParams(r.URL.Query(), "from", "to", "as_of", "limit"))
	if err != nil {
		return answer{}, err
	}
	letters, err := a.reads.Arrivals.DeadLetters(ctx, q)
	list := DeadLetterList{AsOf: q.AsOf, From: q.From, To: q.To, DeadLetters: make([]DeadLetter, len(letters))}
	for i, l := range letters {
		list.DeadLetters[i] = deadLetter(l)
	}
	return answer{list, warnings}, err
}

func deadLetter(l ingest.DeadLetter) DeadLetter {
	d := DeadLetter{ReceivedAt: l.ReceivedAt, Source: l.Source, Path: l.Path, Reason: l.Reason, Body: string(l.Body), Encoding: "text"}
	if !utf8.Valid(l.Body) {
		d.Body, d.Encoding = base64.StdEncoding.EncodeToString(l.Body), "base64"
	}
	return d
}
