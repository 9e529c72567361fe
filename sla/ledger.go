package sla

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// Ledger folds episodes into the rows of service_ledger and sla_segments. It is
// one partition's state, owned by one goroutine, and deterministic: the same calls
// give the same rows.
//
// The order of calls for one record is Advance(fold time), then Configure, Maintain or
// Apply with what changed in correlation, then Flush. Where another stage has
// timers too, the owner advances all of them to the earliest one at a time. Rows carry
// their RecordedAt: the time of the midnight that made them, or fold time. So a
// journal without ticks gives the same rows as with them. Addresses are the owner's.
//
// # What counts
//
// A service is in the worst state that its episodes give it: down, then unknown, then
// degraded. What an episode means is decided by the first impact rule that matches
// when it is first seen, and stands; rules that are changed later are for
// episodes that come later. An episode without impact is none, also when it turns unknown.
//
// While a source is silent that watches a service, the service is unknown unless it is known to be down.
//
// Coverage of a service begins when a configuration first names it and ends when
// one no longer does. An episode counts as covered by itself before that, and not
// in a time in which the service was taken out. Rows exist for services that
// are or were configured; what was seen of another one is kept until it is.
//
// Maintenance is what the configuration plans and what a tenant was told of in windows that were sent. A window is
// known by its tenant, source and id; what is told of it last counts, see [Ledger.Maintain]. One of a service
// that is not configured is kept until it is.
//
// Every tenant has the same catalogue. The default tenant has rows for all of it that is
// in the ledger's share, another one for the services of which it has sent an alert.
//
// # Restating
//
// Rows are a function of the episodes, the coverage, the windows and the configuration of now. A
// change takes back the rows that the function no longer gives and adds those
// that it gives anew, and no others. So a late episode, and maintenance or a calendar
// that is told or changed afterwards, restate days that have passed. Days older than RestateDays
// are closed: they stand as they were written, and what would change them counts from
// the closing on. That bounds what is kept: the steps of so many days, a window that was sent
// until so many days and a margin after its end, and of an episode only what it
// contributed, until a day after it was last heard of resolved. What comes for it
// later can only be a longer end, and adding that needs no memory of it.
//
// An agreement that is taken out of the configuration keeps its rows to the end of the
// day; one that is put in gets the rows of the days that are not closed.
type Ledger struct {
	share    Share
	now      ingest.Millis
	rules    []impactRule // the root's, then the default
	source   []ImpactRule // what rules were made of, without the default
	services map[string]*service
	series   map[seriesKey]*series
	episodes map[correlate.EpisodeKey]*contribution
	silences map[silenceKey]*contribution
	windows  map[string]map[sentKey]*sentWindow // of maintenance that was sent, by tenant
	sent     map[seriesKey]line                 // how many of them hold
	utc      *zone
	zones    map[string]*zone   // that agreements are in, by name
	hours    map[string]*agreed // of agreements, by the calendar's content
	changes  []change           // not yet netted
	out      Output             // netted, not yet flushed
}

// NewLedger returns the only ledger, which knows nothing yet.
func NewLedger() *Ledger { return NewSharedLedger(Share{}) }

// NewSharedLedger returns one of several ledgers: that of a partition.
func NewSharedLedger(share Share) *Ledger {
	l := &Ledger{
		share:    share,
		services: make(map[string]*service),
		series:   make(map[seriesKey]*series),
		episodes: make(map[correlate.EpisodeKey]*contribution),
		silences: make(map[silenceKey]*contribution),
		windows:  make(map[string]map[sentKey]*sentWindow),
		sent:     make(map[seriesKey]line),
		utc:      &zone{name: DefaultZone, loc: time.UTC},
		zones:    make(map[string]*zone),
		hours:    make(map[string]*agreed),
	}
	l.rules, _ = newImpact(DefaultImpact())
	return l
}

// service is what the configuration says, or said, of one service.
type service struct {
	name       string
	present    bool // in the configuration of now
	impact     []impactRule
	rules      []ImpactRule  // what impact was made of
	since      ingest.Millis // when it was first configured
	cover      Set           // its last interval ends at Forever while it is present
	planned    Set
	agreements []*agreement // by name; the first is the service itself
	series     []*series
}

// agreement is under what a service's segments are made.
type agreement struct {
	name  string
	zone  *zone
	hours *agreed       // nil is always; services of one calendar share it
	since ingest.Millis // what lies before is closed: 0, or a midnight after a change of zone
	until ingest.Millis // the midnight that it ended at, or 0
}

// seriesKey names the measurements of one service of one tenant.
type seriesKey struct{ tenant, service string }

// series are the episodes of one service of one tenant over time.
type series struct {
	seriesKey
	of   *service // nil until it is configured
	line line
}

// silenceKey names what one silence of a source means for one service.
type silenceKey struct {
	tenant, source, service string
	from                    ingest.Millis
}

// contribution is what one episode or silence adds to its series.
type contribution struct {
	to      *series
	impact  rank
	pieces  [2]piece
	done    bool          // its end is known, or will not be
	touched ingest.Millis // when it was last heard of
}

// piece is a rank over an interval.
type piece struct {
	Interval
	rank rank
}

// How long a contribution is kept whose end is known. An unknown one may turn out to have ended
// otherwise, as long as its incident is not forgotten.
const (
	rememberResolved = ingest.Day
	rememberUnknown  = 7 * ingest.Day
)

// closed returns the midnight before which nothing changes any more.
func (l *Ledger) closed() ingest.Millis {
	today := ingest.Millis(floorDiv(int64(l.now), day) * day)
	return today - RestateDays*ingest.Day
}

// margin is how much longer than open days steps are kept, so that the oldest
// local day of every zone is known from its beginning, also after a change of zone.
const margin = 3 * ingest.Day

// oldest returns from when on steps are kept.
func (l *Ledger) oldest() ingest.Millis { return l.closed() - margin }

// NextTimer returns the next midnight of any zone in use; false where there is
// nothing to measure.
func (l *Ledger) NextTimer() (ingest.Millis, bool) {
	if len(l.services) == 0 && len(l.series) == 0 && len(l.windows) == 0 {
		return 0, false
	}
	next := l.utc.day(l.now).To
	for _, z := range l.zones {
		next = min(next, z.day(l.now).To)
	}
	return next, true
}

// Advance moves fold time to now. At each midnight on the way it writes the rows of
// the day that begins.
func (l *Ledger) Advance(now ingest.Millis) {
	for {
		due, ok := l.NextTimer()
		if !ok || due > now {
			break
		}
		l.seal()
		l.now = due
		l.begin(due)
		l.seal()
	}
	l.now = max(l.now, now)
}

// begin writes the rows of the days that begin at t, and drops what is too old.
func (l *Ledger) begin(t ingest.Millis) {
	if l.utc.day(t).From == t {
		l.forget()
	}
	for _, s := range l.series {
		for v, name := range l.views(s) {
			if today := v.zone.day(t); today.From == t {
				l.write(s, name, &v, today, +1)
			}
		}
	}
}

// forget drops steps of closed days and episodes that are long resolved.
func (l *Ledger) forget() {
	oldest := l.oldest()
	for key, s := range l.series {
		s.line.forget(oldest)
		if s.of == nil && len(s.line) == 0 {
			delete(l.series, key)
		}
	}
	for key, c := range l.episodes {
		if c.past(l.now) {
			delete(l.episodes, key)
		}
	}
	for key, c := range l.silences {
		if c.past(l.now) {
			delete(l.silences, key)
		}
	}
	l.forgetWindows(oldest)
}

// past tells whether nothing more is expected of c but a longer end, which needs no memory of it.
func (c *contribution) past(now ingest.Millis) bool {
	if c.pieces[1].Empty() {
		return c.done && c.touched < now-rememberResolved
	}
	return c.done && c.touched < now-rememberUnknown
}

// Apply folds the current rows of episodes that changed.
func (l *Ledger) Apply(episodes []correlate.Episode) {
	for i := range episodes {
		l.apply(&episodes[i])
	}
}

func (l *Ledger) apply(e *correlate.Episode) {
	old := l.episodes[e.EpisodeKey]
	next := &contribution{
		to:   l.seriesOf(seriesKey{cmp.Or(e.Tenant, ingest.DefaultTenant), e.Service}),
		done: e.Over(), touched: l.now,
	}
	if old != nil && old.to.service == e.Service {
		next.impact = old.impact
	} else {
		next.impact = l.impact(e)
	}
	next.pieces = pieces(e, next.impact)
	l.episodes[e.EpisodeKey] = next
	l.exchange(old, next)
}

// Silence folds silences of sources that changed: while one lasts, nothing is known of the services that the
// source watches, but for what others say is down. A service that is not named any more while one lasts was not
// watched; of a silence that is over, what was said stands.
func (l *Ledger) Silence(silences []correlate.Silence) {
	for _, s := range silences {
		tenant := cmp.Or(s.Tenant, ingest.DefaultTenant)
		l.unwatch(tenant, s)
		for _, service := range s.Services {
			key := silenceKey{tenant, s.Source, service, s.From}
			next := &contribution{
				to: l.seriesOf(seriesKey{tenant, service}), impact: rankUnknown, done: s.To != 0, touched: l.now,
				pieces: [2]piece{{Interval{s.From, cmp.Or(s.To, Forever)}, rankUnknown}, {}},
			}
			l.exchange(l.silences[key], next)
			l.silences[key] = next
		}
	}
}

// unwatch takes back what a silence that lasts contributes to services that it does not name any more.
func (l *Ledger) unwatch(tenant string, s correlate.Silence) {
	for key, old := range l.silences {
		same := key == silenceKey{tenant, s.Source, key.service, s.From}
		if same && !old.done && !slices.Contains(s.Services, key.service) {
			l.exchange(old, &contribution{to: old.to})
			delete(l.silences, key)
		}
	}
}

// exchange puts what is contributed now in the place of what was before, nil for nothing.
func (l *Ledger) exchange(old, next *contribution) {
	if old == nil {
		old = &contribution{to: next.to}
	}
	for k, was := range old.pieces {
		is := next.pieces[k]
		if old.to != next.to || was.rank != is.rank {
			l.add(old.to, was.rank, was.Interval, -1)
			l.add(next.to, is.rank, is.Interval, +1)
			continue
		}
		for _, i := range is.Minus(was.Interval) {
			l.add(next.to, is.rank, i, +1)
		}
		for _, i := range was.Minus(is.Interval) {
			l.add(next.to, is.rank, i, -1)
		}
	}
}

// impact returns what an episode means for its service.
func (l *Ledger) impact(e *correlate.Episode) rank {
	if s := l.services[e.Service]; s != nil {
		if r, ok := impactOf(s.impact, e.Labels); ok {
			return r
		}
	}
	r, _ := impactOf(l.rules, e.Labels)
	return r
}

// pieces returns what an episode of an impact contributes: that, and unknown from when it is not
// known any more whether it fires, until it is known not to.
func pieces(e *correlate.Episode, impact rank) [2]piece {
	if impact == rankUp {
		return [2]piece{}
	}
	end := cmp.Or(e.End(), Forever)
	p := [2]piece{{Interval{e.StartsAt, end}, impact}, {}}
	if e.State == correlate.Unknown {
		p[1] = piece{Interval{end, cmp.Or(e.EndsAt, Forever)}, rankUnknown}
	}
	return p
}

// seriesOf returns the series of that name. A new one of a configured service gets
// the rows of its coverage.
func (l *Ledger) seriesOf(key seriesKey) *series {
	s := l.series[key]
	if s != nil {
		return s
	}
	s = &series{seriesKey: key, of: l.services[key.service]}
	l.series[key] = s
	if s.of != nil {
		s.of.series = append(s.of.series, s)
		for v, name := range l.views(s) {
			l.write(s, name, &v, v.open, +1)
		}
	}
	return s
}

// add adds delta episodes of a rank over i to s, and restates the rows that
// it changes.
func (l *Ledger) add(s *series, r rank, i Interval, delta int32) {
	i.From = max(i.From, l.closed())
	if i.Empty() || r == rankUp {
		return
	}
	changed := s.line.changed(i, r, delta)
	if s.of == nil || changed.Empty() {
		s.line.add(i, r, delta)
		return
	}
	l.restate(s, changed, func() { s.line.add(i, r, delta) })
}

// restate makes a change of what s shows within i, and notes the rows that differ after it.
func (l *Ledger) restate(s *series, i Interval, change func()) {
	var around []Interval
	for v, name := range l.views(s) {
		i := v.around(i)
		around = append(around, i)
		l.write(s, name, &v, i, -1)
	}
	change()
	k := 0
	for v, name := range l.views(s) {
		l.write(s, name, &v, around[k], +1)
		k++
	}
}

// table says where a row goes: service_ledger, or an agreement's segments.
type table struct {
	segments  bool
	agreement string
}

// views yields what is shown of s, the ledger's two layers first.
func (l *Ledger) views(s *series) func(yield func(view, table) bool) {
	return func(yield func(view, table) bool) {
		if s.of == nil {
			return
		}
		v := view{layer: layerStates, line: s.line, since: s.of.since, cover: s.of.cover, zone: l.utc}
		v.open = Interval{l.oldest(), v.zone.day(l.now).To}
		if !yield(v, table{}) {
			return
		}
		v.layer = layerCovered
		if !yield(v, table{}) {
			return
		}
		for _, a := range s.of.agreements {
			if !yield(l.segments(s, a), table{true, a.name}) {
				return
			}
		}
	}
}

// segments returns the view of s under an agreement of its service.
func (l *Ledger) segments(s *series, a *agreement) view {
	return view{
		layer: layerSegments, line: s.line, since: s.of.since, cover: s.of.cover, zone: a.zone,
		hours: a.hours, maintenance: s.of.planned, sent: l.sent[s.seriesKey], open: l.open(a),
	}
}

// open returns the days of an agreement whose rows may change: whole days of its zone.
func (l *Ledger) open(a *agreement) Interval {
	i := Interval{a.zone.midnightFrom(l.oldest()), a.zone.day(l.now).To}
	i.From = max(i.From, a.since)
	if a.until != 0 {
		i.To = min(i.To, a.until)
	}
	return i
}

// change is a row to be added (+1) or taken back (-1).
type change struct {
	of *series
	table
	cell
	Interval
	sign int8
}

// write notes the rows of v within i as added or taken back.
func (l *Ledger) write(s *series, to table, v *view, i Interval, sign int8) {
	v.rows(i, func(c cell, i Interval) {
		l.changes = append(l.changes, change{s, to, c, i, sign})
	})
}

func (c *change) compare(o *change) int {
	if c.of != o.of {
		if n := cmp.Or(cmp.Compare(c.of.tenant, o.of.tenant), cmp.Compare(c.of.service, o.of.service)); n != 0 {
			return n
		}
	}
	return cmp.Or(
		cmp.Compare(c.agreement, o.agreement), cmp.Compare(c.From, o.From), cmp.Compare(c.To, o.To),
		cmp.Compare(c.bucket, o.bucket), cmp.Compare(c.state, o.state))
}

// seal nets what changed since the last time and makes rows of it, recorded now.
// A row that was taken back and added again is no change.
func (l *Ledger) seal() {
	slices.SortFunc(l.changes, func(a, b change) int {
		if a.segments != b.segments {
			if b.segments {
				return -1
			}
			return 1
		}
		return a.compare(&b)
	})
	for k := 0; k < len(l.changes); {
		c, net := l.changes[k], int8(0)
		for ; k < len(l.changes) && l.changes[k].segments == c.segments && l.changes[k].compare(&c) == 0; k++ {
			net += l.changes[k].sign
		}
		if net != 0 {
			l.emit(&c, net)
		}
	}
	l.changes = l.changes[:0]
}

func (l *Ledger) emit(c *change, sign int8) {
	if c.segments {
		l.out.Segments = append(l.out.Segments, SegmentRow{
			RecordedAt: l.now, Tenant: c.of.tenant, Service: c.of.service, Agreement: c.agreement,
			Bucket: c.bucket, State: c.state, From: c.From, To: c.To, Sign: sign,
		})
		return
	}
	l.out.Ledger = append(l.out.Ledger, LedgerRow{
		RecordedAt: l.now, Tenant: c.of.tenant, Service: c.of.service,
		State: c.state, From: c.From, To: c.To, Sign: sign,
	})
}

// Flush returns the rows of all that changed since the last Flush, with
// RecordedAt and without addresses, in a full order within each instant.
func (l *Ledger) Flush() Output {
	l.seal()
	out := l.out
	l.out = Output{}
	return out
}
