package alertmanager

import (
	"log/slog"
	"net/url"
	"regexp"
	"strconv"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/evenkeel/evenkeel/ingest"
)

// filter says which alerts are asked for.
type filter struct {
	active, unprocessed bool
	receiver            bool // ours is among the receivers asked for
	matchers            labels.Matchers
}

// parseMatchers reads matchers as Alertmanager does: in its UTF-8 grammar, and in the older one
// where that does not take them.
var parseMatchers = compat.FallbackMatchersParser(slog.New(slog.DiscardHandler))

// readFilter reads the parameters of alerts and groups. Those about silences and inhibition
// change nothing: no alert here is suppressed.
func readFilter(q url.Values) (filter, error) {
	f := filter{receiver: true}
	var err error
	if f.active, err = flag(q, "active"); err != nil {
		return f, err
	}
	if f.unprocessed, err = flag(q, "unprocessed"); err != nil {
		return f, err
	}
	for _, name := range []string{"silenced", "inhibited", "muted"} {
		if _, err := flag(q, name); err != nil {
			return f, err
		}
	}
	if f.matchers, err = matchers(q, "filter"); err != nil {
		return f, err
	}
	f.receiver, err = wantsReceiver(q)
	return f, err
}

// flag returns a parameter that is true unless it is said to be false.
func flag(q url.Values, name string) (bool, error) {
	value := q.Get(name)
	if value == "" {
		return true, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, badRequest("%s: %q is neither true nor false", name, value)
	}
	return on, nil
}

func matchers(q url.Values, name string) (labels.Matchers, error) {
	var all labels.Matchers
	for _, text := range q[name] {
		some, err := parseMatchers(text, "api")
		if err != nil {
			return nil, badRequest("%s: %v", name, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// wantsReceiver says whether our receiver is asked for: by its name, and by labels, of which it has none.
func wantsReceiver(q url.Values) (bool, error) {
	byLabels, err := matchers(q, "receiver_matchers")
	if err != nil {
		return false, err
	}
	for _, m := range byLabels {
		if !m.Matches("") {
			return false, nil
		}
	}
	pattern := q.Get("receiver")
	if pattern == "" {
		return true, nil
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return false, badRequest("receiver: %v", err)
	}
	return re.MatchString(Receiver), nil
}

// takes says whether an alert is asked for.
func (f *filter) takes(state string, ls ingest.Labels) bool {
	switch {
	case !f.receiver, state == active && !f.active, state == unprocessed && !f.unprocessed:
		return false
	}
	for _, m := range f.matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}
