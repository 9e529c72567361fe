package wire

import (
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// alert is one alert as sent.
type alert struct {
	status, startsAt, endsAt, generatorURL, fingerprint string
	labels, annotations                                 ingest.Labels
	extra                                               ingest.Labels // what only Grafana sends
	known                                               string        // fingerprint of labels, where they came before
	ends                                                ends
}

func (r *reading) alert(a *alert) error {
	if r.next(); r.again(a) {
		return nil
	}
	start := r.at
	err := r.alertAnew(a)
	if err == nil {
		r.remember(start, a)
	}
	return err
}

func (r *reading) alertAnew(a *alert) error {
	return r.object(func(name string) (err error) {
		at := place{field: name}
		switch name {
		case "status":
			return r.repeated(at, &a.status)
		case "labels":
			a.known, err = r.labels(name, &a.labels)
			return err
		case "annotations":
			_, err = r.labels(name, &a.annotations)
			return err
		case "startsAt":
			return r.str(at, &a.startsAt)
		case "endsAt":
			r.next()
			a.ends.n, a.ends.from = a.ends.n+1, r.at
			err = r.str(at, &a.endsAt)
			a.ends.to = r.at
			return err
		case "generatorURL":
			return r.repeated(at, &a.generatorURL)
		case "fingerprint":
			return r.repeated(at, &a.fingerprint)
		}
		if note, known := grafanaFields[name]; known {
			return r.note(note, &a.extra)
		}
		return r.skip()
	})
}

// told checks an alert that says itself whether it fires, and gives it its meaning.
func (a *alert) told(r *reading) *ingest.Alert {
	e := a.common(r)
	e.StartsAt = r.instant("startsAt", a.startsAt)
	switch a.status {
	case "firing":
	case "resolved":
		e.Resolved = true
		e.EndsAt = r.instant("endsAt", a.endsAt)
	case "":
		r.wrong(place{field: "status"}, "missing")
	default:
		r.wrong(place{field: "status"}, `%q is neither "firing" nor "resolved"`, short(a.status))
	}
	if e.StartsAt == 0 {
		r.wrong(place{field: "startsAt"}, "missing")
	}
	a.byGrafana(e)
	return e
}

// common is what all formats of alerts share: what it is, without when.
func (a *alert) common(r *reading) *ingest.Alert {
	if len(a.labels) == 0 {
		r.wrong(place{field: "labels"}, "none")
	}
	return &ingest.Alert{
		Fingerprint: a.name(r), Labels: a.labels, Annotations: a.annotations, GeneratorURL: a.generatorURL,
	}
}

// name returns the alert's fingerprint: the one sent, or the one that
// Alertmanager would have given it.
func (a *alert) name(r *reading) string {
	const limit = 256
	absent := strings.TrimSpace(a.fingerprint) == ""
	switch {
	case absent && a.known != "":
		return a.known
	case absent:
		return a.labels.Fingerprint()
	case len(a.fingerprint) > limit:
		r.wrong(place{field: "fingerprint"}, "%d bytes, at most %d", len(a.fingerprint), limit)
	case len(a.fingerprint) == 16 && isHex(a.fingerprint):
		return strings.ToLower(a.fingerprint) // the same where it is lower case
	}
	return a.fingerprint
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}
