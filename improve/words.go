package improve

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// Plural writes a count with its noun: "1 episode", "2 episodes".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// wasPlural writes a count with its noun and verb: "1 delivery was", "2 deliveries were".
func wasPlural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one + " was"
	}
	return fmt.Sprintf("%d %s were", n, many)
}

// listed joins at most n names and says how many more there are.
func listed(names []string, n int) string {
	if len(names) <= n {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:n], ", "), len(names)-n)
}

// Local writes an instant as people read it in a zone: "2026-10-05 14:03".
func (w Window) Local(at ingest.Millis) string {
	return at.Time().In(w.Location()).Format("2006-01-02 15:04")
}

// local writes an instant in the report's zone, and says which that is.
func (c *composer) local(at ingest.Millis) string {
	return c.p.Period.Local(at) + " " + c.p.Period.Zone
}

// Title names the period as people say it: "October 2026".
func (p Period) Title() string {
	from := p.From.Time().In(p.Location())
	switch p.Kind() {
	case "month":
		return from.Format("January 2006")
	case "quarter":
		return fmt.Sprintf("quarter %d of %d", (int(from.Month())+2)/3, from.Year())
	case "week":
		_, week := from.ISOWeek()
		return fmt.Sprintf("week %d of %s", week, p.Name[:4])
	case "day":
		return from.Format("2 January 2006")
	}
	return p.Name
}
