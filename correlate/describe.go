package correlate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// describe names an episode's alert in words.
func (e *episode) describe() string {
	name := cmp.Or(e.row.AlertName, e.row.Fingerprint)
	if e.row.Service == "" {
		return name
	}
	return name + " at " + e.row.Service
}

// reasons says why e is in the incident that first names.
func (t *tenant) reasons(e, first *episode, x *explanation) []string {
	if x == nil {
		return []string{"stands alone: nothing known explains it together with others"}
	}
	why := []string{t.relation(e, x)}
	if e != first {
		why = append(why, fmt.Sprintf("began %s after the first alert", lasting(e.row.StartsAt-first.row.StartsAt)))
	}
	if c := t.line.changeBefore(x.root, x.from); c != nil {
		why = append(why, fmt.Sprintf("%s %s of %s began %s before", c.Kind, c.ID, c.Service, lasting(x.from-c.StartedAt)))
	}
	return why
}

// relation says how e hangs together with what explains it.
func (t *tenant) relation(e *episode, x *explanation) string {
	switch x.root.kind {
	case rootService:
		path := t.line.model.topology.path(e.row.Service, x.root.name)
		if len(path) > 1 {
			return "depends on " + x.root.name + ": " + strings.Join(path, " → ")
		}
		return "at the same service: " + x.root.name
	case rootShared:
		return fmt.Sprintf("shares %s=%q", x.root.name, x.root.value)
	default:
		return "the same alert comes and goes: " + e.describe()
	}
}

// lasting prints a length of time for people.
func lasting(d ingest.Millis) string {
	switch {
	case d < 0:
		return "-" + lasting(-d)
	case d < ingest.Second:
		return fmt.Sprintf("%d ms", d)
	}
	return d.Duration().Round(time.Second).String()
}

// summarise fills in what i's row says of its members.
func (t *tenant) summarise(i *incident) {
	i.row.Services = slices.Sorted(maps.Keys(i.services))
	if len(i.row.Services) > 0 && i.row.Services[0] == "" {
		i.row.Services = i.row.Services[1:]
	}
	i.row.Episodes, i.row.Firing, i.row.Unknown = len(i.members)+i.retired.N, i.firing, i.unknown+i.lost
	i.row.Severity = ""
	for severity := range i.severities {
		if worse(severity, i.row.Severity) {
			i.row.Severity = severity
		}
	}
	switch {
	case !i.rank:
	case t.settleAt != 0 && i.row.Causes != nil:
		t.unranked = append(t.unranked, i) // while decisions are put off, its members are but guesses
	default:
		i.rank, i.row.Causes = false, t.causes(i)
	}
	i.row.Title = i.title()
}

// title names i by what it is most probably about.
func (i *incident) title() string {
	if i.row.Episodes == 1 {
		return i.first.describe()
	}
	what := ""
	for _, c := range i.row.Causes {
		if what = cmp.Or(c.Service, c.Entity); what != "" {
			break
		}
	}
	alerts := fmt.Sprintf("%d alerts", i.row.Episodes)
	if n := len(i.row.Services); n > 1 {
		alerts += fmt.Sprintf(" at %d services", n)
	}
	return cmp.Or(what, i.first.describe()) + ": " + alerts
}

// worse tells whether severity a is worse than b. Words in common use have an
// order; of others the alphabet decides, so that there is one answer.
func worse(a, b string) bool {
	return cmp.Or(cmp.Compare(weight(a), weight(b)), cmp.Compare(b, a)) > 0
}

func weight(severity string) int {
	switch strings.ToLower(severity) {
	case "critical", "page", "emergency", "fatal", "disaster", "p1", "sev1":
		return 5
	case "error", "high", "major", "p2", "sev2":
		return 4
	case "warning", "warn", "average", "medium", "p3", "sev3":
		return 3
	case "minor", "low", "p4", "sev4":
		return 2
	case "info", "information", "notice", "none", "p5":
		return 1
	case "":
		return -1
	}
	return 0
}
