package wire

import (
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// grafanaFields are the fields that only Grafana's alerts have, and the annotations that keep
// them. What its webhook says of the group as a whole (title, message, state) is made of
// its alerts and is kept with the raw delivery only.
var grafanaFields = map[string]string{
	"dashboardURL": "grafana_dashboard_url",
	"panelURL":     "grafana_panel_url",
	"silenceURL":   "grafana_silence_url",
	"imageURL":     "grafana_image_url",
	"valueString":  "grafana_value_string",
	"values":       "grafana_values",
}

const grafanaOrg = "grafana_org_id"

// note takes any value as an annotation: a text plain, others as they stand. Nothing and
// null are none. It can be no reason to lose an alert.
func (r *reading) note(name string, to *ingest.Labels) error {
	var value string
	err := r.lenient(&value)
	if value != "" {
		*to = append(*to, ingest.Label{Name: name, Value: value})
	}
	return err
}

// lenient takes any value as a text.
func (r *reading) lenient(to *string) error {
	switch r.kind() {
	case "string":
		text, _, err := r.text()
		*to = text
		return err
	case "null":
		*to = ""
		return r.skip()
	}
	raw, err := r.raw()
	*to = strings.ToValidUTF8(string(raw), "\uFFFD")
	return err
}

// extra belongs to the event of that index.
type extra struct {
	event int
	notes ingest.Labels
}

// keepExtra notes what Grafana sends with the last event: whether it is Grafana's, the version says,
// which comes later.
func (r *reading) keepExtra(notes ingest.Labels) {
	if len(notes) > 0 {
		r.extras = append(r.extras, extra{len(r.out.Events) - 1, notes})
	}
}

// keepExtras puts what only Grafana sends among the annotations. The rule's own come first. What is
// too long for an annotation is no reason to lose an alert; it is left out, and that is said.
func (r *reading) keepExtras(org string) {
	for _, x := range r.extras {
		a := r.out.Events[x.event].Alert
		all := make(ingest.Labels, 0, len(x.notes)+len(a.Annotations)) // both may be remembered, and are others' too
		for _, l := range x.notes {
			if len(l.Value) > r.config.limits.AnnotationValueBytes {
				r.warn(place{"alert " + short(a.Fingerprint), l.Name}, "%d bytes, at most %d; left out", len(l.Value), r.config.limits.AnnotationValueBytes)
				continue
			}
			all = append(all, l)
		}
		a.Annotations = sorted(append(all, a.Annotations...))
	}
	if org == "" {
		return
	}
	for _, e := range r.out.Events {
		notes := ingest.Labels{{Name: grafanaOrg, Value: org}}
		e.Alert.Annotations = sorted(append(notes, e.Alert.Annotations...))
	}
}

// Names that Grafana gives to what it says of its own rules, whichever way its alerts come.
const (
	grafanaNoData      = "DatasourceNoData"
	grafanaError       = "DatasourceError"
	grafanaRule        = "rulename" // the label with the name of the rule that could not see
	grafanaStateReason = "grafana_state_reason"
)

// byGrafana marks what Grafana did not see. A rule without data or with an error is an alert of its
// own name. An alert whose end has a reason (its series is missing, the rule was paused, changed or
// deleted, its data did not come) was not seen to recover.
// Source: grafana, pkg/services/ngalert/state.
func (a *alert) byGrafana(e *ingest.Alert) {
	if name := e.Labels.Get("alertname"); name == grafanaNoData || name == grafanaError {
		e.Unknown = e.Labels.Get(grafanaRule) != ""
	}
	if e.Resolved && e.Annotations.Get(grafanaStateReason) != "" {
		e.EndsByTimeout = true
	}
}
