package correlate

import (
	"cmp"
	"math"

	"github.com/evenkeel/evenkeel/ingest"
)

// rootKind says what kind of thing a fault can be in.
type rootKind uint8

const (
	rootService rootKind = iota // a service of the catalogue
	rootShared                  // what a label names: a host, a zone
	rootAlert                   // the alert itself, which comes and goes
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
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
}

// root is an interned rootKey with what a search notes beside it.
type root struct {
	rootKey
	slot int32 // of the search that stamped it
	run  uint64
}

// cover says that a fault in root makes an episode like the one that holds this,
// and how much more likely that is than the background: the logarithm of the
// expected episodes over the background rate, per second.
type cover struct {
	root *root
	gain float64
}

// model turns settings into logarithms once.
type model struct {
	Grouping
	topology   *topology
	background float64       // log of the rate per second
	delay      float64       // seconds
	cell       ingest.Millis // length of a cell of the decision line
}

// Weights of what is not worth a setting: how likely a fault is in each kind of
// root, as a share of all reasons to alert, and how much sizes of faults of one
// root differ (the shape of a gamma distribution; 2 is a coefficient of variation of 0.7).
const (
	priorService = 0.3
	priorShared  = 0.1
	priorAlert   = 0.2
	sizeShape    = 2.0
	alertSize    = 3.0 // episodes of one unstable alert
	changeFactor = 5.0 // how much more often a service fails soon after a change
)

func newModel(c Config) *model {
	g := c.Grouping
	return &model{
		Grouping:   g,
		topology:   newTopology(c.Services, g),
		background: math.Log(g.Background / 3600),
		delay:      float64(g.Delay) / 1000,
		cell:       ingest.Millis(g.Span) / cellsPerSpan,
	}
}

// explain lists what could explain e, best known first: its service and all that it depends on,
// everything that its labels name, and its own instability.
func (m *model) explain(e *episode, intern func(rootKey) *root) []cover {
	var covers []cover
	add := func(key rootKey, expected float64) {
		covers = append(covers, cover{intern(key), math.Log(expected) - m.background})
	}
	catalogued := m.topology.below[e.row.Service]
	for _, s := range catalogued {
		add(rootKey{kind: rootService, name: s.service}, m.expected(s.hops))
	}
	own := len(catalogued) > 0
	for _, l := range e.row.Labels {
		if l.Name == alertNameLabel || own && l.Value == e.row.Service {
			continue
		}
		add(rootKey{rootShared, l.Name, l.Value}, m.Shared)
	}
	add(e.alertRoot(own), alertSize)
	return covers
}

// alertRoot is the root of e being unstable by itself.
func (e *episode) alertRoot(catalogued bool) rootKey {
	if catalogued {
		return rootKey{rootAlert, e.row.Service, e.row.AlertName}
	}
	return rootKey{rootAlert, e.row.Fingerprint, e.row.AlertName}
}

// timing is the logarithm of the density of an episode so long after the first
// of its incident, per second.
func (m *model) timing(after ingest.Millis) float64 {
	return -float64(after)/1000/m.delay - math.Log(m.delay)
}

// size is the logarithm of the weight of n episodes where expected are expected,
// by a Poisson count whose mean varies as a gamma distribution does.
func size(n int, expected float64) float64 {
	a, _ := math.Lgamma(sizeShape + float64(n))
	b, _ := math.Lgamma(sizeShape)
	return a - b + sizeShape*math.Log(sizeShape) - (sizeShape+float64(n))*math.Log(sizeShape+expected)
}

// oneMore is what size grows by with one more episode than n.
func oneMore(n int, expected float64) float64 {
	return math.Log((sizeShape + float64(n)) / (sizeShape + expected))
}

// inReach tells whether an episode at a place can still belong to an explanation.
func (m *model) inReach(kind rootKind, from, last, at ingest.Millis) bool {
	if kind == rootAlert {
		return at >= from && at-last <= ingest.Millis(m.Span)
	}
	return at >= from && at-from <= ingest.Millis(m.Span)
}

// since is the density of an episode's place within an explanation: after the
// first episode, or, of what comes and goes, after the one before.
func (m *model) since(kind rootKind, from, last, at ingest.Millis) float64 {
	if kind == rootAlert {
		span := float64(m.Span) / 1000
		return -float64(max(at-last, 0))/1000/span - math.Log(span)
	}
	return m.timing(at - from)
}

// prior is how likely a fault is in r at that time, as a logarithm.
func (l *line) prior(r *root, at ingest.Millis) float64 {
	switch r.kind {
	case rootService:
		if l.changeBefore(r, at) != nil {
			return math.Log(priorService * changeFactor)
		}
		return math.Log(priorService)
	case rootShared:
		return math.Log(priorShared)
	default:
		return math.Log(priorAlert)
	}
}

// expects is how many episodes a fault in r is expected to make in all.
func (l *line) expects(r *root, cell int64) float64 {
	m := l.model
	switch r.kind {
	case rootService:
		return m.topology.reach[r.name]
	case rootShared:
		return m.Shared * l.known.meeting(r.name, cell, m.topology.size)
	default:
		return alertSize
	}
}
