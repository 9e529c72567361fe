package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// ErrorType says to a program what went wrong; the same words as Prometheus' API where it has one.
type ErrorType string

// The types of errors.
const (
	BadData     ErrorType = "bad_data"    // 400: the request cannot be answered as it is
	NotFound    ErrorType = "not_found"   // 404
	Canceled    ErrorType = "canceled"    // 499: the client went away
	Unavailable ErrorType = "unavailable" // 503: the store is away; try again
	Timeout     ErrorType = "timeout"     // 503: not read in time; try again
	Internal    ErrorType = "internal"    // 500: ours; the log says more
)

// statusCanceled is what nginx and Prometheus log for a client that went away.
const statusCanceled = 499

// Failure is what an error means to a client.
type Failure struct {
	Type    ErrorType
	Status  int    // of HTTP
	Message string // for people; never shows what only the log should have
}

// NotFoundError says that what was asked for by name does not exist.
type NotFoundError struct {
	Kind string // incident, service, report
	Name string
	Hint string // where to look instead; may be empty
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("no such %s: %q", e.Kind, e.Name)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Classify says what err means to a client.
func Classify(err error) Failure {
	var bad *ParamError
	var missing *NotFoundError
	switch {
	case errors.As(err, &bad):
		return Failure{BadData, http.StatusBadRequest, bad.Error()}
	case errors.As(err, &missing):
		return Failure{NotFound, http.StatusNotFound, missing.Error()}
	case errors.Is(err, correlatestore.ErrNotFound):
		return Failure{NotFound, http.StatusNotFound, correlatestore.ErrNotFound.Error()}
	case errors.Is(err, partition.ErrEmpty):
		return Failure{NotFound, http.StatusNotFound, err.Error()}
	case errors.Is(err, context.Canceled):
		return Failure{Canceled, statusCanceled, "the client went away"}
	case errors.Is(err, context.DeadlineExceeded):
		return Failure{Timeout, http.StatusServiceUnavailable,
			"the store did not answer in time: ask for a shorter window, or try again"}
	case errors.Is(err, errStarting):
		return Failure{Unavailable, http.StatusServiceUnavailable, "starting: nothing is stored yet, so there is nothing to speak of"}
	case errors.Is(err, clickhouse.ErrAway):
		return Failure{Unavailable, http.StatusServiceUnavailable,
			"the store is away: deliveries are still accepted, reads come back with it; /-/ready says more"}
	}
	return Failure{Internal, http.StatusInternalServerError, "this read went wrong inside Evenkeel; its log says how"}
}
