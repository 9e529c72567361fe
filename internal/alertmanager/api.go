package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/internal/api"
)

// Receiver is the only receiver that there is.
const Receiver = "evenkeel"

// Options say what is answered from.
type Options struct {
	api.Reads
	Logger    *slog.Logger  // default: none
	Timeout   time.Duration // of one read; default 30 s
	StartTime time.Time     // of the process
}

// API is the handler of every path below /api/v2/ but POST /api/v2/alerts.
type API struct {
	options Options
	mux     *http.ServeMux
}

// New returns the handler. Mount it at /api/v2/, and at GET /api/v2/alerts where another
// takes what is posted there.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	a := &API{options: o, mux: http.NewServeMux()}
	for path, read := range map[string]reader{
		"GET /api/v2/alerts":          a.alerts,
		"GET /api/v2/alerts/groups":   a.groups,
		"GET /api/v2/receivers":       a.receivers,
		"GET /api/v2/status":          a.status,
		"GET /api/v2/silences":        noSilences,
		"GET /api/v2/silence/{id}":    noSilence,
		"DELETE /api/v2/silence/{id}": noSilence,
		"POST /api/v2/silences":       refuseSilence,
		"/api/v2/":                    unknownPath,
	} {
		a.mux.Handle(path, a.serve(read))
	}
	return a
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// reader answers one request with what becomes JSON.
type reader func(ctx context.Context, r *http.Request) (any, error)

// refusal is an error of the request, with the status that Alertmanager would give it.
type refusal struct {
	status int
	text   string
}

func (e *refusal) Error() string { return e.text }

func badRequest(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// serve makes a handler of a reader. An error is a JSON string, as in Alertmanager.
func (a *API) serve(read reader) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.options.Timeout)
		defer cancel()
		data, err := read(ctx, r)
		if err == nil {
			a.write(w, r, http.StatusOK, data)
			return
		}
		status, text := a.classify(r, err)
		a.write(w, r, status, text)
	})
}

func (a *API) classify(r *http.Request, err error) (status int, text string) {
	if e := (*refusal)(nil); errors.As(err, &e) {
		return e.status, e.text
	}
	f := api.Classify(err)
	if f.Status >= http.StatusInternalServerError {
		a.options.Logger.Error("Read in Alertmanager's API failed", "path", r.URL.Path, "type", f.Type, "err", err)
	}
	return f.Status, f.Message
}

func (a *API) write(w http.ResponseWriter, r *http.Request, status int, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		a.options.Logger.Error("Answer cannot be encoded", "path", r.URL.Path, "err", err)
		status, body = http.StatusInternalServerError, []byte(`"the answer cannot be encoded; the log says why"`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		a.options.Logger.Debug("Client of Alertmanager's API went away", "path", r.URL.Path, "err", err)
	}
}

func unknownPath(_ context.Context, r *http.Request) (any, error) {
	return nil, &refusal{http.StatusNotFound, fmt.Sprintf("%s %s is not served here; docs/alertmanager-api.md lists what is", r.Method, r.URL.Path)}
}
