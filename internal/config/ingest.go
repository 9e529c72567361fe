package config

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/journal"
)

// Ingest bounds what is received. It is read at the start.
type Ingest struct {
	MaxBodyBytes     int64 // of one request, decompressed; more is a 413
	MaxInflightBytes int64 // of all requests that are being received; more is a 503
	MaxTenants       int   // that are only named in requests; more is a 403
	MaxConnections   int   // that are open at once; more wait
}

// ingestEntry is the root's ingest section: what is received, and how it is decoded.
type ingestEntry struct {
	Ingest
	ResolveTimeout time.Duration // of an alert that names no end
	Limits         limitsEntry
}

// limitsEntry holds the limits of decoding and of what is remembered.
type limitsEntry struct {
	wire.Limits
	Alerts correlate.Limits
}

// The defaults of Ingest.
const (
	defaultBodyBytes     int64 = 16 << 20
	defaultInflightBytes int64 = 256 << 20
)

func defaultIngest() ingestEntry {
	return ingestEntry{
		Ingest:         Ingest{MaxBodyBytes: defaultBodyBytes, MaxInflightBytes: defaultInflightBytes, MaxTenants: 1000, MaxConnections: 4096},
		ResolveTimeout: 5 * time.Minute,
		Limits:         limitsEntry{wire.DefaultLimits, correlate.DefaultLimits},
	}
}

func ingestKeys() reader[ingestEntry] {
	return object(
		key(spec{Name: "max_body_bytes", Default: "16MiB", Text: "the largest request, decompressed; more is refused with 413"},
			scalar("size", parseBodySize), func(i *ingestEntry) *int64 { return &i.MaxBodyBytes }),
		key(spec{Name: "max_inflight_bytes", Default: "256MiB", Text: "the bodies that may be in memory at once, as sent and decompressed; more wait up to 5 s and then get 503"},
			asSize, func(i *ingestEntry) *int64 { return &i.MaxInflightBytes }),
		key(spec{Name: "max_tenants", Default: "1000", Text: "the tenants that requests may name, beside none; one more is refused with 403"},
			scalar("whole number", wholeNumber(1, math.MaxInt32)), func(i *ingestEntry) *int { return &i.MaxTenants }),
		key(spec{Name: "max_connections", Default: "4096", Text: "the connections that may be open at once, pages and API included; more wait to be accepted"},
			scalar("whole number", wholeNumber(1, math.MaxInt32)), func(i *ingestEntry) *int { return &i.MaxConnections }),
		key(spec{Name: "resolve_timeout", Default: "5m", Text: "so long after an alert without an end came by /api/v2/alerts it is unknown, unless it comes again"},
			asDuration, func(i *ingestEntry) *time.Duration { return &i.ResolveTimeout }),
		key(spec{Name: "limits", Text: "what may come in; an alert beyond them is a dead letter, and a delivery of too many events is refused whole"},
			limitKeys(), func(i *ingestEntry) *limitsEntry { return &i.Limits }),
	).checked(func(i *ingestEntry) error {
		if body := cmp.Or(i.MaxBodyBytes, defaultBodyBytes); cmp.Or(i.MaxInflightBytes, defaultInflightBytes) < 2*body {
			return fmt.Errorf("max_inflight_bytes is %d bytes; at least twice max_body_bytes, %d", i.MaxInflightBytes, 2*body)
		}
		return nil
	})
}

func limitKeys() reader[limitsEntry] {
	number, size := scalar("whole number", wholeNumber(1, math.MaxInt32)), scalar("size", parseSmallSize)
	return object(
		key(spec{Name: "events_per_delivery", Default: "50000", Text: "alerts, changes and other events in one delivery"},
			number, func(l *limitsEntry) *int { return &l.EventsPerDelivery }),
		key(spec{Name: "labels_per_alert", Default: "128", Text: "labels of an alert, and annotations"},
			number, func(l *limitsEntry) *int { return &l.LabelsPerAlert }),
		key(spec{Name: "label_name_bytes", Default: "1KiB", Text: "the name of a label or annotation"},
			size, func(l *limitsEntry) *int { return &l.LabelNameBytes }),
		key(spec{Name: "label_value_bytes", Default: "8KiB", Text: "the value of a label"},
			size, func(l *limitsEntry) *int { return &l.LabelValueBytes }),
		key(spec{Name: "annotation_value_bytes", Default: "64KiB", Text: "the value of an annotation"},
			size, func(l *limitsEntry) *int { return &l.AnnotationValueBytes }),
		key(spec{Name: "alerts_per_source", Default: "100000", Text: "distinct alerts of one source that are open or just ended; those that are known go on"},
			number, func(l *limitsEntry) *int { return &l.Alerts.AlertsPerSource }),
		key(spec{Name: "alerts_per_tenant", Default: "200000", Text: "the same of all sources of one tenant"},
			number, func(l *limitsEntry) *int { return &l.Alerts.AlertsPerTenant }),
	)
}

// parseSmallSize reads a size that fits into memory.
func parseSmallSize(s string) (int, error) {
	n, err := parseSize(s)
	if err == nil && n > math.MaxInt32 {
		return 0, fmt.Errorf("%q is more than 2GiB", s)
	}
	return int(n), err
}

// parseBodySize refuses what the journal would never take.
func parseBodySize(s string) (int64, error) {
	n, err := parseSize(s)
	if err == nil && n > journal.MaxBodyBytes {
		return 0, fmt.Errorf("%q is more than the journal takes in one record; at most %dMiB", s, journal.MaxBodyBytes>>20)
	}
	return n, err
}
