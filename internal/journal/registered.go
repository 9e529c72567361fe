package journal

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Registered are the metrics of one journal, of whichever kind, in a registry.
type Registered struct {
	in         prometheus.Registerer
	collectors []prometheus.Collector
}

// Register puts all collectors into a registry, or none and returns an error. A nil registry takes none.
func Register(in prometheus.Registerer, collectors ...prometheus.Collector) (Registered, error) {
	if in == nil {
		return Registered{}, nil
	}
	for i, c := range collectors {
		if err := in.Register(c); err != nil {
			Registered{in, collectors[:i]}.Unregister()
			return Registered{}, err
		}
	}
	return Registered{in, collectors}, nil
}

// Unregister takes them out again.
func (r Registered) Unregister() {
	for _, c := range r.collectors {
		r.in.Unregister(c)
	}
}

// failureReasons are the values of the label reason of evenkeel_journal_failures_total, and the
// errors that they stand for.
var failureReasons = []struct {
	reason string
	err    error
}{
	{"full", ErrFull},
	{"backwards", ErrBackwards},
	{"too_large", ErrTooLarge},
	{"closed", ErrClosed},
	{"timeout", context.DeadlineExceeded},
	{"canceled", context.Canceled},
	{"unavailable", ErrUnavailable},
}

// FailureReason returns the label reason for an error of Append.
func FailureReason(err error) string {
	for _, f := range failureReasons {
		if errors.Is(err, f.err) {
			return f.reason
		}
	}
	return "unavailable"
}

// ShowFailures makes failures show every reason from the start on.
func ShowFailures(failures *prometheus.CounterVec) {
	for _, f := range failureReasons {
		failures.WithLabelValues(f.reason)
	}
}
