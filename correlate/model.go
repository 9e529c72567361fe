package correlate

import (
	"cmp"
	"math"
	"sort"

	"github.com/evenkeel/evenkeel/ingest"
)

// rootKind says what kind of thing a fault can be in.
type rootKind uint8

const (
	rootService rootKind = iota // a service of the catalogue
	rootShared                  // what a label names: a host, a zone
	rootAlert                   // the alert itself, which comes and goes
	siteFar                     // no root: a service as a site that is reached through another one
)

// rootKey names a thing that a fault can be in.
//
//	service: name is the service
//	shared:  name and value are a label's
//	alert:   name is the service, or the fingerprint without one; value is the alert's name
type rootKey struct {
	kind        rootKind
	name, value string
}

func compareRoots(a, b rootKey) int {
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	if a.name != b.name {
		return cmp.Compare(a.name, b.name)
	}
	return cmp.Compare(a.value, b.value)
}

// root is an interned rootKey with what a search notes beside it.
type root struct {
	rootKey
	slot     int32 // of the search that stamped it
	run      uint64
	number   int32 // as a site, of the search that numbered it
	numbered uint64
}

// cover says that a fault in root can be felt where the episode is that holds
// this, and how likely that is, as a logarithm.
type cover struct {
	root  *root
	share float64
	hops  int // of a service: how many dependencies away
}

// model turns settings into logarithms once. A fault begins somewhere, is felt
// at sites (a service, or an alert that has none), and makes alerts at each.
//
//	weight of a fault  = how likely it begins × Π over sites × Π over further alerts at a site
//	a site             = share of such sites that feel it × density of its delay / background
//	an alert at a site = alerts a site makes × density of its delay / background
//
// Background is the rate at which a site begins to alert for a reason of its own: what
// lies above it speaks for belonging together.
type model struct {
	Grouping
	topology   *topology
	background float64       // log of the rate per second
	own        float64       // log of the episodes of an alert at a site
	delay      mean          // of a site
	burst      mean          // of an alert after the first of its kind at its site
	recurs     mean          // of an alert that comes and goes
	further    float64       // weight of an alert right after the first at its site
	reopen     ingest.Millis // how long after its end an alert that fires again resumes it
	cell       ingest.Millis // length of a cell of the decision line
}

// What is not worth a setting.
const (
	// The share of reasons to alert that lie in each kind of root.
	priorService = 0.3
	priorShared  = 0.1
	priorAlert   = 0.2
	// How much the number of sites differs between faults of one root: the shape of a
	// gamma distribution. 2 is a coefficient of variation of 0.7, 20 one of 0.2.
	serviceShape = 2.0
	sharedShape  = 20.0

	leastShared  = 3     // sites of something shared before what depends on them is thought to feel it too
	changeFactor = 5.0   // how much more often a service fails soon after a change
	recurrence   = 600.0 // seconds between two episodes of an alert that comes and goes
)

// Logarithms of shares.
var (
	logSilent   = math.Log(0.1) // of faults that are not seen where they are
	logIndirect = math.Log(0.2) // of what depends on a service that feels a fault of something shared
)

func newModel(c Config) *model {
	g := c.Grouping
	m := &model{
		Grouping:   g,
		topology:   newTopology(c.Services, g),
		background: math.Log(g.Background / 3600),
		own:        math.Log(g.Own),
		delay:      meanOf(float64(g.Delay) / 1000),
		burst:      meanOf(float64(g.Burst) / 1000),
		recurs:     meanOf(recurrence),
		reopen:     ingest.Millis(c.ReopenWindow),
		cell:       ingest.Millis(g.Span) / cellsPerSpan,
	}
	m.further = m.repeat(0)
	return m
}

// explain lists what could explain e: its service and all that it depends on,
// everything that its labels name, and its own instability; and the site where it is felt.
func (m *model) explain(e *episode, intern func(rootKey) *root) {
	below := m.topology.below[e.row.Service]
	e.covers = make([]cover, 0, len(below)+len(e.row.Labels)+1)
	for _, s := range below {
		e.covers = append(e.covers, cover{intern(rootKey{kind: rootService, name: s.service}), m.share(s.hops), s.hops})
	}
	e.direct = sort.Search(len(below), func(i int) bool { return below[i].hops > 1 })
	for _, l := range e.row.Labels {
		if l.Name == alertNameLabel || l.Name == severityLabel || len(below) > 0 && l.Value == e.row.Service {
			continue // it says what is wrong and how badly, or names the service: nothing that others share
		}
		e.covers = append(e.covers, cover{intern(rootKey{rootShared, l.Name, l.Value}), math.Log(m.Shared), 0})
	}
	unstable := rootKey{rootAlert, e.row.Fingerprint, e.row.AlertName}
	if len(below) > 0 {
		unstable.name = e.row.Service
	}
	e.covers = append(e.covers, cover{intern(unstable), 0, 0})
	if len(below) == 0 {
		e.site, e.far = e.unstable(), nil
		return
	}
	e.site, e.far = e.covers[0].root, intern(rootKey{kind: siteFar, name: e.row.Service})
}

// unstable is the root of e's alert coming and going by itself.
func (e *episode) unstable() *root { return e.covers[len(e.covers)-1].root }

// share is how likely a fault so many dependencies away is felt, as a logarithm.
func (m *model) share(hops int) float64 { return float64(hops) * math.Log(m.Spread) }

// expectation is how many sites a fault in a root is felt at: the mean, and the shape
// of the gamma distribution by which the mean differs from fault to fault. What
// hits a host hits nearly all that is on it; how far a fault of a service spreads differs more.
type expectation struct {
	sites, shape float64
	tells        float64 // weight of each alert that has the label
	none         bool    // no fault is thought of in such a root
}

// size is the logarithm of the weight of n sites.
func (x expectation) size(n int) float64 {
	a, _ := math.Lgamma(x.shape + float64(n))
	b, _ := math.Lgamma(x.shape)
	return a - b + x.shape*math.Log(x.shape) - (x.shape+float64(n))*math.Log(x.shape+x.sites)
}

// oneMore is what size grows by with one more site than n.
func (x expectation) oneMore(n int) float64 {
	return math.Log((x.shape + float64(n)) / (x.shape + x.sites))
}

// inReach tells whether an episode at a place can still belong to an explanation.
func (m *model) inReach(kind rootKind, from, last, at ingest.Millis) bool {
	if kind == rootAlert {
		return at >= from && at-last <= ingest.Millis(m.Span)
	}
	return at >= from && at-from <= ingest.Millis(m.Span)
}

// delayed is the log density of a delay with a mean, both in the same direction of time.
func (d mean) delayed(after ingest.Millis) float64 {
	return -math.Abs(float64(after))/1000/d.seconds - d.log
}

// mean is a mean delay with its logarithm.
type mean struct{ seconds, log float64 }

func meanOf(seconds float64) mean { return mean{seconds, math.Log(seconds)} }

// onset is the weight of a site's first alert so long after the one that it follows,
// less that of an alert in a burst, which every alert counts.
func (m *model) onset(share float64, after ingest.Millis) float64 {
	return share + m.delay.delayed(after) - m.background - m.further
}

// another is the weight of an alert of a kind that was not seen at the site before,
// so long after the first one there.
func (m *model) another(after ingest.Millis) float64 {
	return m.own + m.delay.delayed(after) - m.background
}

// repeat is the weight of an alert so long after the first of its kind at the site.
func (m *model) repeat(after ingest.Millis) float64 {
	return m.own + m.burst.delayed(after) - m.background
}

// again is the weight of an alert so long after the same one fired before.
func (m *model) again(after ingest.Millis) float64 {
	return m.recurs.delayed(after) - m.background
}

// prior is how likely a fault begins in r at that time, as a logarithm.
func (l *line) prior(r *root, at ingest.Millis) float64 {
	begins := l.model.background + l.model.delay.log // onset counts the delay of the first site
	switch r.kind {
	case rootService:
		if l.changeBefore(r, at) != nil {
			begins += math.Log(changeFactor)
		}
		return begins + math.Log(priorService)
	case rootShared:
		return begins + math.Log(priorShared)
	default:
		return begins + math.Log(priorAlert)
	}
}

// expects is at how many sites a fault in r is expected to be felt.
func (l *line) expects(r *root, cell int64) expectation {
	m := l.model
	switch r.kind {
	case rootService:
		return expectation{sites: m.topology.reach[r.name], shape: serviceShape}
	case rootShared:
		known := l.known.sharing(r.name, cell, m.topology.size)
		return expectation{sites: m.Shared * known.meet, shape: sharedShape, tells: known.tells, none: !known.names}
	default:
		return expectation{sites: 1, shape: serviceShape}
	}
}
