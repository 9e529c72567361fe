package wire

import (
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
)

// alertsPosted reads alerts as Prometheus posts them to an Alertmanager (API v2): a list of them, or one.
func (r *reading) alertsPosted() error {
	return r.list("alert", "alerts", func(item string) error {
		var a alert
		return r.each(item, func() error { return r.alert(&a) }, func() {
			if event := a.posted(r); r.bad == "" {
				r.event(ingest.Event{Alert: event})
			}
		})
	})
}

// posted checks an alert that says only when it begins and ends, as Alertmanager's API does.
// Prometheus sends a firing alert with an end in the future, four evaluations or resend delays away,
// and puts it off each time: it is what holds if nothing more is heard. An end that has
// come is one that was seen. What is read late from a stream was posted when the stream says: an end
// that has come since then was to come, and nothing was heard after that.
// Source: alertmanager, api/v2; prometheus, rules and notifier.
func (a *alert) posted(r *reading) *ingest.Alert {
	e := a.common(r)
	e.StartsAt, e.EndsAt = r.instant("startsAt", a.startsAt), r.instant("endsAt", a.endsAt)
	e.Undated = e.StartsAt == 0
	switch {
	case !e.Undated:
	case e.EndsAt != 0:
		e.StartsAt = e.EndsAt
	default:
		e.StartsAt = r.posted()
	}
	switch {
	case e.EndsAt == 0:
		e.EndsAt, e.EndsByTimeout = r.posted()+r.config.resolveTimeout, true
	case !r.postedBy(e.EndsAt):
		e.EndsByTimeout = true
	default:
		e.Resolved = true
	}
	if a.endsAt != "" && e.EndsAt < e.StartsAt {
		r.wrong(place{field: "endsAt"}, "%s lies before startsAt", short(a.endsAt))
	}
	a.byGrafana(e)
	return e
}

// posted returns when the record was sent, as far as is known: when it was received, or before that its own time.
func (r *reading) posted() ingest.Millis {
	if o := r.rec.Origin; o != nil && o.At > 0 && r.receivedBy(o.At) {
		return o.At
	}
	return r.received()
}

// postedBy tells whether the record was sent at t or later.
func (r *reading) postedBy(t ingest.Millis) bool {
	if o := r.rec.Origin; o != nil && o.At > 0 && o.At < t {
		return false
	}
	return r.receivedBy(t)
}

// list reads a list of items or a single one. A bad item of a list is a dead letter; where
// nothing could be used at all the sender is told with an error.
func (r *reading) list(one, many string, item func(path string) error) error {
	var err error
	switch kind := r.kind(); kind {
	case "array":
		err = r.array(func(i int) error { return item(many + "[" + strconv.Itoa(i) + "]") })
	case "object":
		err = item(one)
	case "nothing":
		err = r.unexpected(article(one) + " or an array of " + many)
	default:
		err = r.fail("%s is neither %s nor an array of %s", kind, article(one), many)
	}
	if err == nil {
		err = r.end()
	}
	if err == nil && len(r.out.Events) == 0 && len(r.out.Dead) > 0 {
		err = &syntaxError{r.badAt, r.out.Dead[0].Reason}
	}
	return err
}

func article(noun string) string {
	switch noun[0] {
	case 'a', 'e':
		return "an " + noun
	}
	return "a " + noun
}
