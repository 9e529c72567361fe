package correlate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Heartbeat declares how a source shows that it is alive. A source without one is never taken to be silent.
type Heartbeat struct {
	Tenant string `json:"tenant,omitempty"` // "" is the default tenant
	Source string `json:"source"`
	// Matchers tell the alert that always fires and is sent again and again, such as a Watchdog. It is a
	// sign of life and nothing else: no episode. Without matchers whatever the source sends is a sign.
	Matchers []Match `json:"matchers,omitempty"`
	// Stream names the stream that brings what the source sends, instead of matchers. Then it lives as long as
	// that is read to its end, whether anything is in it or not, and nothing that it sends is a sign:
	// it may have been sent long before it was read. "": what it sends comes otherwise.
	Stream string `json:"stream,omitempty"`
	// Every is how long may lie between two signs; of a stream, how old what is known may be. Milliseconds.
	Every int64 `json:"every_ms"`
	// Services are watched by the source, beside those that it has sent alerts of.
	Services []string `json:"services,omitempty"`
}

// Silence is a stretch of time in which a source gave no sign of life. Each change of one is
// given anew.
type Silence struct {
	Tenant   string
	Source   string
	Services []string      // of which nothing is known meanwhile, sorted
	From     ingest.Millis // the last sign
	To       ingest.Millis // the next one; 0 while it lasts
}

// source is what a tenant remembers of a source.
type source struct {
	name     string
	services map[string]bool // of the catalogue, that it has sent alerts of
	beat     *beat           // nil where no heartbeat is declared
	seen     ingest.Millis   // when an episode of such a service began last, or its heartbeat was declared
}

// beat is a declared heartbeat, and how it stands.
type beat struct {
	of       *source
	matchers []Matcher
	stream   string
	every    ingest.Millis
	services []string
	heard    ingest.Millis // received_at of the last sign of life, of a stream up to when it was read; 0 before there was any
	silent   bool
	since    ingest.Millis // the last sign before the silence that is, or was last
	row      Incident      // of that silence; without an id there was none
	dirty    bool
}

// newBeats makes declarations ready, by tenant and source.
func newBeats(declared []Heartbeat) (map[sourceKey]*beat, error) {
	beats := map[sourceKey]*beat{}
	for _, h := range declared {
		key := sourceKey{cmp.Or(h.Tenant, ingest.DefaultTenant), h.Source}
		switch {
		case h.Source == "":
			return nil, fmt.Errorf("a heartbeat names no source")
		case h.Every <= 0:
			return nil, fmt.Errorf("heartbeat of %s: every is %d ms; it must be more than 0", h.Source, h.Every)
		case beats[key] != nil:
			return nil, fmt.Errorf("heartbeat of %s: tenant %s has two", h.Source, key.tenant)
		case h.Stream != "" && len(h.Matchers) > 0:
			return nil, fmt.Errorf("heartbeat of %s: it is either a stream or what matchers tell", h.Source)
		}
		b := &beat{every: ingest.Millis(h.Every), stream: h.Stream, services: slices.Clone(h.Services)}
		for _, m := range h.Matchers {
			one, err := m.Compile()
			if err != nil {
				return nil, fmt.Errorf("heartbeat of %s: %w", h.Source, err)
			}
			b.matchers = append(b.matchers, one)
		}
		beats[key] = b
	}
	return beats, nil
}

// sourceKey names a source of all tenants.
type sourceKey struct{ tenant, source string }

// declare puts declarations in the place of those before. A source that is declared anew counts as heard of now,
// where this fold could hear of it: it is the only one, or the sign goes to all.
func (f *Fold) declare(beats map[sourceKey]*beat) {
	for _, t := range f.ordered() {
		for _, name := range slices.Sorted(maps.Keys(t.sources)) {
			s := t.sources[name]
			next := beats[sourceKey{t.name, name}]
			if b := s.beat; b != nil && next != nil {
				next.heard, next.silent, next.since, next.row, next.dirty = b.heard, b.silent, b.since, b.row, b.dirty
			} else if b != nil && b.silent {
				t.hear(b, f.now, "its heartbeat is not declared any more")
				t.closeSilence(b)
			}
			if s.beat != nil {
				s.seen = f.now
			}
			s.beat = nil
		}
	}
	for key, b := range beats {
		t := f.tenant(key.tenant)
		f.touch(t)
		b.of = t.source(key.source)
		b.of.beat = b
		if !f.shared || b.stream != "" {
			b.heard = cmp.Or(b.heard, f.now)
		}
		t.noFault(b)
		if b.silent {
			t.touchBeat(b) // what it watches may have changed
		}
	}
}

// noFault ends what was taken for a fault before it was declared to be a sign of life.
func (t *tenant) noFault(b *beat) {
	for _, a := range t.alertsOf(b.of) {
		if a.open != nil && allMatch(b.matchers, a.open.row.Labels) {
			t.resolve(a, t.fold.now, t.fold.now)
		}
	}
}

// alertsOf lists the alerts of a source, in order.
func (t *tenant) alertsOf(s *source) []*alert {
	var keys []alertKey
	for key := range t.alerts {
		if key.source == s.name {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, compareAlerts)
	all := make([]*alert, len(keys))
	for i, key := range keys {
		all[i] = t.alerts[key]
	}
	return all
}

// source returns what is remembered of a source, new where that is nothing.
func (t *tenant) source(name string) *source {
	s := t.sources[name]
	if s == nil {
		s = &source{name: name, services: map[string]bool{}}
		t.sources[name] = s
	}
	return s
}

// beatOf returns the heartbeat of a source, nil where none is declared.
func (t *tenant) beatOf(name string) *beat {
	if s := t.sources[name]; s != nil {
		return s.beat
	}
	return nil
}

// sign takes in what an event says of its source being alive. It returns true where the event says
// nothing else.
func (t *tenant) sign(e *ingest.Event) bool {
	b := t.beatOf(e.Source)
	switch {
	case b == nil:
		return false
	case e.Progress != nil:
		if e.Progress.Stream == b.stream {
			t.read(b, min(e.Progress.ReadTo, e.ReceivedAt)) // the clocks of replicas differ
		}
		return true
	case b.stream != "":
		return false
	case len(b.matchers) == 0:
		t.alive(b, e.ReceivedAt)
		return false
	case e.Alert == nil || !allMatch(b.matchers, e.Alert.Labels):
		return false
	case e.Alert.Resolved: // it always fires: who sent it does not any more
		if cmp.Or(e.Alert.EndsAt, e.ReceivedAt) > b.heard && b.heard != 0 && !b.silent {
			t.fallSilent(b, "its heartbeat ended")
		}
	case !e.Alert.Unknown:
		t.alive(b, e.ReceivedAt)
	}
	return true
}

// read notes up to when the stream of a source was read. Where that is longer ago than may be, the stream is
// still behind, and nobody knows what is in the rest.
func (t *tenant) read(b *beat, to ingest.Millis) {
	if t.fold.now-to <= b.every {
		t.alive(b, to)
	}
}

// alive notes a sign of life.
func (t *tenant) alive(b *beat, received ingest.Millis) {
	if received <= b.heard {
		return
	}
	first := b.heard == 0
	b.heard = received
	switch {
	case b.silent:
		t.hear(b, received, b.heardAgain())
	case first:
		t.watchBeat(b)
	}
}

// overdue makes a source silent that gave no sign in time.
func (t *tenant) overdue(b *beat) {
	why := "no sign of life for " + lasting(b.every)
	if b.stream != "" {
		why = fmt.Sprintf("stream %s was not read to its end for %s", b.stream, lasting(b.every))
	}
	t.fallSilent(b, why)
}

func (b *beat) heardAgain() string {
	if b.stream != "" {
		return fmt.Sprintf("stream %s is read to its end again", b.stream)
	}
	return b.of.name + " is heard of again"
}

// doubted tells whether the end of an episode is none that anybody saw, as its source is silent. What a stream
// brings was said by a source that lived, however late it is read.
func (t *tenant) doubted(e *episode, ends ingest.Millis) bool {
	b := t.beatOf(e.row.Source)
	return b != nil && b.silent && b.stream == "" && t.silentSince(e) != 0 && ends > b.heard
}

// fallSilent makes a source silent since its last sign. What fired then is unknown from there on, and
// so is what was resolved after that: when nobody sends alerts any more, Alertmanager resolves them. It does not
// where only the stream is not read.
func (t *tenant) fallSilent(b *beat, why string) {
	b.silent, b.since = true, b.heard
	for _, a := range t.alertsOf(b.of) {
		if a.open == nil && b.stream == "" {
			t.unresolve(a, b)
		}
		if e := a.open; e != nil {
			if e.row.State == Unknown && e.said == 0 {
				e.hidden, e.hiddenBy = e.row.UnknownSince, 0 // before its source fell silent
			}
			e.back = 0
			t.judge(e)
		}
	}
	kind := Opened
	if b.row.ID != "" && b.row.State == IncidentResolved {
		kind = Reopened
	} else {
		key := EpisodeKey{t.name, b.of.name, string(Silent), b.since}
		b.row = Incident{Tenant: t.name, ID: t.fold.incidentID(key, 0), Kind: Silent, OpenedAt: b.since, Title: string(Silent) + ": " + b.of.name}
	}
	b.row.State, b.row.ResolvedAt = IncidentOpen, 0
	t.stepBeat(b, kind, b.since, why)
}

// unresolve opens the last episode of an alert again whose end was told after the last sign of life.
func (t *tenant) unresolve(a *alert, b *beat) {
	e := a.latest()
	if e == nil || e.row.State != Resolved || e.closedBy <= b.heard || e.row.EndsAt <= b.heard {
		return
	}
	a.ended = a.ended[:len(a.ended)-1]
	a.open = e
	e.told, e.toldAt = e.row.EndsAt, e.closedBy
	e.row.State, e.row.EndsAt = Firing, 0
	if e.incident != nil {
		e.incident.wokenAt, e.incident.wokenBy = max(b.heard, e.row.StartsAt), e
	}
	t.touch(e)
}

// hear ends a silence at an instant. Until its alerts are seen again, what was unknown remains so. What was
// told a moment before the sign of life, which comes but so often, was told by a source that lived. A stream
// holds all that was told meanwhile: once it is read to its end, what fired before and was not resolved in it fires.
func (t *tenant) hear(b *beat, at ingest.Millis, why string) {
	b.silent = false
	for _, a := range t.alertsOf(b.of) {
		e := a.open
		if e == nil || e.row.State != Unknown || e.said != 0 {
			continue
		}
		switch lived := max(b.since, at-b.every); {
		case b.stream != "":
			t.judge(e)
		case e.toldAt > lived:
			t.resolve(a, e.told, e.toldAt)
		case e.lastSeen > lived:
			e.hidden, e.hiddenBy = 0, 0
			t.judge(e)
		default:
			e.hidden, e.hiddenBy, e.back = e.row.UnknownSince, 0, at
			t.judge(e)
			t.watch(e)
		}
	}
	b.row.State, b.row.ResolvedAt = IncidentResolved, at
	t.stepBeat(b, Settled, at, why)
}

// closeSilence closes the incident of a silence that is over for longer than the reopen window.
func (t *tenant) closeSilence(b *beat) {
	b.row.State = IncidentClosed
	t.stepBeat(b, Closed, t.fold.now, closedReason(t.fold.reopenWindow()))
}

func (t *tenant) stepBeat(b *beat, kind TransitionKind, at ingest.Millis, why string) {
	if t.tells(b) {
		t.fold.steps = append(t.fold.steps, Transition{Tenant: t.name, Incident: b.row.ID, Kind: kind, At: at, Actor: actor, Reason: why})
	}
	t.touchBeat(b)
	t.watchBeat(b)
}

// tells says whether the incident of b's silence is shown here. Every partition notices at once that a stream is
// not read: it is one incident, that of the first.
func (t *tenant) tells(b *beat) bool {
	return b.stream == "" || !t.fold.shared || t.fold.partition == 0
}

func (t *tenant) touchBeat(b *beat) {
	if !b.dirty {
		b.dirty = true
		t.changedBeats = append(t.changedBeats, b)
	}
}

// watchBeat sets the timer of what b waits for.
func (t *tenant) watchBeat(b *beat) {
	if !b.silent && b.heard != 0 {
		t.fold.timers.push(timer{due: b.overdueAt(), kind: timerSilent, tenant: t, key: b.of.name, beat: b})
	}
	if b.row.State == IncidentResolved {
		t.fold.timers.push(timer{due: b.row.ResolvedAt + t.fold.reopenWindow(), kind: timerClose, tenant: t, key: b.row.ID, beat: b})
	}
}

// current tells whether b is declared now.
func (b *beat) current() bool { return b.of.beat == b }

// overdueAt is when b is silent unless a sign comes before. One that comes just in time is in time.
func (b *beat) overdueAt() ingest.Millis { return b.heard + b.every + 1 }

// flushBeats adds the incidents of silences that changed, and the silences.
func (t *tenant) flushBeats(out *Output) {
	slices.SortFunc(t.changedBeats, func(a, b *beat) int { return cmp.Compare(a.of.name, b.of.name) })
	for _, b := range t.changedBeats {
		b.dirty = false
		b.row.Services = t.watchedBy(b)
		if t.tells(b) {
			out.Incidents = append(out.Incidents, b.row)
		}
		out.Silences = append(out.Silences, Silence{
			Tenant: t.name, Source: b.of.name, Services: b.row.Services, From: b.since, To: b.row.ResolvedAt,
		})
	}
	t.changedBeats = t.changedBeats[:0]
}

// watchedBy lists the services of the catalogue that a source watches, as far as is known.
func (t *tenant) watchedBy(b *beat) []string {
	all := maps.Clone(b.of.services)
	for _, name := range b.services {
		all[name] = true
	}
	known := t.fold.resolver.catalogue
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return !known[name] })
}

// watches notes that a source sends alerts of a service.
func (t *tenant) watches(name, service string) {
	if !t.fold.resolver.catalogue[service] {
		return
	}
	s := t.source(name)
	s.seen = t.fold.now
	if s.services[service] {
		return
	}
	s.services[service] = true
	if s.beat != nil && s.beat.silent {
		t.touchBeat(s.beat)
	}
}

// silentSince is since when an episode is unknown because its source is silent; 0 where it is not. What
// was firing at the last sign of life is known up to that; what began later, as long as it was seen.
func (t *tenant) silentSince(e *episode) ingest.Millis {
	b := t.beatOf(e.row.Source)
	switch {
	case b == nil || !b.silent:
		return 0
	case e.row.StartsAt > b.heard:
		return max(e.row.StartsAt, e.lastSeen)
	}
	return b.heard
}
