package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/ingest/webhook"
	"github.com/evenkeel/evenkeel/internal/alertmanager"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/web"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// handler mounts everything that is answered over HTTP.
func (a *App) handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range webhook.Paths() {
		mux.Handle(path, a.unlessTelling(a.receiver))
	}

	reads := a.reads()
	mux.Handle("/api/v1/", api.New(api.Options{
		Reads: reads, Logger: a.logger.With("part", "api"), StartTime: a.started, Parts: a.parts,
		ConfigYAML: func() string { return *a.text.Load() },
	}))
	likeAlertmanager := alertmanager.New(alertmanager.Options{
		Reads: reads, Logger: a.logger.With("part", "alertmanager-api"), StartTime: a.started,
	})
	mux.Handle("/api/v2/", likeAlertmanager)
	for _, path := range readable() {
		mux.Handle("GET "+path, likeAlertmanager) // what is posted there is the receiver's
	}
	mux.Handle("/", web.New(web.Options{Reads: reads, Logger: a.logger.With("part", "web"), ExternalURL: a.opts.ExternalURL}))

	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{Registry: a.registry}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Evenkeel is healthy.") })
	mux.HandleFunc("GET /-/ready", a.serveReady)
	mux.HandleFunc("POST /-/reload", a.serveReload)
	mux.HandleFunc("/-/reload", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "This path takes POST.", http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// readable are the paths of deliveries from which can be read, too, as from an Alertmanager.
func readable() []string { return []string{ingest.PathAlerts} }

// unlessTelling answers 503 while a history is appended with times of its own: a delivery of now
// would end it, as received_at never goes back.
func (a *App) unlessTelling(receiver http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.telling.Load() {
			w.Header().Set("Retry-After", "5")
			http.Error(w, "The demo tells its history: deliveries are taken in a moment. Try again.", http.StatusServiceUnavailable)
			return
		}
		receiver.ServeHTTP(w, r)
	})
}

// reads is where the API and the pages read from.
func (a *App) reads() api.Reads {
	inForce := partition.NewConfigurations(a.database)
	return api.Reads{
		Incidents: correlatestore.NewReader(a.database),
		Levels:    slastore.NewReader(a.database),
		Arrivals:  ingeststore.NewReader(a.database),
		Reports:   NewReports(a.database, a.opts.ExternalURL),
		Catalogue: func(ctx context.Context, asOf ingest.Millis) (api.Catalogue, error) {
			c, err := inForce.At(ctx, asOf)
			return api.Catalogue{Correlation: c.Correlation, Levels: c.Levels}, err
		},
		Current: func() api.Catalogue {
			c := a.config.Load()
			return api.Catalogue{Correlation: c.Correlation(), Levels: c.Levels()}
		},
		StoredTime: a.folds.Stored,
	}
}

func (a *App) serveReload(w http.ResponseWriter, r *http.Request) {
	if err := a.Reload(r.Context()); err != nil {
		a.logger.Error("The configuration was not loaded", "err", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "The configuration was loaded.")
}

// parts says what the process knows of itself, for the API's runtime information.
func (a *App) parts() map[string]string {
	usage := a.folds.Usage()
	mode := "embedded"
	if a.config.Load().ClickHouse.DSN != "" {
		mode = "single"
	}
	if a.config.Load().Journal.Kafka != nil {
		mode = "cluster"
	}
	last, stored := positions(a.folds.Folding())
	return map[string]string{
		"mode":             mode,
		"journal_bytes":    fmt.Sprint(usage.Bytes),
		"journal_position": fmt.Sprint(last),
		"stored_position":  fmt.Sprint(stored),
		"stored_fold_time": a.folds.Stored().String(),
	}
}
