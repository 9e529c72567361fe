package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	// Wait is how long a request waits at most, for memory and for the journal together. Default 5 s.
	Wait time.Duration
	// Logger says what was refused and what failed. Default: nothing is said.
	Logger *slog.Logger
	// Registerer takes the metrics evenkeel_ingest_*. Default: none.
	Registerer prometheus.Registerer
}

// Defaults of Options.
const (
	DefaultMaxBodyBytes     = 16 << 20
	DefaultMaxInflightBytes = 256 << 20
	DefaultWait             = 5 * time.Second
)

// retryAfter is what a 503 tells clients that ask; Alertmanager has its own back-off.
const retryAfter = "5"

// Paths are those that a [Handler] answers.
func Paths() []string { return []string{ingest.PathAlertmanager, ingest.PathChanges} }

// Handler answers POST on each of [Paths]. Mount it there without a method, so
// that it can answer others itself.
type Handler struct {
	opts   Options
	m      *metrics
	budget *budget
}

var _ http.Handler = (*Handler)(nil)

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
	return &Handler{o, m, newBudget(o.MaxInflightBytes, m)}, nil
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a := h.serve(w, r)
	a.write(w)
	h.m.request(r.URL.Path, a.outcome, time.Since(began))
	if a.err != nil {
		h.opts.Logger.Log(r.Context(), a.level(), "Delivery not accepted", "path", r.URL.Path,
			"remote", r.RemoteAddr, "outcome", string(a.outcome), "err", a.err)
	}
}

// serve takes one delivery and returns the answer.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request) answer {
	if r.URL.Path != ingest.PathAlertmanager && r.URL.Path != ingest.PathChanges {
		return refuse(outcomeNotFound, errNotFound)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return refuse(outcomeMethod, errMethod)
	}
	rec, err := identify(r)
	if err != nil {
		return refuse(outcomeInvalid, err)
	}
	s := share{budget: h.budget, patience: h.opts.Wait}
	defer s.release()
	if rec.Body, err = h.body(w, r, &s); err != nil {
		return h.unread(r.Context(), rec, &s, err)
	}
	h.m.bytes.WithLabelValues(rec.Path).Add(float64(len(rec.Body)))
	delivery, err := wire.Read(rec)
	if err != nil {
		return h.reject(r.Context(), rec, &s, err)
	}
	if a := h.keep(r.Context(), rec, &s); a.err != nil {
		return a
	}
	h.m.decoded(rec.Path, delivery)
	return accept(delivery)
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
}

func refuse(o outcome, err error) answer { return answer{outcome: o, err: err} }

// maxWarnings bounds an answer; the rest is among the dead letters.
const maxWarnings = 10

// accept tells the sender what of its delivery was not used. Alertmanager does not
// read it; who posts changes by hand does.
func accept(d wire.Delivery) answer {
	a := answer{outcome: outcomeAccepted, warnings: d.Warnings}
	for _, dead := range d.Dead {
		a.warnings = append(a.warnings, dead.Reason)
	}
	a.warnings = a.warnings[:min(len(a.warnings), maxWarnings)]
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

func (a answer) write(w http.ResponseWriter) {
	body := response{Status: "success", Warnings: a.warnings}
	if a.err != nil {
		body = response{Status: "error", ErrorType: a.outcome.errorType(), Error: a.err.Error()}
	}
	status := a.outcome.status()
	w.Header().Set("Content-Type", "application/json")
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
