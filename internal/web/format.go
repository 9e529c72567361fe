package web

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// instant is a time as shown: in the zone that is configured now, with UTC at hand.
type instant struct{ UTC, Title, Text string }

func (p *Pages) instant(at ingest.Millis) instant {
	_, loc := p.reads.Current().Zone()
	return instantIn(at, loc)
}

func instantIn(at ingest.Millis, loc *time.Location) instant {
	if at == 0 {
		return instant{}
	}
	return instant{
		UTC:   at.String(),
		Title: at.Time().Format("2006-01-02 15:04:05.000 UTC"),
		Text:  at.Time().In(loc).Format("2006-01-02 15:04:05"),
	}
}

// until is the end of what began at from: on the same day it shows the time alone.
func (p *Pages) until(from, to ingest.Millis) instant {
	end, begin := p.instant(to), p.instant(from)
	if day := len("2006-01-02"); to != 0 && end.Text[:day] == begin.Text[:day] {
		end.Text = end.Text[day+1:]
	}
	return end
}

// length is a length of time as shown: its two largest units, with milliseconds at hand.
type length struct{ Text, Title string }

func lengthOf(ms int64) length {
	return length{improve.Length(ms).String(), grouped(ms) + " ms"}
}

// grouped writes n with narrow spaces between thousands.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var out strings.Builder
	for i, c := range digits {
		if rest := len(digits) - i; i > 0 && rest%3 == 0 && digits[i-1] != '-' {
			out.WriteRune('\u202f')
		}
		out.WriteRune(c)
	}
	return out.String()
}

// share writes a ratio as a percentage with two decimals, cut and not rounded:
// nothing reads 100 % that is less, and what is whole needs no decimals.
func share(ratio float64) string {
	if ratio == 1 {
		return "100\u202f%"
	}
	return strconv.FormatFloat(math.Floor(ratio*1e4+1e-6)/100, 'f', 2, 64) + "\u202f%"
}

// objective writes a promise as it was made: 0.999 is 99.9 %.
func objective(ratio float64) string {
	return strconv.FormatFloat(math.Round(ratio*1e9)/1e7, 'f', -1, 64) + "\u202f%"
}

// count writes a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + many
}

// severity is a severity as shown. The word stands beside its colour.
type severity struct{ Text, Class string }

func severityOf(label string) severity {
	s := severity{Text: label}
	switch strings.ToLower(label) {
	case "":
		s.Text = "none"
	case "critical", "page", "emergency", "fatal", "disaster":
		s.Class = "critical"
	case "error", "high", "major", "warning", "average", "medium":
		s.Class = "warning"
	case "info", "information", "notice", "low", "minor":
		s.Class = "info"
	}
	return s
}

// link is a text that may lead somewhere.
type link struct{ Text, Href string }

func serviceLink(name string) link {
	if name == "" {
		return link{}
	}
	return link{name, "/services/" + url.PathEscape(name)}
}

func serviceLinks(names []string) []link {
	links := make([]link, len(names))
	for i, name := range names {
		links[i] = serviceLink(name)
	}
	return links
}

func incidentHref(id string) string { return "/incidents/" + url.PathEscape(id) }

// lasted returns how long an incident or episode has lasted: to its end, or to asOf while it runs.
func lasted(from, to, asOf ingest.Millis) length {
	if to == 0 {
		to = asOf
	}
	return lengthOf(max(0, int64(to-from)))
}

// verb says how a state goes together with a length.
func verb(s correlate.IncidentState) string {
	if s == correlate.IncidentOpen {
		return "for"
	}
	return "after"
}

// cause is a probable cause as shown.
type cause struct{ Name, Href, Kind, Score, Width, Why string }

func causeOf(c correlate.Cause) cause {
	shown := cause{Score: fmt.Sprintf("%.2f", c.Score), Width: fmt.Sprintf("%.0f", c.Score*100), Why: c.Why}
	switch {
	case c.Service != "":
		shown.Name, shown.Href = c.Service, serviceLink(c.Service).Href
	case c.Change != "":
		shown.Name, shown.Kind = c.Change, "change"
	default:
		shown.Name = c.Entity
	}
	return shown
}

// windowText says what a window is: its name and ends, in the zone that it was cut in.
func windowText(w api.Window) string {
	loc, err := sla.LoadZone(w.Zone)
	if err != nil { // it was cut in it
		loc = time.UTC
	}
	text := instantIn(w.From, loc).Text + " to " + instantIn(w.To, loc).Text
	if w.Name != "" {
		text = w.Name + ", " + text
	}
	return text + ", " + w.Zone
}
