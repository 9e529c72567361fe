package correlate

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// observe applies one sighting of an alert by the rules of episodes:
// an alert has at most one open episode.
func (t *tenant) observe(source string, received ingest.Millis, seen *ingest.Alert) Outcome {
	if refused := tooFarAhead("alert", seen.Labels.Get(alertNameLabel), "its start", seen.StartsAt, received); refused != "" {
		return Outcome{Refused: refused}
	}
	key := alertKey{source, seen.Fingerprint}
	a := t.alerts[key]
	if a == nil {
		if refused := t.full(source); refused != "" {
			return Outcome{Refused: refused}
		}
		a = &alert{}
		t.keep(key, a)
	}
	if seen.StartsAt == 0 {
		dated := *seen
		dated.StartsAt, dated.Undated = received, true
		seen = &dated
	}
	start := seen.StartsAt
	if seen.Undated && a.open != nil {
		start = a.open.row.StartsAt // else each time would have another
	}
	saying, room := sayingOf(start, seen, t.fold.room)
	t.fold.room = room
	repeats, before := a.said.repeats(saying), t.touches
	if seen.Resolved {
		t.resolved(a, source, received, seen)
	} else {
		t.firing(a, source, received, seen)
	}
	if a.open == nil && len(a.ended) == 0 {
		t.drop(key)
	}
	return Outcome{Repeats: repeats && t.touches == before}
}

// firing applies an alert seen firing.
func (t *tenant) firing(a *alert, source string, received ingest.Millis, seen *ingest.Alert) {
	known := a.find(seen.StartsAt)
	switch {
	case seen.Undated && a.open != nil && a.open.outlasted(seen):
		t.seen(a.open, received, seen) // it names no start: there is none to know by
	case known != nil && known == a.open && known.hiddenBy != 0 && received-known.hiddenBy <= t.fold.copyWindow() && !known.renewed(received, seen):
		// A copy that was under way while the episode timed out.
	case known != nil && known == a.open:
		t.seen(known, received, seen)
	case known != nil && (a.open != nil || received-known.closedBy <= t.fold.copyWindow()):
		// A copy that was under way while the episode ended.
	case known != nil:
		t.reopen(a, known, received, seen)
	case a.open == nil && a.since(seen.StartsAt) && t.knew(source, seen):
		// A copy of what is long over: the alert has fired with a later start since then.
	case a.open != nil && !a.open.outlasted(seen):
		t.lose(a, seen.StartsAt, received)
		t.start(a, source, received, seen)
	case a.open != nil:
		if a.open.addAlias(seen.StartsAt) {
			t.touch(a.open)
		}
		t.seen(a.open, received, seen)
	default:
		t.start(a, source, received, seen)
	}
}

// since tells whether an ended episode is remembered that began after startsAt.
func (a *alert) since(startsAt ingest.Millis) bool {
	return slices.ContainsFunc(a.ended, func(e *episode) bool { return e.row.StartsAt > startsAt })
}

// outlasted tells whether an open episode may go on with a start that it does not know. One that was
// out of sight does not when the alert began to fire after that: it must have ended between, nobody knows when.
func (e *episode) outlasted(seen *ingest.Alert) bool {
	return e.row.State != Unknown || seen.Unknown || seen.StartsAt <= e.row.UnknownSince
}

// renewed tells whether a sighting is newer than the resolve by timeout that hid e: its sender promises more than
// ever, and beyond when that was told. What was under way then cannot.
func (e *episode) renewed(received ingest.Millis, seen *ingest.Alert) bool {
	return seen.EndsByTimeout && seen.EndsAt > max(e.hiddenBy, e.holds) && received >= e.lastSeen
}

// resolved applies an alert seen resolved.
func (t *tenant) resolved(a *alert, source string, received ingest.Millis, seen *ingest.Alert) {
	ends := seen.EndsAt
	if ends == 0 {
		ends = received // the sender gave none
	}
	known := a.find(seen.StartsAt)
	switch {
	case known == nil && (a.open == nil || ends <= a.open.row.StartsAt) && t.knew(source, seen):
		// A copy of what is long over.
	case known != nil && known != a.open && (known.row.EndsAt == ends || known.ahead == ends):
		// A copy: that it ended then is known, and says nothing of what fires now.
	case known != nil && known.learns(ends) && (a.open == nil || ends <= a.open.row.StartsAt):
		t.learnEnd(known, ends, received, seen)
	case a.open != nil && known == nil && !a.open.outlasted(seen):
		t.lose(a, seen.StartsAt, received)
		t.brief(a, source, ends, received, seen)
	case a.open != nil && (ends > a.open.row.StartsAt || known == a.open):
		if known == nil && !seen.Undated && a.open.addAlias(seen.StartsAt) {
			t.touch(a.open)
		}
		t.end(a, ends, received, seen)
	case known == nil:
		t.brief(a, source, ends, received, seen)
	}
}

// brief makes an episode of which only the end was told.
func (t *tenant) brief(a *alert, source string, ends, received ingest.Millis, seen *ingest.Alert) {
	open := a.open
	a.open = t.begin(a, source, received, seen)
	t.end(a, ends, received, seen)
	if a.open != nil {
		t.judge(a.open)
	}
	if open == nil {
		return
	}
	if a.open != nil { // its end is not known, but it had ended when the other began
		t.lose(a, open.row.StartsAt, received)
	}
	a.open = open
}

// learns tells whether an end says more of how e ended than is known: nothing is, or the end lay ahead when it was told
// and what is believed for it is when that was received. An earlier one is believed then, but for one before it was
// last seen firing: that is the end of an earlier stretch, told again.
func (e *episode) learns(ends ingest.Millis) bool {
	capped := e.row.State == Resolved && e.ahead != 0 && e.row.EndsAt == e.latest(e.closedBy)
	return e.standing() == lost || capped && e.lastSeen <= ends && ends < e.row.EndsAt
}

// learnEnd takes in how an episode ended of which that was not known.
func (t *tenant) learnEnd(e *episode, ends, received ingest.Millis, seen *ingest.Alert) {
	if seen.EndsByTimeout || e.said != 0 {
		return
	}
	ends = e.believe(ends, received)
	e.row.State, e.row.EndsAt, e.row.UnknownSince, e.closedBy = Resolved, max(ends, e.row.StartsAt), 0, received
	t.touch(e)
}

// believe returns when e ended, of an end that was told and is no promise. Who says that it has ended cannot know an end
// that is yet to come: it ended when that was received, at the latest. Where its start lay ahead, too, when it was first seen,
// the clock of its sender is as far ahead at least, and its end may be: so it lasts no longer than it was seen.
func (e *episode) believe(told, received ingest.Millis) ingest.Millis {
	latest := e.latest(received)
	if told > latest {
		e.ahead = told
	}
	return min(told, latest)
}

// latest is the last instant at which e can have ended, if that was received then.
func (e *episode) latest(received ingest.Millis) ingest.Millis {
	return received + max(0, e.row.StartsAt-e.row.FirstSeenAt)
}

// start opens an episode.
func (t *tenant) start(a *alert, source string, received ingest.Millis, seen *ingest.Alert) {
	a.open = t.begin(a, source, received, seen)
	t.seen(a.open, received, seen)
}

// begin makes a new episode and puts it on the line.
func (t *tenant) begin(a *alert, source string, received ingest.Millis, seen *ingest.Alert) *episode {
	e := &episode{previous: a.latest()}
	e.row = Episode{
		EpisodeKey:  EpisodeKey{t.name, source, seen.Fingerprint, seen.StartsAt},
		State:       Firing,
		FirstSeenAt: received, Service: t.fold.resolver.service(seen.Labels),
		Severity: seen.Labels.Get(severityLabel), AlertName: seen.Labels.Get(alertNameLabel),
		Labels: seen.Labels, Annotations: seen.Annotations, GeneratorURL: seen.GeneratorURL,
	}
	if e.previous != nil {
		e.resumes = e.previous.lastKnown()
	}
	if t.knew(source, seen) {
		e.again = received
	}
	t.watches(source, e.row.Service)
	e.id = t.fold.incidentID(e.row.EpisodeKey, e.again)
	e.at = t.line.place(seen.StartsAt, received)
	t.line.insert(e)
	t.waiting++
	t.touch(e)
	return e
}

// latest returns the remembered episode that ended last.
func (a *alert) latest() *episode {
	if len(a.ended) == 0 {
		return nil
	}
	return a.ended[len(a.ended)-1]
}

// lastKnown is when e was last known to fire, or the last start that was seen of it.
func (e *episode) lastKnown() ingest.Millis {
	last := max(e.row.StartsAt, e.row.End())
	if n := len(e.row.Aliases); n > 0 {
		last = max(last, e.row.Aliases[n-1])
	}
	return last
}

// seen notes that an open episode was seen: firing, or its sender does not know.
func (t *tenant) seen(e *episode, received ingest.Millis, seen *ingest.Alert) {
	switch {
	case !seen.Unknown:
		e.said, e.hidden, e.hiddenBy, e.back, e.told, e.toldAt, e.ahead = 0, 0, 0, 0, 0, 0, 0
	case e.said == 0:
		e.said = max(e.row.StartsAt, min(received, max(e.lastSeen, seen.StartsAt)))
	}
	if received >= e.lastSeen {
		e.lastSeen, e.holds = received, 0
		if seen.EndsByTimeout {
			e.holds = seen.EndsAt
		}
	}
	t.judge(e)
	if e.watched == 0 || t.staleAt(e) < e.watched {
		t.watch(e)
	}
}

// judge says whether an open episode fires or is unknown, by what was seen of it.
func (t *tenant) judge(e *episode) {
	state, since := Firing, t.unknownSince(e)
	if since != 0 {
		state = Unknown
	}
	if e.row.State == state && e.row.UnknownSince == since {
		return
	}
	e.row.State, e.row.UnknownSince = state, since
	t.watch(e)
	t.touch(e)
}

// unknownSince is since when it is not known whether an open episode fires; 0 where it is known.
func (t *tenant) unknownSince(e *episode) ingest.Millis {
	silent := t.silentSince(e)
	switch {
	case e.said != 0:
		return e.said
	case e.hidden != 0 && silent != 0:
		return min(e.hidden, silent)
	case e.hidden != 0 || silent != 0:
		return max(e.hidden, silent)
	case t.staleAt(e) <= t.fold.now:
		return max(e.row.StartsAt, e.lastSeen)
	}
	return 0
}

// staleAt is when an open episode is unknown unless it is seen again: when what its sender promised
// is over, or after so long.
func (t *tenant) staleAt(e *episode) ingest.Millis {
	due := e.lastSeen + t.fold.staleAfter()
	if e.holds != 0 {
		due = min(due, e.holds)
	}
	return due
}

// loseAt is when an unknown episode ends as that.
func (t *tenant) loseAt(e *episode) ingest.Millis {
	if e.back != 0 {
		return e.back + t.fold.staleAfter()
	}
	return max(e.row.UnknownSince, e.lastSeen) + t.fold.forgetAfter()
}

// end closes the open episode, as far as it is known that it ended.
func (t *tenant) end(a *alert, ends, received ingest.Millis, seen *ingest.Alert) {
	e := a.open
	// A webhook does not tell a resolve by timeout. Its end is the one up to which the alert was last said to fire.
	timeout := seen.EndsByTimeout || e.holds != 0 && ends == e.holds
	if t.doubted(e, ends) {
		// Nobody may have seen it end: Alertmanager resolves what it does not hear of.
		if !timeout && e.said == 0 {
			e.told, e.toldAt = ends, received
		}
		return
	}
	if timeout {
		if ends > e.lastSeen && e.holds <= max(ends, received) { // else it was seen firing after that, or what its sender said of it still holds
			e.hidden, e.hiddenBy = max(e.row.StartsAt, min(ends, received)), received
			t.judge(e)
		}
		return
	}
	if seen.Unknown && e.said == 0 {
		e.said = max(e.row.StartsAt, e.lastSeen)
		t.judge(e)
	}
	if e.said != 0 {
		t.lose(a, e.believe(ends, received), received)
		return
	}
	t.resolve(a, ends, received)
}

// resolve closes the open episode at its end.
func (t *tenant) resolve(a *alert, ends, received ingest.Millis) {
	e := a.open
	a.close(received)
	e.row.State, e.row.EndsAt, e.row.UnknownSince = Resolved, max(e.believe(ends, received), e.row.StartsAt), 0
	e.hidden, e.hiddenBy, e.back, e.told, e.toldAt = 0, 0, 0, 0, 0
	t.touch(e)
}

// lose ends the open episode as unknown: from then on, it is known not to fire.
func (t *tenant) lose(a *alert, until, received ingest.Millis) {
	e := a.open
	a.close(received)
	e.row.EndsAt = max(until, e.row.UnknownSince)
	t.touch(e)
}

// giveUp ends an episode as unknown that nothing was heard of for too long.
func (t *tenant) giveUp(e *episode) {
	a := t.alerts[alertKey{e.row.Source, e.row.Fingerprint}]
	// Where its source was heard of again, it has not fired since then: it would have been sent again.
	t.lose(a, cmp.Or(e.back, t.fold.now), t.fold.now)
}

// close takes the open episode among those that ended.
func (a *alert) close(received ingest.Millis) {
	a.open.closedBy = received
	a.ended = append(a.ended, a.open)
	a.open = nil
}

// reopen opens an ended episode again: it fires with the start that is known.
func (t *tenant) reopen(a *alert, e *episode, received ingest.Millis, seen *ingest.Alert) {
	a.ended = slices.DeleteFunc(a.ended, func(o *episode) bool { return o == e })
	a.open = e
	e.row.State, e.row.EndsAt, e.row.UnknownSince, e.lastSeen = Firing, 0, 0, received
	if e.incident != nil {
		e.incident.wokenAt, e.incident.wokenBy = received, e
	}
	t.seen(e, received, seen)
	t.watch(e)
	t.touch(e)
}

// watch sets the timer of an open episode.
func (t *tenant) watch(e *episode) {
	one := timer{due: t.staleAt(e), kind: timerStale, tenant: t, key: e.id, of: e}
	if e.row.State == Unknown {
		one.due, one.kind = t.loseAt(e), timerLose
	}
	e.watched = one.due
	t.fold.timers.push(one)
}
