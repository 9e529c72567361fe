package sla

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// sentKey names a maintenance window that was sent, within its tenant. Two systems may count theirs from 1,
// so the source is a part of it.
type sentKey struct{ source, id string }

// sentWindow is a maintenance window as it was told last.
type sentWindow struct {
	Interval   // empty where it is cancelled
	service    string
	now        telling
	superseded []telling // those of the last copyWithin, oldest first
}

// telling is what was told of a window, word for word, and when. Copies are no tellings.
type telling struct {
	words [16]byte
	at    ingest.Millis
}

const (
	// copyWithin is how late a copy of what was told may come: reordering and retries take no longer.
	copyWithin = 5 * ingest.Minute
	// maxSuperseded is of how many tellings of one window copies are known.
	maxSuperseded = 16
	// maxWindows is how many windows of one tenant are remembered.
	maxWindows = 100_000
	// inWindow is the one rank of a line that counts windows.
	inWindow = rankDown
)

// Maintain folds what was told of a maintenance window, in the order in which it was received: what is told
// last counts. news is false where it changes nothing that was known, as a copy does. Where refused
// says why, it is not remembered.
//
// What is told again word for word within copyWithin is a copy, also where something else was told in
// between: a retry that came late must not undo what was told after its first try.
func (l *Ledger) Maintain(e ingest.Event) (news bool, refused string) {
	tenant := cmp.Or(e.Tenant, ingest.DefaultTenant)
	key, words := sentKey{e.Source, e.Maintenance.ID}, wordsOf(e.Maintenance)
	w := l.windows[tenant][key]
	if w != nil && w.heard(words, l.now) {
		return false, ""
	}
	if w == nil {
		if len(l.windows[tenant]) >= maxWindows {
			return false, fmt.Sprintf("maintenance %q: %d windows of the tenant are remembered, which is the limit; they leave %d days after their end",
				e.Maintenance.ID, maxWindows, RestateDays+margin/ingest.Day)
		}
		w = &sentWindow{}
		l.remember(tenant, key, w)
	}
	old := *w
	w.tell(e.Maintenance, telling{words, l.now})
	l.reschedule(tenant, old, *w)
	return true, ""
}

func (l *Ledger) remember(tenant string, key sentKey, w *sentWindow) {
	if l.windows[tenant] == nil {
		l.windows[tenant] = make(map[sentKey]*sentWindow)
	}
	l.windows[tenant][key] = w
}

// heard says whether a telling is a copy, or says again what holds.
func (w *sentWindow) heard(words [16]byte, now ingest.Millis) bool {
	if w.now.words == words {
		if w.now.at < now-copyWithin {
			w.now.at = now
		}
		return true
	}
	return slices.ContainsFunc(w.superseded, func(t telling) bool { return t.words == words && t.at >= now-copyWithin })
}

// tell makes w what m says.
func (w *sentWindow) tell(m *ingest.Maintenance, t telling) {
	if w.now != (telling{}) {
		w.superseded = append(w.superseded, w.now)
	}
	w.superseded = slices.DeleteFunc(w.superseded, func(old telling) bool { return old.at < t.at-copyWithin })
	w.superseded = slices.Delete(w.superseded, 0, max(0, len(w.superseded)-maxSuperseded))
	w.now, w.service, w.Interval = t, m.Service, Interval{m.From, m.To}
	if m.Cancelled || w.Empty() {
		w.Interval = Interval{}
	}
}

// wordsOf returns what tells two tellings of one window apart.
func wordsOf(m *ingest.Maintenance) (words [16]byte) {
	h := fnv.New128a()
	_, _ = fmt.Fprintf(h, "%q %d %d %t %q %q %q", m.Service, m.From, m.To, m.Cancelled, m.Reason, m.Author, m.URL) // a hash takes everything
	h.Sum(words[:0])
	return words
}

// reschedule puts what a window says now in the place of what it said before.
func (l *Ledger) reschedule(tenant string, old, next sentWindow) {
	if old.service != next.service {
		l.schedule(seriesKey{tenant, old.service}, old.Interval, -1)
		l.schedule(seriesKey{tenant, next.service}, next.Interval, +1)
		return
	}
	for _, i := range next.Minus(old.Interval) {
		l.schedule(seriesKey{tenant, next.service}, i, +1)
	}
	for _, i := range old.Minus(next.Interval) {
		l.schedule(seriesKey{tenant, next.service}, i, -1)
	}
}

// schedule adds delta windows over i to those of a service, and restates the rows that it changes.
func (l *Ledger) schedule(key seriesKey, i Interval, delta int32) {
	changed := l.sent[key].changed(i, inWindow, delta)
	if s := l.series[key]; s != nil && s.of != nil && !changed.Empty() {
		l.restate(s, changed, func() { l.hold(key, i, delta) })
		return
	}
	l.hold(key, i, delta)
}

// hold adds delta windows over what can still change of i to those of a service, and restates nothing.
func (l *Ledger) hold(key seriesKey, i Interval, delta int32) {
	i.From = max(i.From, l.oldest())
	if i.Empty() {
		return
	}
	planned := l.sent[key]
	planned.add(i, inWindow, delta)
	l.sent[key] = planned
}

// forgetWindows drops what can change no row any more: windows that ended before oldest, and those
// that are cancelled and of which no copy is expected.
func (l *Ledger) forgetWindows(oldest ingest.Millis) {
	for tenant, windows := range l.windows {
		maps.DeleteFunc(windows, func(_ sentKey, w *sentWindow) bool { return w.To <= oldest && w.now.at < l.now-copyWithin })
		if len(windows) == 0 {
			delete(l.windows, tenant)
		}
	}
	for key, planned := range l.sent {
		if planned.forget(oldest); len(planned) == 0 {
			delete(l.sent, key)
		} else {
			l.sent[key] = planned
		}
	}
}
