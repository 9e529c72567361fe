package webhook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// Appender is the part of a journal that receiving needs. It returns only when
// the records are durable.
type Appender interface {
	Append(ctx context.Context, records []ingest.Record) (first uint64, err error)
}

// Options configure a [Handler].
type Options struct {
	// Journal takes what arrives. Required.
	Journal Appender
	// MaxBodyBytes bounds a body, after decompression too. Default 16 MiB.
	MaxBodyBytes int64
	// MaxInflightBytes bounds the bodies that are in memory at once, over all requests, as sent
	// and unpacked. Default 256 MiB, at least twice MaxBodyBytes.
	MaxInflightBytes int64
	// MaxTenants is how many tenants may be named in requests beside those of Settings. Default 1000.
	MaxTenants int
	// Wait is how long a request waits at most, for memory and for the journal together. Default 5 s.
	Wait time.Duration
	// Readable are paths of which others answer GET and HEAD: the answer to any other method names all. Default: none.
	Readable []string
	// Logger says what was refused and what failed. Default: nothing is said.
	Logger *slog.Logger
	// Registerer takes the metrics evenkeel_ingest_*. Default: none.
	Registerer prometheus.Registerer
}

// Defaults of Options.
const (
	DefaultMaxBodyBytes     = 16 << 20
	DefaultMaxInflightBytes = 256 << 20
	DefaultMaxTenants       = 1000
	DefaultWait             = 5 * time.Second
)

// retryAfter is what a 503 tells clients that ask; Alertmanager has its own back-off.
const retryAfter = "5"

// Paths are those that a [Handler] answers.
func Paths() []string { return ingest.Paths() }

// Settings are what a reload can change.
type Settings struct {
	Sources *Sources      // nil: none is known by name
	Decoder *wire.Decoder // nil: one without configuration
}

// Handler answers POST on each of [Paths]. Mount it there without a method, so
// that it can answer others itself.
type Handler struct {
	opts     Options
	settings atomic.Pointer[inForce]
	m        *metrics
	budget   *budget
	tenants  *ingest.Tenants
}

var _ http.Handler = (*Handler)(nil)

// inForce are the settings as requests need them.
type inForce struct {
	sources *Sources
	decoder *wire.Decoder
}

// configured says whether a tenant that a request names, the default without a name, is there anyway.
func (i *inForce) configured(named string) bool {
	return i.sources.configured(cmp.Or(named, ingest.DefaultTenant))
}

// Configure puts settings in force for the requests that come from now on.
func (h *Handler) Configure(s Settings) {
	now := inForce{cmp.Or(s.Sources, &Sources{}), cmp.Or(s.Decoder, wire.Unconfigured())}
	h.settings.Store(&now)
}

// New makes a handler and registers its metrics.
func New(o Options) (*Handler, error) {
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = DefaultMaxBodyBytes
	}
	if o.MaxInflightBytes == 0 {
		o.MaxInflightBytes = max(DefaultMaxInflightBytes, 2*o.MaxBodyBytes)
	}
	if o.MaxInflightBytes < 2*o.MaxBodyBytes {
		return nil, fmt.Errorf("webhook: max_inflight_bytes is %d, at least twice max_body_bytes, %d", o.MaxInflightBytes, 2*o.MaxBodyBytes)
	}
	if o.MaxTenants == 0 {
		o.MaxTenants = DefaultMaxTenants
	}
	if o.Wait == 0 {
		o.Wait = DefaultWait
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	h := &Handler{opts: o, m: m, budget: newBudget(o.MaxInflightBytes, m), tenants: ingest.NewTenants(o.MaxTenants)}
	h.Configure(Settings{})
	return h, nil
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := h.serve(w, r)
	a.write(w, r.URL.Path)
	h.m.request(r.URL.Path, a.outcome, time.Since(began))
	switch {
	case a.err != nil:
		h.opts.Logger.Log(r.Context(), a.level(), "Delivery not accepted", "path", r.URL.Path,
			"remote", r.RemoteAddr, "outcome", string(a.outcome), "err", a.err)
	case a.dead > 0: // a sender of alerts does not read the warnings
		h.opts.Logger.WarnContext(r.Context(), "Delivery accepted in part", "path", r.URL.Path,
			"remote", r.RemoteAddr, "dead_letters", a.dead, "first", a.first)
	}
}

// serve takes one delivery and returns the answer.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) answer {
	if !slices.Contains(Paths(), r.URL.Path) {
		return refuse(outcomeNotFound, errNotFound)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", h.allow(r.URL.Path))
		return refuse(outcomeMethod, errMethod)
	}
	settings := h.settings.Load()
	source, tenant, err := settings.sources.identify(r)
	if err != nil {
		return unidentified(err)
	}
	s := share{budget: h.budget, patience: h.opts.Wait}
	defer s.release()
	rec := ingest.Record{Kind: ingest.KindDelivery, Path: r.URL.Path, Tenant: tenant, Source: source}
	if rec.Body, err = h.body(w, r, &s); err == nil {
		err = structured(r, &rec, &s)
	}
	if err != nil {
		return h.unread(r.Context(), settings, rec, &s, err)
	}
	return h.take(r.Context(), settings, rec, &s)
}

// allow names the methods that are answered at a path.
func (h *Handler) allow(path string) string {
	if slices.Contains(h.opts.Readable, path) {
		return strings.Join([]string{http.MethodGet, http.MethodHead, http.MethodPost}, ", ")
	}
	return http.MethodPost
}

// unidentified answers a request that does not say rightly whose it is.
func unidentified(err error) answer {
	var f forbidden
	switch {
	case errors.Is(err, errUnauthorized):
		return refuse(outcomeUnauthorized, err)
	case errors.As(err, &f):
		return refuse(outcomeForbidden, err)
	}
	return refuse(outcomeInvalid, err)
}

// take decodes a record to refuse what cannot be, and keeps it.
func (h *Handler) take(ctx context.Context, settings *inForce, rec ingest.Record, s *share) answer {
	h.m.bytes.WithLabelValues(rec.Path).Add(float64(len(rec.Body)))
	if err := h.room(settings, rec.Tenant); err != nil {
		return unidentified(err)
	}
	reading, err := settings.decoder.ReadAhead(rec, ingest.MillisOf(time.Now()))
	if err := settings.sources.settle(&rec, &reading.Decoded); err != nil {
		return unidentified(err)
	}
	if err != nil {
		return h.reject(ctx, rec, s, err)
	}
	if !settings.configured(rec.Tenant) {
		if err := forbid(h.tenants.Admit(rec.Tenant)); err != nil {
			return unidentified(err)
		}
	}
	found, said := countsOf(reading), accept(rec.Path, &reading.Decoded) // before it is given away
	rec.Reading = reading
	if a := h.keep(ctx, rec, s); a.err != nil {
		return a
	}
	h.m.decoded(rec.Path, found)
	return said
}

// room returns why nothing of a tenant that a request names is kept, not even its dead letters.
func (h *Handler) room(settings *inForce, named string) error {
	if settings.configured(named) {
		return nil
	}
	return forbid(h.tenants.Room(named))
}

// keep makes a record durable.
func (h *Handler) keep(ctx context.Context, rec ingest.Record, s *share) answer {
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	_, err := h.opts.Journal.Append(ctx, []ingest.Record{rec})
	switch {
	case err == nil:
		return answer{outcome: outcomeAccepted}
	case errors.Is(err, ingest.ErrTooLarge): // it would be too large for ever
		return refuse(outcomeTooLarge, err)
	case ctx.Err() != nil:
		return refuse(outcomeTimeout, err)
	}
	return refuse(outcomeUnavailable, err)
}

// reject refuses what cannot be decoded, after it was kept for the dead letters.
func (h *Handler) reject(ctx context.Context, rec ingest.Record, s *share, why error) answer {
	if a := h.keep(ctx, wire.Reject(rec, why), s); a.err != nil {
		return a
	}
	return refuse(outcomeUndecodable, why)
}

// answer is what a request gets.
type answer struct {
	outcome  outcome
	err      error
	warnings []string
	dead     int    // dead letters of a delivery that was accepted
	first    string // why the first of them is one
}

func refuse(o outcome, err error) answer { return answer{outcome: o, err: err} }

// maxWarnings bounds an answer, which then says how many more there are.
const maxWarnings = 10

// accept tells the sender what of its delivery was not used. Alertmanager does not
// read it; who posts changes by hand does.
func accept(path string, d *ingest.Decoded) answer {
	a := answer{outcome: outcomeAccepted, warnings: d.Warnings, dead: len(d.Dead)}
	if a.dead > 0 {
		a.first = d.Dead[0].Reason
	}
	for _, dead := range d.Dead {
		a.warnings = append(a.warnings, dead.Reason)
	}
	if more := len(a.warnings) - maxWarnings + d.Unsaid; more > 0 {
		a.warnings = append(a.warnings[:maxWarnings:maxWarnings], fmt.Sprintf("and %d more", more))
	}
	if path == ingest.PathAlerts && len(d.Dead) > 0 {
		return refuse(outcomePartial, errors.New(strings.Join(a.warnings, "; ")))
	}
	return a
}

func (a answer) level() slog.Level {
	if a.outcome.status() >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// response is the body, in the shape of all of the API.
type response struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

func (a answer) write(w http.ResponseWriter, path string) {
	status := a.outcome.status()
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	if a.outcome == outcomeUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if path == ingest.PathAlerts {
		a.writeAsAlertmanager(w, status)
		return
	}
	body := response{Status: "success", Warnings: a.warnings}
	if a.err != nil {
		body = response{Status: "error", ErrorType: a.outcome.errorType(), Error: a.err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}

// writeAsAlertmanager answers as Alertmanager's API v2 does: nothing, or the error as a text.
func (a answer) writeAsAlertmanager(w http.ResponseWriter, status int) {
	if a.err == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a.err.Error()) // the client may be gone
}
