package wire

import (
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
)

// happening is one event of Alertmanager's event recorder, from JSON or protobuf.
type happening struct {
	name     string // as in JSON: alertCreated
	at       ingest.Millis
	alerts   []*ingest.Alert // those with details
	receiver string
	groupKey string
	silence  ingest.Silence
	muted    string   // fingerprint
	causes   []string // fingerprints
	rule     string
	met      int // alerts, bad ones and mere references too
}

// The events that say something of alerts. The others are the process's own.
const (
	alertCreated    = "alertCreated"
	alertResolved   = "alertResolved"
	alertGrouped    = "alertGrouped"
	notified        = "notification"
	silenceCreated  = "silenceCreated"
	silenceUpdated  = "silenceUpdated"
	silenceMuted    = "silenceMutedAlert"
	inhibitionMuted = "inhibitionMutedAlert"
)

// happenings are the names of the events by their number in the protobuf message.
// Source: alertmanager, eventrecorder.proto.
var happenings = map[int]string{
	1: "alertmanagerStartupEvent", 2: "alertmanagerShutdownEvent",
	3: alertCreated, 4: alertResolved, 5: alertGrouped, 6: notified,
	7: silenceCreated, 8: silenceUpdated, 9: silenceMuted, 10: inhibitionMuted,
}

func isHappening(name string) bool {
	for _, known := range happenings {
		if name == known {
			return true
		}
	}
	return false
}

// give makes events of what happened: the alerts seen, and a link where it says how alerts
// belong together.
func (h *happening) give(r *reading) {
	if h.at == 0 {
		r.wrong(place{field: "@timestamp"}, "missing")
	}
	switch h.name {
	case alertCreated, alertResolved, alertGrouped:
		if h.met == 0 {
			r.wrong(place{field: "alert"}, "missing")
		}
	}
	link, linked := h.link(r)
	if r.bad != "" {
		return
	}
	for _, a := range h.alerts {
		a.Resolved = a.Resolved || h.name == alertResolved
		if !a.Resolved {
			a.EndsAt = 0 // the time at which Alertmanager would give up, which it puts off without an event
		}
		a.Receiver, a.GroupKey = h.receiver, h.groupKey
		r.event(ingest.Event{Alert: a})
	}
	if linked {
		r.event(ingest.Event{Link: link})
	}
}

func (h *happening) link(r *reading) (*ingest.Link, bool) {
	l := &ingest.Link{At: h.at}
	switch h.name {
	case alertGrouped, notified:
		l.Kind, l.Receiver, l.GroupKey = ingest.LinkGrouped, h.receiver, h.groupKey
		if h.name == notified {
			l.Kind = ingest.LinkNotified
		}
		for _, a := range h.alerts {
			l.Alerts = append(l.Alerts, a.Fingerprint)
		}
		return l, len(l.Alerts) > 0
	case silenceCreated, silenceUpdated:
		l.Kind, l.Silence = ingest.LinkSilence, h.silence
	case silenceMuted:
		l.Kind, l.Silence, l.Alerts = ingest.LinkSilenced, h.silence, []string{h.muted}
	case inhibitionMuted:
		l.Kind, l.Alerts, l.Causes, l.Rule = ingest.LinkInhibited, []string{h.muted}, h.causes, h.rule
	default:
		return nil, false
	}
	h.complete(r, l)
	return l, true
}

// complete says what is missing of what a link links.
func (h *happening) complete(r *reading, l *ingest.Link) {
	if l.Kind == ingest.LinkInhibited {
		if len(l.Causes) == 0 {
			r.wrong(place{field: "inhibitingFingerprints"}, "none")
		}
	} else {
		r.present(sent{"silence.id", l.Silence.ID})
	}
	if l.Kind != ingest.LinkSilence {
		r.present(sent{"mutedAlert.fingerprint", h.muted})
	}
}

// recorderEvents reads what Alertmanager's event recorder sends: an event, or a batch of them.
func (r *reading) recorderEvents() error {
	return r.list("event", "events", func(item string) error {
		var h happening
		return r.each(item, func() error { return r.happening(&h) }, func() { h.give(r) })
	})
}

func (r *reading) happening(h *happening) error {
	return r.object(func(name string) error {
		switch name {
		case "@timestamp":
			return r.time(name, &h.at)
		case "data":
			return r.inner(name, func(name string) error {
				if !isHappening(name) {
					r.warn(place{"data", short(name)}, "not a known event, ignored")
					return r.skip()
				}
				h.name = name
				return r.inner(name, func(field string) error { return r.what(h, field) })
			})
		}
		return r.skip()
	})
}

// inner reads an object in an object; null is none, anything else is wrong.
func (r *reading) inner(at string, field func(name string) error) error {
	switch kind := r.kind(); kind {
	case "object":
		return r.object(field)
	case "null":
	default:
		r.wrong(place{field: at}, "%s is not an object", kind)
	}
	return r.skip()
}

// elements reads a list in an object; null is none, anything else is wrong.
func (r *reading) elements(at string, element func(i int) error) error {
	switch kind := r.kind(); kind {
	case "array":
		return r.array(element)
	case "null":
	default:
		r.wrong(place{field: at}, "%s is not an array", kind)
	}
	return r.skip()
}

// time takes an instant in RFC 3339.
func (r *reading) time(at string, to *ingest.Millis) error {
	var text string
	err := r.str(place{field: at}, &text)
	*to = r.instant(at, text)
	return err
}

// what reads one field of the event's own object.
func (r *reading) what(h *happening, name string) error {
	switch name {
	case "alert":
		return r.seen(h, name)
	case "alerts":
		return r.elements(name, func(i int) error { return r.seen(h, "alerts["+strconv.Itoa(i)+"]") })
	case "groupInfo":
		return r.inner(name, func(field string) error {
			switch field {
			case "receiverName":
				return r.str(place{name, field}, &h.receiver)
			case "groupKey":
				return r.str(place{name, field}, &h.groupKey)
			}
			return r.skip()
		})
	case "silence":
		return r.inner(name, func(field string) error { return r.silence(&h.silence, field) })
	case "mutedAlert":
		return r.inner(name, func(field string) error {
			if field == "fingerprint" {
				return r.decimal(place{name, field}, &h.muted)
			}
			return r.skip()
		})
	case "inhibitingFingerprints":
		return r.elements(name, func(i int) error {
			var cause string
			err := r.decimal(place{field: name}, &cause)
			r.present(sent{name + "[" + strconv.Itoa(i) + "]", cause})
			h.causes = append(h.causes, cause)
			return err
		})
	case "inhibitRules":
		return r.elements(name, func(int) error {
			return r.inner(name, func(field string) error {
				if field == "name" && h.rule == "" {
					return r.str(place{name, field}, &h.rule)
				}
				return r.skip()
			})
		})
	}
	return r.skip()
}

// seen reads an alert, or a reference to one that may have its details. A bad one of several
// is a dead letter of its own.
func (r *reading) seen(h *happening, item string) error {
	a := recordedAlert{details: h.name == alertCreated}
	h.met++
	return r.each(item, func() error { return r.recordedAlert(&a) }, func() { h.see(r, &a) })
}

// see adds an alert that was understood.
func (h *happening) see(r *reading, a *recordedAlert) {
	if !a.details {
		r.warn(place{}, "a reference without details, ignored")
		return
	}
	if seen := a.event(r); r.bad == "" {
		h.alerts = append(h.alerts, seen)
	}
}

// recordedAlert is an alert as the event recorder writes it.
type recordedAlert struct {
	alert
	starts, ends ingest.Millis
	resolved     bool
	details      bool // not a mere reference
}

func (r *reading) recordedAlert(a *recordedAlert) error {
	return r.object(func(name string) error {
		at := place{field: name}
		switch name {
		case "details":
			a.details = a.details || r.next() == '{'
			return r.inner(name, func(field string) error { return r.detail(a, field) })
		case "hash":
			return r.skip()
		}
		return r.detail(a, at.field)
	})
}

func (r *reading) detail(a *recordedAlert, name string) error {
	at := place{field: name}
	switch name {
	case "fingerprint":
		return r.decimal(at, &a.fingerprint)
	case "labels":
		return r.pairs(name, &a.labels)
	case "annotations":
		return r.pairs(name, &a.annotations)
	case "startsAt":
		return r.time(name, &a.starts)
	case "endsAt":
		return r.time(name, &a.ends)
	case "resolved":
		return r.boolean(at, &a.resolved)
	}
	return r.skip()
}

// event gives an alert its meaning.
func (a *recordedAlert) event(r *reading) *ingest.Alert {
	e := a.common(r)
	e.StartsAt, e.EndsAt, e.Resolved = a.starts, a.ends, a.resolved
	r.present(sent{"startsAt", e.StartsAt.String()})
	r.config.limits.allow(r, e)
	a.byGrafana(e)
	return e
}

// pairs takes labels as the event recorder writes them: {"labels": [{"key": …, "value": …}]}.
func (r *reading) pairs(name string, to *ingest.Labels) error {
	var ls ingest.Labels
	err := r.inner(name, func(field string) error {
		if field != "labels" {
			return r.skip()
		}
		return r.elements(name, func(int) error {
			ls = append(ls, ingest.Label{})
			return r.pair(name, &ls[len(ls)-1])
		})
	})
	*to = sorted(ls)
	return err
}

func (r *reading) pair(name string, to *ingest.Label) error {
	err := r.inner(name, func(field string) error {
		switch field {
		case "key":
			return r.str(place{name, field}, &to.Name)
		case "value":
			return r.str(place{name, to.Name}, &to.Value)
		}
		return r.skip()
	})
	if to.Name == "" {
		r.wrong(place{field: name}, "a name is empty")
	}
	return err
}

func (r *reading) silence(s *ingest.Silence, name string) error {
	at := place{"silence", name}
	switch name {
	case "id":
		return r.str(at, &s.ID)
	case "startsAt":
		return r.time("silence.startsAt", &s.From)
	case "endsAt":
		return r.time("silence.endsAt", &s.To)
	case "createdBy":
		return r.str(at, &s.Author)
	case "comment":
		return r.str(at, &s.Comment)
	case "matchers":
		return r.elements("silence.matchers", func(int) error {
			return r.inner("silence.matchers", func(field string) error {
				if field != "rendered" {
					return r.skip()
				}
				s.Matchers = append(s.Matchers, "")
				return r.str(at, &s.Matchers[len(s.Matchers)-1])
			})
		})
	}
	return r.skip()
}

// decimal takes a fingerprint, a decimal number here, and writes it as the webhook does.
func (r *reading) decimal(at place, to *string) error {
	var text string
	err := r.numeral(at, &text)
	if text == "" {
		return err
	}
	n, bad := strconv.ParseUint(text, 10, 64)
	if bad != nil {
		r.wrong(at, "%q is not a fingerprint", short(text))
	}
	*to = ingest.FormatFingerprint(n)
	return err
}
