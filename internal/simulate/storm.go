package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// StormOptions say how large a storm is. What is left zero takes its default.
type StormOptions struct {
	Seed     uint64
	Start    ingest.Millis // default 2026-03-02T00:00:00Z, a Monday
	Duration time.Duration // default 24 h
	Services int           // default 60
	Faults   int           // default 24
	Noise    int           // single alerts without a cause of note; default three a fault
	Flaps    int           // alerts that come and go some four to twelve times; default one for three faults
}

func (o StormOptions) withDefaults() StormOptions {
	if o.Start == 0 {
		o.Start = ingest.MillisOf(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	}
	if o.Duration == 0 {
		o.Duration = 24 * time.Hour
	}
	if o.Services == 0 {
		o.Services = 60
	}
	if o.Faults == 0 {
		o.Faults = 24
	}
	if o.Noise == 0 {
		o.Noise = 3 * o.Faults
	}
	if o.Flaps == 0 {
		o.Flaps = (o.Faults + 2) / 3
	}
	return o
}

func (o StormOptions) end() ingest.Millis { return o.Start + ingest.MillisIn(o.Duration) }

// Storm is a day, or some hours, in which far too much goes wrong: services,
// stores, nodes and now and then a whole zone break; a third of the faults of
// services follow a deployment; the alerts spread along dependencies of which the
// catalogue knows nine in ten, and a few that are no longer true. Between them
// are noise and flapping.
func Storm(o StormOptions) *Story {
	o = o.withDefaults()
	e := stormEstate(o)
	pair := usualPair()
	pair.interval, pair.late = 2*minute, 0.08 // a late firing may come after its own resolve
	s := &spreader{estate: e, dice: roll(o.Seed, "spread"), out: newFirings(pair.apart())}

	faults, changes := stormFaults(o, e)
	for _, f := range faults {
		s.play(f)
	}
	stormNoise(o, s)
	stormFlaps(o, s)

	sent := pair.notify(s.out.inOrder(), o.end(), roll(o.Seed, "network"))
	story := tell(pair, sent, changes, o.end())
	story.Catalogue = e.catalogue(roll(o.Seed, "catalogue"), 0.10, 0.05)
	story.blame(faults)
	return story
}

// play breaks what the fault is about.
func (s *spreader) play(f outage) {
	if slices.Contains(s.zones(), f.root) {
		s.breakZone(f)
		return
	}
	for _, n := range s.nodes {
		if n.name == f.root {
			s.breakNode(f, n)
			return
		}
	}
	troubles := serviceTroubles()
	if s.find(f.root).store {
		troubles = storeTroubles()
	}
	s.breakService(f, pick(s.dice, troubles))
}

// stormFaults decides what breaks and when, and which deployments there are.
func stormFaults(o StormOptions, e *estate) ([]outage, []change) {
	d := roll(o.Seed, "faults")
	length := o.end() - o.Start
	var faults []outage
	var changes []change
	for i := range o.Faults {
		from := o.Start + d.between(length/20, length-length/12)
		f := outage{fault: &fault{name: fmt.Sprintf("fault-%d", i)}, from: from}
		f.to = from + d.around(30*minute)
		f.pace = float64(80+d.IntN(270)) / 100
		f.root = e.victim(d, i, func(root string) bool { return recently(faults, root, from) })
		f.roots = e.rightAnswers(f.root)
		if e.deploys(f.root) && d.chance(0.33) {
			c := deployed(d, fmt.Sprintf("rollout-%s-%d", f.root, i), f.root, fmt.Sprintf("v1.%d.0", i), from-d.between(3*minute, 9*minute))
			f.change = c.ID
			changes = append(changes, c)
		}
		faults = append(faults, f)
	}
	for i := range 2 * o.Services {
		s := pick(d, e.services)
		changes = append(changes, deployed(d, fmt.Sprintf("rollout-%s-ok-%d", s.name, i), s.name, fmt.Sprintf("v0.%d.0", i), o.Start+d.between(0, length)))
	}
	return faults, changes
}

// victim chooses what breaks: mostly services and stores, every fifth time a
// node, and a zone in the twelfth fault. busy says what broke near that time already.
func (e *estate) victim(d dice, i int, busy func(string) bool) string {
	for range 20 {
		var root string
		switch {
		case i%12 == 11:
			root = pick(d, e.zones())
		case i%5 == 4:
			root = pick(d, e.nodes).name
		default:
			root = pick(d, e.services).name
		}
		if !busy(root) {
			return root
		}
	}
	return pick(d, e.services).name
}

// recently says whether root broke within two hours of at.
func recently(faults []outage, root string, at ingest.Millis) bool {
	for _, f := range faults {
		if f.root == root && at < f.to+2*hour && f.from < at+2*hour {
			return true
		}
	}
	return false
}

// rightAnswers are the names that say truly what broke: of a zone, its nodes as well.
func (e *estate) rightAnswers(root string) []string {
	answers := []string{root}
	for _, n := range e.nodes {
		if n.zone == root {
			answers = append(answers, n.name)
		}
	}
	return answers
}

// deploys says whether root is a service that is deployed by itself: no store, node or zone.
func (e *estate) deploys(root string) bool {
	for _, s := range e.services {
		if s.name == root {
			return !s.store
		}
	}
	return false
}

// stormNoise strews single alerts over the whole storm.
func stormNoise(o StormOptions, s *spreader) {
	d := roll(o.Seed, "noise")
	quiet := *s
	quiet.dice = d
	for i := range o.Noise {
		from := o.Start + d.between(0, o.end()-o.Start)
		sym := pick(d, bystanders())
		sym.odds, sym.within = 1, second
		on := pick(d, s.services)
		because := &fault{name: fmt.Sprintf("noise-%d", i), root: on.name, roots: []string{on.name}}
		quiet.raise(outage{fault: because, from: from, to: from + d.around(15*minute)}, on, oneOnly(sym), 0)
	}
}

// oneOnly keeps a symptom to a single pod.
func oneOnly(sym symptom) symptom {
	if sym.share > 0 {
		sym.share = 0.01
	}
	return sym
}

// stormFlaps lets some alerts come and go for hours.
func stormFlaps(o StormOptions, s *spreader) {
	d := roll(o.Seed, "flaps")
	for i := range o.Flaps {
		on := pick(d, s.services)
		because := &fault{name: fmt.Sprintf("flap-%d", i), root: on.name, roots: []string{on.name}}
		at := o.Start + d.between(0, (o.end()-o.Start)*3/4)
		labels := s.podLabels("BlackboxProbeFailed", "warning", on, pick(d, on.pods))
		for range 4 + d.IntN(9) {
			to := at + d.between(minute, 4*minute)
			s.out.add(firing{labels: labels, annotations: annotate(labels, on.name), from: at, to: to, because: because, service: on.name})
			at = to + d.between(5*minute, 11*minute)
		}
	}
}
