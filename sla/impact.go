package sla

import (
	"fmt"
	"regexp"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// DefaultImpact stands behind all other rules: severity critical or page is down,
// severity warning is degraded. A rule without matchers and with the state up
// before it switches it off.
func DefaultImpact() []ImpactRule {
	return []ImpactRule{
		{Matchers: []correlate.Match{{Name: "severity", Op: "=~", Value: "critical|page"}}, State: Down},
		{Matchers: []correlate.Match{{Name: "severity", Op: "=", Value: "warning"}}, State: Degraded},
	}
}

// impactRule is an ImpactRule made ready.
type impactRule struct {
	matchers []matcher
	rank     rank
}

// matcher is one matcher made ready. A label that is missing has the value "".
type matcher struct {
	name    string
	value   string
	pattern *regexp.Regexp // of =~ and !~, anchored
	negated bool
}

func (m *matcher) matches(labels ingest.Labels) bool {
	v := labels.Get(m.name)
	if m.pattern != nil {
		return m.pattern.MatchString(v) != m.negated
	}
	return (v == m.value) != m.negated
}

func newMatcher(m correlate.Match) (matcher, error) {
	ready := matcher{name: m.Name, value: m.Value}
	switch m.Op {
	case "=", "!=":
	case "=~", "!~":
		pattern, err := regexp.Compile("^(?:" + m.Value + ")$")
		if err != nil {
			return ready, fmt.Errorf("matcher %s%s%q: %w", m.Name, m.Op, m.Value, err)
		}
		ready.pattern = pattern
	default:
		return ready, fmt.Errorf("matcher %s%s%q: operator is none of =, !=, =~, !~", m.Name, m.Op, m.Value)
	}
	ready.negated = m.Op[0] == '!'
	return ready, nil
}

// newImpact makes rules ready.
func newImpact(rules []ImpactRule) ([]impactRule, error) {
	ready := make([]impactRule, 0, len(rules))
	for i, rule := range rules {
		r := impactRule{}
		switch rule.State {
		case Down:
			r.rank = rankDown
		case Degraded:
			r.rank = rankDegraded
		case Up:
		default:
			return nil, fmt.Errorf("impact rule %d: state %q is none of down, degraded, up", i+1, rule.State)
		}
		for _, m := range rule.Matchers {
			one, err := newMatcher(m)
			if err != nil {
				return nil, fmt.Errorf("impact rule %d: %w", i+1, err)
			}
			r.matchers = append(r.matchers, one)
		}
		ready = append(ready, r)
	}
	return ready, nil
}

// impactOf returns what labels mean by the first rule whose matchers all match;
// false where none does.
func impactOf(rules []impactRule, labels ingest.Labels) (rank, bool) {
next:
	for _, rule := range rules {
		for i := range rule.matchers {
			if !rule.matchers[i].matches(labels) {
				continue next
			}
		}
		return rule.rank, true
	}
	return rankUp, false
}
