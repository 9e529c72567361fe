package alertmanager

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
)

// The states of an alert that Evenkeel shows.
const (
	active      = "active"
	unprocessed = "unprocessed" // nobody knows whether it still fires
)

// resolveTimeout is how far ahead the end of an alert lies that fires: an end in the past would
// say that it is over. It is Alertmanager's default.
const resolveTimeout = 5 * ingest.Minute

// Alert is a gettableAlert.
type Alert struct {
	Annotations  ingest.Labels       `json:"annotations"`
	EndsAt       ingest.Millis       `json:"endsAt"`
	Fingerprint  string              `json:"fingerprint"`
	Receivers    []ReceiverReference `json:"receivers"`
	StartsAt     ingest.Millis       `json:"startsAt"`
	Status       Status              `json:"status"`
	UpdatedAt    ingest.Millis       `json:"updatedAt"` // when its row was recorded
	GeneratorURL string              `json:"generatorURL,omitempty"`
	Labels       ingest.Labels       `json:"labels"`
}

// ReceiverReference names a receiver.
type ReceiverReference struct {
	Name string `json:"name"`
}

// Status is an alertStatus.
type Status struct {
	State       string   `json:"state"` // active or unprocessed
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"`
}

// alerts answers GET /api/v2/alerts, by fingerprint.
func (a *API) alerts(ctx context.Context, r *http.Request) (any, error) {
	list := []Alert{}
	err := a.each(ctx, r, func(alert Alert, _ string) { list = append(list, alert) })
	return list, err
}

// each calls take with every alert that a request asks for, by fingerprint, and its incident.
func (a *API) each(ctx context.Context, r *http.Request, take func(alert Alert, incident string)) error {
	f, err := readFilter(r.URL.Query())
	if err != nil {
		return err
	}
	reads, err := a.options.AskedBy(r)
	if err != nil {
		return err
	}
	asOf, _, err := reads.AsOf(api.ReadParams(url.Values{}))
	if err != nil {
		return err
	}
	episodes, err := reads.Incidents.Episodes(ctx, correlatestore.EpisodeQuery{
		Tenant: reads.Tenant, From: asOf, AsOf: asOf,
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(episodes, func(a, b correlate.Episode) int {
		return cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Source, b.Source))
	})
	for i := range episodes {
		e := &episodes[i]
		if alert := alertOf(e, asOf); !e.Over() && f.takes(alert.Status.State, e.Labels) {
			take(alert, e.Incident)
		}
	}
	return nil
}

// alertOf returns an open episode as an alert.
func alertOf(e *correlate.Episode, asOf ingest.Millis) Alert {
	alert := Alert{
		Annotations: e.Annotations, Labels: e.Labels, Fingerprint: e.Fingerprint, GeneratorURL: e.GeneratorURL,
		StartsAt: e.StartsAt, EndsAt: asOf + resolveTimeout, UpdatedAt: e.RecordedAt,
		Receivers: []ReceiverReference{{Receiver}},
		Status:    Status{State: active, SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}},
	}
	if e.State == correlate.Unknown {
		alert.Status.State, alert.EndsAt = unprocessed, e.UnknownSince
	}
	return alert
}
