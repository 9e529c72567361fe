package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/matcher/parse"
	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/correlate"
)

// parseMatchers reads matchers in Alertmanager's grammar in its UTF-8 mode:
// one (`team="web"`) or several (`{job="api", env=~"prod|stage"}`), which must
// all match.
func parseMatchers(text string) ([]correlate.Match, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf(`is empty; a matcher looks like team="web"`)
	}
	parsed, err := parse.Matchers(text)
	if err != nil {
		return nil, fmt.Errorf(`%q is not a matcher (%w); one looks like team="web" or path=~"/api/.*"`, text, err)
	}
	if len(parsed) == 0 {
		return nil, fmt.Errorf(`%q holds no matcher and would match every alert`, text)
	}
	matches := make([]correlate.Match, len(parsed))
	for i, m := range parsed {
		matches[i] = correlate.Match{Name: m.Name, Op: m.Type.String(), Value: m.Value}
		if err := checkExpression(matches[i]); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

// checkExpression compiles the expression of =~ and !~ as matching will: anchored at both ends.
func checkExpression(m correlate.Match) error {
	if m.Op != "=~" && m.Op != "!~" {
		return nil
	}
	if _, err := regexp.Compile("^(?:" + m.Value + ")$"); err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	return nil
}

// matchersOf reads a text of matchers or a list of them; all must match.
func matchersOf() reader[[]correlate.Match] {
	one := scalar("matchers", parseMatchers)
	all := convert(list(one), func(sets [][]correlate.Match) []correlate.Match { return slices.Concat(sets...) })
	return reader[[]correlate.Match]{all.kind, nil, func(d *decoder, n *yaml.Node, what string, into *[]correlate.Match) {
		if quoted(d, n, what) {
			if target(n).Kind == yaml.SequenceNode {
				all.read(d, n, what, into)
			} else {
				one.read(d, n, what, into)
			}
			if list := target(n); list.Kind == yaml.SequenceNode && len(list.Content) == 0 {
				d.errorf(n, `%s: holds no matcher and would match every alert; one looks like team="web"`, what)
			}
		}
	}}
}

// matcherSets reads matchers that must all match, or a list of such lists of
// which one must match.
func matcherSets() reader[[][]correlate.Match] {
	set := matchersOf()
	sets := list(set)
	return reader[[][]correlate.Match]{"list of matchers, or list of such lists", nil, func(d *decoder, n *yaml.Node, what string, into *[][]correlate.Match) {
		if nested(target(n)) {
			sets.read(d, n, what, into)
			return
		}
		*into = make([][]correlate.Match, 1)
		set.read(d, n, what, &(*into)[0])
	}}
}

// nested says whether a list's first item is a list.
func nested(n *yaml.Node) bool {
	return n.Kind == yaml.SequenceNode && len(n.Content) > 0 && target(n.Content[0]).Kind == yaml.SequenceNode
}

// quoted notes the common slip of writing {job="api"} without quotes, which YAML takes for a mapping.
func quoted(d *decoder, n *yaml.Node, what string) bool {
	n = target(n)
	candidates := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		candidates = n.Content
	}
	for _, c := range candidates {
		if target(c).Kind == yaml.MappingNode {
			d.errorf(c, `%s: YAML reads this as a mapping; put the matchers in quotes, as '{job="api"}'`, what)
			return false
		}
	}
	return true
}
