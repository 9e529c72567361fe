package simulate

import (
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// symptom is an alert that a broken thing raises about itself.
type symptom struct {
	alert    string
	severity string
	share    float64       // of the pods that raise it; 0 is one alert on the service as a whole
	odds     float64       // that it is raised at all
	after    ingest.Millis // of the fault, at the earliest
	within   ingest.Millis // then so long until it is raised
}

// trouble is a way of being broken.
type trouble struct {
	name     string
	symptoms []symptom
	callers  []symptom // what callers of the broken service raise, one hop away
	reach    float64   // odds that a caller notices; each hop further has them again
	starved  float64   // odds that a service which the broken one calls misses its requests
}

// spreader turns faults into firings.
type spreader struct {
	*estate
	dice
	out *firings
}

// outage is one fault with its span.
type outage struct {
	*fault
	from, to ingest.Millis // to 0: it is not over when the story ends
	pace     float64       // by which every delay of its spread is multiplied; 0 is 1
}

// paced returns the length d at the pace of the outage.
func (o outage) paced(d ingest.Millis) ingest.Millis {
	if o.pace == 0 {
		return d
	}
	return ingest.Millis(float64(d) * o.pace)
}

// breakService plays trouble at one service, at those who call it, who call
// them, and at those who now hear nothing from it.
func (s *spreader) breakService(o outage, t trouble) {
	root := s.find(o.root)
	raised := false
	for _, sym := range t.symptoms {
		raised = s.raise(o, root, sym, 0) || raised
	}
	if !raised { // a fault that nobody sees is none: its first symptom is sure
		sure := t.symptoms[0]
		sure.odds = 1
		s.raise(o, root, sure, 0)
	}
	s.climb(o, t, root)
	for _, name := range root.calls {
		if s.chance(t.starved) {
			s.raise(o, s.find(name), symptom{"TrafficAbsent", "warning", 0, 1, 2 * minute, 2 * minute}, 0)
		}
	}
}

// climb carries the trouble to the callers, hop by hop, later and thinner each time.
func (s *spreader) climb(o outage, t trouble, root *service) {
	reached := []*service{root}
	odds, delay := t.reach, ingest.Millis(0)
	for frontier := reached; len(frontier) > 0; {
		delay += o.paced(s.between(15*second, 50*second))
		var further []*service
		for _, broken := range frontier {
			for _, caller := range s.callers(broken.name) {
				if slices.Contains(reached, caller) || !s.chance(odds) {
					continue
				}
				felt := false
				for _, sym := range t.callers {
					felt = s.raise(o, caller, sym, delay) || felt
				}
				reached = append(reached, caller)
				if felt {
					further = append(further, caller)
				}
			}
		}
		frontier, odds = further, odds*t.reach
	}
}

// raise fires one symptom, on some pods or on the service, and says whether it did.
func (s *spreader) raise(o outage, on *service, sym symptom, delay ingest.Millis) bool {
	if !s.chance(sym.odds) {
		return false
	}
	if sym.share == 0 {
		s.fire(o, s.serviceLabels(sym.alert, sym.severity, on), on.name, sym, delay)
		return true
	}
	n := max(1, int(float64(sym.share*float64(len(on.pods)))+0.5))
	for _, p := range some(s.dice, on.pods, n) {
		s.fire(o, s.podLabels(sym.alert, sym.severity, on, p), on.name, sym, delay)
	}
	return true
}

// fire puts one firing on the page: from its own moment until shortly after the fault is over.
func (s *spreader) fire(o outage, labels ingest.Labels, service string, sym symptom, delay ingest.Millis) {
	from := o.from + delay + o.paced(sym.after+s.between(0, sym.within))
	to := o.to + o.paced(s.between(10*second, 4*minute))
	if o.to == 0 {
		to = 0
	}
	if to != 0 && from+o.paced(30*second) > to {
		return // it was over before the rule's `for` had passed
	}
	s.out.add(firing{labels: labels, annotations: annotate(labels, service), from: from, to: to, because: o.fault, service: service})
}

// annotate writes the annotations that a rule would give.
func annotate(labels ingest.Labels, service string) ingest.Labels {
	alert, of := labels.Get("alertname"), service
	for _, name := range []string{"node", "pod"} {
		if v := labels.Get(name); v != "" {
			of = v
		}
	}
	return ingest.LabelsOf(map[string]string{
		"summary":     alert + " on " + of,
		"runbook_url": "https://runbooks.example/" + alert,
	})
}

// breakNode takes a node away: it says so itself where it still can, and every
// pod on it stops answering.
func (s *spreader) breakNode(o outage, n node) {
	s.fireNode(o, n, symptom{"HostUnreachable", "critical", 0, 1, 20 * second, minute})
	if s.chance(0.7) {
		s.fireNode(o, n, symptom{"KubeNodeUnready", "critical", 0, 1, minute, minute})
	}
	for _, on := range s.services {
		lost := 0
		for _, p := range on.pods {
			if p.node != n {
				continue
			}
			lost++
			if s.chance(0.8) {
				sym := symptom{"ScrapeFailed", "warning", 0, 1, 40 * second, 90 * second}
				s.fire(o, s.podLabels(sym.alert, sym.severity, on, p), on.name, sym, 0)
			}
		}
		if lost > 0 && 2*lost >= len(on.pods) && s.chance(0.6) {
			s.raise(o, on, symptom{"ErrorBudgetBurn", "page", 0, 1, minute, 2 * minute}, 0)
		}
	}
}

func (s *spreader) fireNode(o outage, n node, sym symptom) {
	s.fire(o, s.nodeLabels(sym.alert, sym.severity, n), "", sym, 0)
}

// breakZone takes most nodes of a zone away, within a minute.
func (s *spreader) breakZone(o outage) {
	for _, n := range s.nodes {
		if n.zone != o.root || !s.chance(0.85) {
			continue
		}
		shaken := o
		shaken.from += o.paced(s.between(0, minute))
		s.breakNode(shaken, n)
	}
}
