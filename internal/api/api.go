package api

import (
	_ "embed"
	"log/slog"
	"net/http"
	"time"
)

// Options say what the API answers from.
type Options struct {
	Reads
	Logger    *slog.Logger  // default: none
	Timeout   time.Duration // of one read; default 30 s
	StartTime time.Time     // of the process
	// ConfigYAML returns the root configuration as it is in force, its secrets
	// hidden; nil shows none.
	ConfigYAML func() string
	// Parts tells what else the process knows of itself, by name; may be nil.
	Parts func() map[string]string
}

// API is the handler of version 1.
type API struct {
	options Options
	reads   *Reads
	mux     *http.ServeMux
}

// New returns the handler of every path below /api/v1/ that reads. Receivers
// of deliveries are mounted beside it.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	a := &API{options: o, reads: &o.Reads, mux: http.NewServeMux()}
	for path, read := range map[string]reader{
		"incidents":          (*API).incidents,
		"incidents/{id}":     (*API).incident,
		"alerts":             (*API).alerts,
		"services":           (*API).services,
		"services/{name}":    (*API).service,
		"availability":       (*API).availability,
		"changes":            (*API).changes,
		"dead-letters":       (*API).deadLetters,
		"reports":            (*API).reports,
		"status/buildinfo":   (*API).buildInfo,
		"status/runtimeinfo": (*API).runtimeInfo,
		"status/config":      (*API).config,
	} {
		a.mux.Handle("GET /api/v1/"+path, a.serve(read))
	}
	a.mux.HandleFunc("GET /api/v1/reports/{period}", a.report)
	a.mux.HandleFunc("GET /api/v1/openapi.yaml", a.specification)
	a.mux.HandleFunc("/api/v1/", a.unknown)
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// unknown answers what no path takes, in the envelope like everything else.
func (a *API) unknown(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := a.mux.Handler(probe); pattern != "/api/v1/" && method != r.Method {
			w.Header().Set("Allow", method)
			a.write(w, r, http.StatusMethodNotAllowed, envelope{
				Status: "error", ErrorType: BadData, Error: "this path takes " + method + ", not " + r.Method,
			})
			return
		}
	}
	a.fail(w, r, &NotFoundError{Kind: "path", Name: r.URL.Path, Hint: "/api/v1/openapi.yaml lists what there is"})
}

//go:embed openapi.yaml
var specification []byte

func (a *API) specification(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if _, err := w.Write(specification); err != nil {
		a.options.Logger.Debug("API client went away", "path", r.URL.Path, "err", err)
	}
}
