package correlate

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Matcher is one compiled [Match].
type Matcher struct {
	Match
	re *regexp.Regexp // of =~ and !~, anchored at both ends
}

// Compile returns m ready to match. Regular expressions are anchored, as
// everywhere in the Prometheus world.
func (m Match) Compile() (Matcher, error) {
	switch m.Op {
	case "=", "!=":
		return Matcher{Match: m}, nil
	case "=~", "!~":
		re, err := regexp.Compile("^(?s:" + m.Value + ")$")
		if err != nil {
			return Matcher{}, fmt.Errorf("matcher %s%s%q: %w", m.Name, m.Op, m.Value, err)
		}
		return Matcher{Match: m, re: re}, nil
	}
	return Matcher{}, fmt.Errorf("matcher %s%s%q: the operator is none of =, !=, =~, !~", m.Name, m.Op, m.Value)
}

// Matches tells whether labels satisfy m. A label that is not there is empty.
func (m Matcher) Matches(labels ingest.Labels) bool {
	value := labels.Get(m.Name)
	switch m.Op {
	case "=":
		return value == m.Value
	case "!=":
		return value != m.Value
	case "=~":
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

// resolver finds the service of an alert.
type resolver struct {
	services  []claims
	catalogue map[string]bool
	labels    []string
}

// claims are the matchers of one service: any set of which all match.
type claims struct {
	name string
	sets [][]Matcher
}

// newResolver compiles the matchers of c.
func newResolver(c Config) (*resolver, error) {
	r := &resolver{catalogue: map[string]bool{}, labels: c.ServiceLabels}
	for _, s := range c.Services {
		r.catalogue[s.Name] = true
		if len(s.Matchers) == 0 {
			continue
		}
		one := claims{name: s.Name}
		for _, set := range s.Matchers {
			compiled := make([]Matcher, len(set))
			for i, m := range set {
				var err error
				if compiled[i], err = m.Compile(); err != nil {
					return nil, fmt.Errorf("service %s: %w", s.Name, err)
				}
			}
			one.sets = append(one.sets, compiled)
		}
		r.services = append(r.services, one)
	}
	return r, nil
}

// service returns the service that labels belong to: the first of the catalogue
// whose matchers claim them; else the first service label that names one of the catalogue;
// else the first service label there is; else "".
func (r *resolver) service(labels ingest.Labels) string {
	for _, s := range r.services {
		if slices.ContainsFunc(s.sets, func(set []Matcher) bool { return allMatch(set, labels) }) {
			return s.name
		}
	}
	first := ""
	for _, name := range r.labels {
		value := labels.Get(name)
		if r.catalogue[value] {
			return value
		}
		if first == "" {
			first = value
		}
	}
	return first
}

// allMatch tells whether every matcher matches. An empty set matches nothing.
func allMatch(set []Matcher, labels ingest.Labels) bool {
	for _, m := range set {
		if !m.Matches(labels) {
			return false
		}
	}
	return len(set) > 0
}
