package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// webhookVersion is the only one that Alertmanager has sent since 2016.
const webhookVersion = "4"

// webhook reads Alertmanager's webhook. Each alert counts by its own status: the
// delivery's says what is true of the whole group, of which max_alerts may
// have kept this alert back.
func (d *decoder) webhook() error {
	switch kind := d.kind(); kind {
	case "object":
	case "nothing":
		return d.unexpected("an Alertmanager webhook")
	default:
		return d.fail("not an Alertmanager webhook: %s is not an object", kind)
	}
	var w struct{ receiver, groupKey, version string }
	versionAt := len(d.in)
	err := d.object(func(name string) error {
		switch name {
		case "alerts":
			return d.alerts()
		case "version":
			d.space()
			versionAt = d.at
			return d.scalar(&w.version)
		case "receiver":
			return d.top(name, &w.receiver)
		case "groupKey":
			return d.top(name, &w.groupKey)
		case "truncatedAlerts":
			return d.truncated()
		}
		return d.skip()
	})
	if err != nil {
		return err
	}
	if err := d.end(); err != nil {
		return err
	}
	if w.version != webhookVersion {
		return d.foreign(w.version, versionAt)
	}
	receiver := unquoteMeta(w.receiver)
	for _, e := range d.out.Events {
		e.Alert.Receiver, e.Alert.GroupKey = receiver, w.groupKey
	}
	return nil
}

// foreign is the error for what is no webhook of the version that is read here.
func (d *decoder) foreign(version string, at int) error {
	if version == "" {
		return &syntaxError{at, `version: missing; an Alertmanager webhook says "version": "4"`}
	}
	return &syntaxError{at, fmt.Sprintf(`version: %s is not supported; this path takes Alertmanager's webhook, "version": "4"`, short(version))}
}

// scalar takes any value and keeps what it looks like: strings plain, others as
// they stand.
func (d *decoder) scalar(to *string) error {
	if d.kind() == "string" {
		text, _, err := d.text()
		*to = text
		if text != webhookVersion {
			*to = strconv.Quote(text)
		}
		return err
	}
	raw, err := d.raw()
	*to = "the " + d.describe(raw)
	return err
}

func (d *decoder) describe(raw []byte) string {
	return (&scanner{in: raw}).kind() + " " + short(string(raw))
}

// top takes a text of the delivery itself. Where it is wrong the alerts still count.
func (d *decoder) top(name string, to *string) error {
	d.bad = ""
	err := d.str(place{field: name}, to)
	if d.bad != "" {
		d.out.Warnings = append(d.out.Warnings, d.bad)
	}
	return err
}

func (d *decoder) truncated() error {
	if kind := d.kind(); kind != "number" {
		d.warn(place{field: "truncatedAlerts"}, "%s is not a number", kind)
		return d.skip()
	}
	text, err := d.number()
	if err != nil {
		return err
	}
	if n, bad := strconv.ParseUint(text, 10, 31); bad == nil {
		d.out.Truncated = int(n)
	} else {
		d.warn(place{field: "truncatedAlerts"}, "%s is not a count", short(text))
	}
	return nil
}

// alerts reads the list. A second one in the same object replaces the first, as
// everywhere in JSON.
func (d *decoder) alerts() error {
	d.out.Events, d.out.Dead = nil, nil
	switch kind := d.kind(); kind {
	case "array":
	case "null":
		return d.skip()
	case "nothing":
		return d.unexpected("an array of alerts")
	default:
		return d.fail("alerts: %s is not an array", kind)
	}
	return d.array(func(i int) error {
		var a alert
		return d.each("alerts["+strconv.Itoa(i)+"]", func() error { return d.alert(&a) }, func() {
			if event := a.event(d); d.bad == "" {
				d.event(ingest.Event{Alert: event})
			}
		})
	})
}

// alert is one alert as sent.
type alert struct {
	status, startsAt, endsAt, generatorURL, fingerprint string
	labels, annotations                                 ingest.Labels
}

func (d *decoder) alert(a *alert) error {
	return d.object(func(name string) error {
		at := place{field: name}
		switch name {
		case "status":
			return d.str(at, &a.status)
		case "labels":
			return d.strings(name, &a.labels)
		case "annotations":
			return d.strings(name, &a.annotations)
		case "startsAt":
			return d.str(at, &a.startsAt)
		case "endsAt":
			return d.str(at, &a.endsAt)
		case "generatorURL":
			return d.str(at, &a.generatorURL)
		case "fingerprint":
			return d.str(at, &a.fingerprint)
		}
		return d.skip()
	})
}

// event checks what was sent and gives it its meaning.
func (a *alert) event(d *decoder) *ingest.Alert {
	e := &ingest.Alert{
		Labels: a.labels, Annotations: a.annotations, GeneratorURL: a.generatorURL,
		StartsAt: d.instant("startsAt", a.startsAt),
	}
	switch a.status {
	case "firing":
	case "resolved":
		e.Resolved = true
		e.EndsAt = d.instant("endsAt", a.endsAt)
	case "":
		d.wrong(place{field: "status"}, "missing")
	default:
		d.wrong(place{field: "status"}, `%q is neither "firing" nor "resolved"`, short(a.status))
	}
	if e.StartsAt == 0 {
		d.wrong(place{field: "startsAt"}, "missing")
	}
	if len(e.Labels) == 0 {
		d.wrong(place{field: "labels"}, "none")
	}
	e.Fingerprint = a.name(d)
	return e
}

// name returns the alert's fingerprint: the one sent, or the one that
// Alertmanager would have given it.
func (a *alert) name(d *decoder) string {
	const limit = 256
	switch {
	case a.fingerprint == "":
		return a.labels.Fingerprint()
	case len(a.fingerprint) > limit:
		d.wrong(place{field: "fingerprint"}, "%d bytes, at most %d", len(a.fingerprint), limit)
	case len(a.fingerprint) == 16 && isHex(a.fingerprint):
		return strings.ToLower(a.fingerprint)
	}
	return a.fingerprint
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
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
