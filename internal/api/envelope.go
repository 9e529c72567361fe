package api

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// envelope is the outside of every answer.
type envelope struct {
	Status    string    `json:"status"`
	Data      any       `json:"data,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
	ErrorType ErrorType `json:"errorType,omitempty"`
	Error     string    `json:"error,omitempty"`
}

// answer is what a read gives: its data, and what whoever reads it should know.
type answer struct {
	data     any
	warnings []string
}

// reader is one read of the API, a that of the tenant that r names.
type reader func(a *API, ctx context.Context, r *http.Request) (answer, error)

// retryAfter is how long a client should wait when the store is away.
const retryAfter = 5 * time.Second

// serve turns a read into a handler: the time limit, the envelope, the errors.
func (a *API) serve(read reader) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.options.Timeout)
		defer cancel()
		got, err := a.read(ctx, r, read)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		a.write(w, r, http.StatusOK, envelope{Status: "success", Data: got.data, Warnings: got.warnings})
	})
}

// read reads for the tenant that r names.
func (a *API) read(ctx context.Context, r *http.Request, read reader) (answer, error) {
	reads, err := a.reads.AskedBy(r)
	if err != nil {
		return answer{}, err
	}
	asked := *a
	asked.reads = reads
	return read(&asked, ctx, r)
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := Classify(err)
	if f.Status >= http.StatusInternalServerError {
		a.options.Logger.Error("API read failed", "path", r.URL.Path, "type", f.Type, "err", err)
	}
	SetRetryAfter(w.Header(), f)
	a.write(w, r, f.Status, envelope{Status: "error", ErrorType: f.Type, Error: f.Message})
}

// SetRetryAfter tells a client when to come back from f, where that helps.
func SetRetryAfter(h http.Header, f Failure) {
	if f.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
}

// write encodes first and sends then, so that what cannot be encoded is an
// error and not half an answer.
func (a *API) write(w http.ResponseWriter, r *http.Request, status int, e envelope) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	if err := encoder.Encode(e); err != nil {
		a.options.Logger.Error("API answer cannot be encoded", "path", r.URL.Path, "err", err)
		http.Error(w, `{"status":"error","errorType":"internal","error":"the answer cannot be encoded"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(body.Bytes()); err != nil {
		a.options.Logger.LogAttrs(r.Context(), slog.LevelDebug, "API client went away", slog.Any("err", err))
	}
}
