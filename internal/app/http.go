package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/ingest/webhook"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/web"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// handler mounts everything that is answered over HTTP.
func (a *App) handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range webhook.Paths() {
		mux.Handle(path, a.receiver)
	}

	reads := a.reads()
	mux.Handle("/api/v1/", api.New(api.Options{
		Reads: reads, Logger: a.logger.With("part", "api"), StartTime: a.started, Parts: a.parts,
		ConfigYAML: func() string { return *a.text.Load() },
	}))
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
		StoredTime: func() ingest.Millis {
			_, at := a.runner.Stored()
			return at
		},
	}
}

// maxReadyLag is how old the stored fold time may be. Ticks keep it under half a minute where
// rows are stored.
const maxReadyLag = 2 * time.Minute

// serveReady answers 200 when deliveries are taken and rows can be read that are
// not old. It says what is missing otherwise.
func (a *App) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := a.ready(ctx); err != nil {
		http.Error(w, "Evenkeel is not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "Evenkeel is ready.")
}

func (a *App) ready(ctx context.Context) error {
	if err := a.database.ready(ctx); err != nil {
		return err
	}
	position, at := a.runner.Stored()
	if at == 0 {
		return fmt.Errorf("nothing is stored yet, %d records wait", a.journal.Last()-position)
	}
	if old := time.Since(at.Time()); old > maxReadyLag {
		return fmt.Errorf("what can be read is %s old, %d records wait", old.Round(time.Second), a.journal.Last()-position)
	}
	return nil
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
	usage := a.journal.Usage()
	position, at := a.runner.Stored()
	mode := "embedded"
	if a.config.Load().ClickHouse.DSN != "" {
		mode = "single"
	}
	return map[string]string{
		"mode":             mode,
		"journal_bytes":    fmt.Sprint(usage.Bytes),
		"journal_position": fmt.Sprint(a.journal.Last()),
		"stored_position":  fmt.Sprint(position),
		"stored_fold_time": at.String(),
	}
}
