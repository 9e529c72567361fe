package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// The versions of webhooks: the only one that Alertmanager has sent since 2016, and
// the only one of Grafana's alerting.
const (
	webhookVersion = "4"
	grafanaVersion = "1"
)

// webhook reads Alertmanager's and Grafana's webhooks. Each alert counts by its own status: the
// delivery's says what is true of the whole group, of which max_alerts may
// have kept this alert back.
func (r *reading) webhook() error {
	switch kind := r.kind(); kind {
	case "object":
	case "nothing":
		return r.unexpected("an Alertmanager webhook")
	default:
		return r.fail("not an Alertmanager webhook: %s is not an object", kind)
	}
	var w struct{ receiver, groupKey, version, org string }
	versionAt, listed := len(r.in), false
	err := r.object(func(name string) error {
		switch name {
		case "alerts":
			listed = true
			return r.alerts()
		case "version":
			r.space()
			versionAt = r.at
			return r.scalar(&w.version)
		case "receiver":
			return r.top(name, &w.receiver)
		case "groupKey":
			return r.top(name, &w.groupKey)
		case "truncatedAlerts":
			return r.truncated()
		case "orgId":
			return r.lenient(&w.org)
		}
		return r.skip()
	})
	if err != nil {
		return err
	}
	if err := r.end(); err != nil {
		return err
	}
	switch w.version {
	case webhookVersion:
	case grafanaVersion:
		r.keepExtras(w.org)
	default:
		return r.foreign(w.version, versionAt)
	}
	if !listed { // who sends one always lists them, and an answer of 200 would hide that they are called otherwise
		return &syntaxError{r.at, "alerts: missing; a webhook always has the list, [] where it is empty"}
	}
	receiver := unquoteMeta(w.receiver)
	for _, e := range r.out.Events {
		e.Alert.Receiver, e.Alert.GroupKey = receiver, w.groupKey
	}
	return nil
}

// foreign is the error for what is no webhook of the version that is read here.
func (r *reading) foreign(version string, at int) error {
	if version == "" {
		return &syntaxError{at, `version: missing; a webhook says "version": "4" (Alertmanager) or "1" (Grafana)`}
	}
	return &syntaxError{at, fmt.Sprintf(`version: %s is not supported; webhooks are read of "version": "4" (Alertmanager) and "1" (Grafana)`, short(version))}
}

// scalar takes any value and keeps what it looks like: strings plain, others as
// they stand.
func (r *reading) scalar(to *string) error {
	if r.kind() == "string" {
		text, _, err := r.text()
		*to = text
		if text != webhookVersion && text != grafanaVersion {
			*to = strconv.Quote(text)
		}
		return err
	}
	raw, err := r.raw()
	*to = "the " + r.describe(raw)
	return err
}

func (r *reading) describe(raw []byte) string {
	return (&scanner{in: raw}).kind() + " " + short(string(raw))
}

// top takes a text of the delivery itself. Where it is wrong the alerts still count.
func (r *reading) top(name string, to *string) error {
	r.bad = ""
	err := r.str(place{field: name}, to)
	if r.bad != "" {
		r.warnAlso(ingest.Decoded{Warnings: []string{r.bad}})
	}
	return err
}

func (r *reading) truncated() error {
	if kind := r.kind(); kind != "number" {
		r.warn(place{field: "truncatedAlerts"}, "%s is not a number", kind)
		return r.skip()
	}
	text, err := r.number()
	if err != nil {
		return err
	}
	if n, bad := strconv.ParseUint(text, 10, 31); bad == nil {
		r.out.Truncated = int(n)
	} else {
		r.warn(place{field: "truncatedAlerts"}, "%s is not a count", short(text))
	}
	return nil
}

// alerts reads the list. A second one in the same object replaces the first, as
// everywhere in JSON.
func (r *reading) alerts() error {
	r.out.Events, r.out.Dead, r.extras = nil, nil, nil
	switch kind := r.kind(); kind {
	case "array":
	case "null":
		return r.skip()
	case "nothing":
		return r.unexpected("an array of alerts")
	default:
		return r.fail("alerts: %s is not an array", kind)
	}
	return r.array(func(i int) error {
		var a alert
		return r.each("alerts["+strconv.Itoa(i)+"]", func() error { return r.alert(&a) }, func() {
			if event := a.told(r); r.bad == "" {
				r.event(ingest.Event{Alert: event})
			}
			if r.bad == "" {
				r.keepExtra(a.extra)
			}
		})
	})
}

// unquoteMeta takes off the escapes that regexp.QuoteMeta puts on: Alertmanager
// sends the receiver so.
func unquoteMeta(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`\.+*?()|[]{}^$`, s[i+1]) >= 0 {
			i++
		}
		out = append(out, s[i])
	}
	return string(out)
}
