package wire

import (
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// Limits bound what one delivery may bring in, so that one sender cannot make the fold and its
// tables grow without end. 0 is the default. An alert beyond one is a dead letter, and its
// neighbours count; a delivery of too many events is refused whole. Nothing is ever cut.
type Limits struct {
	EventsPerDelivery    int `json:"events_per_delivery,omitempty"`    // default 50 000
	LabelsPerAlert       int `json:"labels_per_alert,omitempty"`       // of labels, and of annotations; default 128
	LabelNameBytes       int `json:"label_name_bytes,omitempty"`       // default 1 KiB
	LabelValueBytes      int `json:"label_value_bytes,omitempty"`      // default 8 KiB
	AnnotationValueBytes int `json:"annotation_value_bytes,omitempty"` // default 64 KiB
}

// DefaultLimits are far above what monitoring systems send, and far below what hurts.
var DefaultLimits = Limits{
	EventsPerDelivery: 50_000, LabelsPerAlert: 128, LabelNameBytes: 1 << 10, LabelValueBytes: 8 << 10, AnnotationValueBytes: 64 << 10,
}

// fill puts the defaults where nothing is said, and refuses what would refuse everything.
func (l Limits) fill() (Limits, error) {
	var errs []error
	for _, f := range []struct {
		name    string
		value   *int
		implied int
	}{
		{"events_per_delivery", &l.EventsPerDelivery, DefaultLimits.EventsPerDelivery},
		{"labels_per_alert", &l.LabelsPerAlert, DefaultLimits.LabelsPerAlert},
		{"label_name_bytes", &l.LabelNameBytes, DefaultLimits.LabelNameBytes},
		{"label_value_bytes", &l.LabelValueBytes, DefaultLimits.LabelValueBytes},
		{"annotation_value_bytes", &l.AnnotationValueBytes, DefaultLimits.AnnotationValueBytes},
	} {
		switch {
		case *f.value == 0:
			*f.value = f.implied
		case *f.value < 0:
			errs = append(errs, fmt.Errorf("limits.%s: %d is negative", f.name, *f.value))
		}
	}
	return l, errors.Join(errs...)
}

// allow notes as wrong what of an alert is beyond a limit.
func (l *Limits) allow(r *reading, a *ingest.Alert) {
	l.allowLabels(r, "labels", a.Labels, l.LabelValueBytes)
	l.allowLabels(r, "annotations", a.Annotations, l.AnnotationValueBytes)
}

// allowTexts notes as wrong what of another event is beyond a limit: names are bounded as the values of
// labels, what is for people as those of annotations.
func (l *Limits) allowTexts(r *reading, names, words []sent) {
	for _, f := range names {
		if n := len(f.value); n > l.LabelValueBytes {
			r.wrong(place{field: f.name}, "%d bytes, at most %d", n, l.LabelValueBytes)
		}
	}
	for _, f := range words {
		if n := len(f.value); n > l.AnnotationValueBytes {
			r.wrong(place{field: f.name}, "%d bytes, at most %d", n, l.AnnotationValueBytes)
		}
	}
}

func (l *Limits) allowLabels(r *reading, field string, ls ingest.Labels, valueBytes int) {
	if len(ls) > l.LabelsPerAlert {
		r.wrong(place{field: field}, "%d of them, at most %d", len(ls), l.LabelsPerAlert)
	}
	for i := range ls {
		if n := len(ls[i].Name); n > l.LabelNameBytes {
			r.wrong(place{field, short(ls[i].Name)}, "the name has %d bytes, at most %d", n, l.LabelNameBytes)
		}
		if n := len(ls[i].Value); n > valueBytes {
			r.wrong(place{field, short(ls[i].Name)}, "%d bytes, at most %d", n, valueBytes)
		}
	}
}
