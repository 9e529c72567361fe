package simulate

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
)

// estate is what a company runs: services that call each other, their pods, and
// the nodes and zones that the pods live on.
type estate struct {
	cluster   string
	namespace string
	services  []*service
	nodes     []node
}

// service is one service as it truly is; the catalogue may know less of it.
type service struct {
	name     string
	display  string
	about    string
	owner    string
	tier     int
	store    bool     // keeps data: others wait for it
	calls    []string // true dependencies
	named    string   // the label by which its alerts name it: service, deployment or app
	placed   bool     // its pod alerts say node and zone
	pods     []pod
	replicas int
}

type node struct{ name, zone, address string }

type pod struct {
	name     string
	instance string
	node     node
}

// find returns the service of that name.
func (e *estate) find(name string) *service {
	for _, s := range e.services {
		if s.name == name {
			return s
		}
	}
	panic("simulate: a story names the service " + name + ", which its estate has not")
}

// callers returns the services that call name.
func (e *estate) callers(name string) []*service {
	var callers []*service
	for _, s := range e.services {
		if slices.Contains(s.calls, name) {
			callers = append(callers, s)
		}
	}
	return callers
}

// zones returns the names of the zones.
func (e *estate) zones() []string {
	var zones []string
	for _, n := range e.nodes {
		if !slices.Contains(zones, n.zone) {
			zones = append(zones, n.zone)
		}
	}
	return zones
}

// build gives the estate its nodes, spread over three zones, and every service its pods.
func (e *estate) build(d dice, nodes int, zone string) {
	for i := range nodes {
		e.nodes = append(e.nodes, node{
			name:    fmt.Sprintf("%s-worker-%02d", e.cluster, i+1),
			zone:    zone + string(rune('a'+i%3)),
			address: fmt.Sprintf("10.20.%d.10", i+1),
		})
	}
	for _, s := range e.services {
		for range s.replicas {
			n := pick(d, e.nodes)
			s.pods = append(s.pods, pod{
				name:     s.name + "-" + strconv.FormatUint(d.Uint64()>>40|1<<23, 36),
				instance: fmt.Sprintf("10.%d.%d.%d:8080", 32+d.IntN(64), d.IntN(250)+1, d.IntN(250)+1),
				node:     n,
			})
		}
	}
}

// podLabels are the labels of an alert on one pod.
func (e *estate) podLabels(alert, severity string, s *service, p pod) ingest.Labels {
	m := map[string]string{
		"alertname": alert, "severity": severity, "cluster": e.cluster, "namespace": e.namespace,
		"prometheus": "monitoring/main", "pod": p.name, "instance": p.instance, s.named: s.name,
	}
	if s.placed {
		m["node"], m["zone"] = p.node.name, p.node.zone
	}
	return ingest.LabelsOf(m)
}

// serviceLabels are the labels of an alert on a service as a whole.
func (e *estate) serviceLabels(alert, severity string, s *service) ingest.Labels {
	return ingest.LabelsOf(map[string]string{
		"alertname": alert, "severity": severity, "cluster": e.cluster, "namespace": e.namespace,
		"prometheus": "monitoring/main", s.named: s.name,
	})
}

// nodeLabels are the labels of an alert on a node.
func (e *estate) nodeLabels(alert, severity string, n node) ingest.Labels {
	return ingest.LabelsOf(map[string]string{
		"alertname": alert, "severity": severity, "cluster": e.cluster,
		"prometheus": "monitoring/main", "job": "node-exporter",
		"node": n.name, "zone": n.zone, "instance": n.address + ":9100",
	})
}
