package correlate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Output is what a record changed, in order, without addresses: the owner of the
// partition gives each row its address and recorded_at.
type Output struct {
	Episodes    []Episode
	Transitions []Transition
	Incidents   []Incident
	Silences    []Silence
}

// Fold is one partition's state of episodes and incidents, owned by one goroutine.
//
// The order of calls for one record is Advance(fold time), then Configure or
// Apply for each of its events in order, then Flush.
//
// What incidents there are is a function of the set of episodes and changes and of the
// configuration, not of the order of their arrival: every episode has a place on a
// line, which is its start, but at most [lookBack] before its first delivery; the line is decided
// in that order, and from an episode's place on anew when it comes late. Nothing crosses tenants.
//
// After an extraordinary burst deciding is put off by a moment of fold time: NextTimer says
// until when, and new episodes stand where they most likely belong meanwhile.
type Fold struct {
	partition uint32
	shared    bool // one of several folds: a source may be heard of by the others alone
	config    Config
	resolver  *resolver
	model     *model
	now       ingest.Millis
	tenants   map[string]*tenant
	timers    timers
	touched   []*tenant    // that may have changed since the last Flush
	steps     []Transition // since then
	room      []byte       // scratch; see sayingOf
}

// New returns the empty fold of a partition, with the defaults and no services.
func New(partition uint32) *Fold {
	f := &Fold{partition: partition, tenants: map[string]*tenant{}}
	if err := f.Configure(Config{}); err != nil {
		panic(err) // the empty configuration has no matcher that could be wrong
	}
	return f
}

// NewShared returns the empty fold of one of several partitions. It expects a source's heartbeat from the
// first sign of life on that comes to it: who has never sent anything here is not silent here.
func NewShared(partition uint32) *Fold {
	f := New(partition)
	f.shared = true
	return f
}

// Configure replaces the configuration from here on. What is decided for good
// stays; the rest is decided anew. On an error the configuration stays as it was.
func (f *Fold) Configure(c Config) error {
	c = c.withDefaults()
	r, err := newResolver(c)
	if err != nil {
		return err
	}
	beats, err := newBeats(c.Heartbeats)
	if err != nil {
		return err
	}
	f.config, f.resolver, f.model = c, r, newModel(c)
	f.declare(beats)
	for _, t := range f.ordered() {
		f.touch(t)
		t.reconfigure()
	}
	f.rebuildTimers()
	return nil
}

// Advance moves fold time to now and fires what is due, in order of (due, key).
// A now before fold time changes nothing.
func (f *Fold) Advance(now ingest.Millis) {
	for {
		t, ok := f.timers.next()
		if !ok || t.due > now {
			break
		}
		f.timers.pop()
		f.now = max(f.now, t.due)
		f.fire(t)
	}
	f.now = max(f.now, now)
}

// NextTimer returns when something is due next; false where nothing waits.
func (f *Fold) NextTimer() (ingest.Millis, bool) {
	t, ok := f.timers.next()
	return t.due, ok
}

// Apply folds one event.
func (f *Fold) Apply(e ingest.Event) Outcome {
	t := f.tenant(cmp.Or(e.Tenant, ingest.DefaultTenant))
	f.touch(t)
	if t.sign(&e) {
		return Outcome{}
	}
	switch {
	case e.Alert != nil:
		return t.observe(e.Source, e.ReceivedAt, e.Alert)
	case e.Change != nil:
		return Outcome{Refused: t.change(e.ReceivedAt, *e.Change)}
	}
	return Outcome{}
}

// Flush returns the current rows of all that changed since the last Flush:
// one row an episode and one an incident, however often they changed, by
// tenant and key; and the steps of incidents, those of timers first.
func (f *Fold) Flush() Output {
	var out Output
	slices.SortFunc(f.touched, compareTenants)
	for _, t := range f.touched {
		t.settle()
	}
	for _, t := range f.touched {
		t.flush(&out)
		t.touched = false
	}
	f.touched = f.touched[:0]
	out.Transitions = append(f.steps, out.Transitions...)
	f.steps = nil
	return out
}

func (f *Fold) tenant(name string) *tenant {
	t := f.tenants[name]
	if t == nil {
		t = newTenant(f, name)
		f.tenants[name] = t
	}
	return t
}

// touch says that t may have changed.
func (f *Fold) touch(t *tenant) {
	if !t.touched {
		t.touched = true
		f.touched = append(f.touched, t)
	}
}

// ordered returns the tenants by name.
func (f *Fold) ordered() []*tenant {
	tenants := make([]*tenant, 0, len(f.tenants))
	for _, name := range slices.Sorted(maps.Keys(f.tenants)) {
		tenants = append(tenants, f.tenants[name])
	}
	return tenants
}
