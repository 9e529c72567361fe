package simulate

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// message is the body of Alertmanager's webhook, version 4, in its order of fields.
type message struct {
	Receiver           string         `json:"receiver"`
	Status             string         `json:"status"`
	Alerts             []messageAlert `json:"alerts"`
	NotificationReason string         `json:"notification_reason"`
	GroupLabels        ingest.Labels  `json:"groupLabels"`
	CommonLabels       ingest.Labels  `json:"commonLabels"`
	CommonAnnotations  ingest.Labels  `json:"commonAnnotations"`
	RouteLabels        ingest.Labels  `json:"routeLabels"`
	ExternalURL        string         `json:"externalURL"`
	Version            string         `json:"version"`
	GroupKey           string         `json:"groupKey"`
	TruncatedAlerts    uint64         `json:"truncatedAlerts"`
}

type messageAlert struct {
	Status       string        `json:"status"`
	Labels       ingest.Labels `json:"labels"`
	Annotations  ingest.Labels `json:"annotations"`
	StartsAt     time.Time     `json:"startsAt"`
	EndsAt       time.Time     `json:"endsAt"` // year 1 while it fires
	GeneratorURL string        `json:"generatorURL"`
	Fingerprint  string        `json:"fingerprint"`
}

// body writes the notification as Alertmanager posts it. All its times are moved by shift.
func (p *pair) body(n notification, shift ingest.Millis) []byte {
	m := message{
		Receiver:           regexp.QuoteMeta(p.receiver),
		Status:             "resolved",
		NotificationReason: n.reason,
		GroupLabels:        n.group.labels,
		ExternalURL:        p.address[n.sender],
		Version:            "4",
		GroupKey:           n.group.key,
	}
	for i, a := range n.members {
		alert := a.message(shift)
		if !a.resolved {
			m.Status = "firing"
		}
		if i == 0 {
			m.CommonLabels, m.CommonAnnotations = a.labels, a.annotations
		}
		m.CommonLabels = inCommon(m.CommonLabels, a.labels)
		m.CommonAnnotations = inCommon(m.CommonAnnotations, a.annotations)
		m.Alerts = append(m.Alerts, alert)
	}
	return encode(m)
}

func (a member) message(shift ingest.Millis) messageAlert {
	alert := messageAlert{
		Status: "firing", Labels: a.labels, Annotations: a.annotations,
		StartsAt:     (a.from + shift).Time(),
		GeneratorURL: "http://prometheus.monitoring:9090/graph?g0.expr=" + url.QueryEscape(`ALERTS{alertname="`+a.labels.Get("alertname")+`"}`) + "&g0.tab=1",
		Fingerprint:  a.fingerprint,
	}
	if a.resolved {
		alert.Status, alert.EndsAt = "resolved", (a.to + shift).Time()
	}
	return alert
}

func inCommon(a, b ingest.Labels) ingest.Labels {
	var both ingest.Labels
	for _, l := range a {
		if b.Get(l.Name) == l.Value {
			both = append(both, l)
		}
	}
	return both
}

// encode writes JSON as Alertmanager does: without escaping for HTML, with a new line at the end.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("simulate: a value of our own cannot be encoded: " + err.Error())
	}
	return b.Bytes()
}

func quote(s string) string { return strconv.Quote(s) }
