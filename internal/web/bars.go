package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// barWidth is the width of a bar in its own units.
const barWidth = 1000

// sliver is the least width of what is there at all.
const sliver = 8

// bar is the seven buckets of a window, drawn to scale but for slivers.
type bar struct {
	Label string // says the same in words
	Parts []barPart
}

type barPart struct {
	Bucket   sla.Bucket
	X, Width string
	Title    string
}

// bucket is one of the seven as shown.
type bucket struct {
	Bucket sla.Bucket
	Name   string
	Length length
	Share  string
	ms     int64
}

// bucketNames gives the buckets in the order in which they are drawn.
var bucketNames = []struct {
	bucket sla.Bucket
	name   string
}{
	{sla.UpBucket, "up"}, {sla.DegradedBucket, "degraded"}, {sla.DownBucket, "down"},
	{sla.MaintenanceBucket, "maintenance"}, {sla.UnknownBucket, "unknown"},
	{sla.OutOfHoursBucket, "out of hours"}, {sla.NotYetBucket, "not yet"},
}

func bucketName(b sla.Bucket) string {
	for _, n := range bucketNames {
		if n.bucket == b {
			return n.name
		}
	}
	return string(b)
}

// buckets returns the seven, those without any time included.
func buckets(b sla.Buckets) []bucket {
	total := b.Sum()
	ms := map[sla.Bucket]int64{
		sla.UpBucket: b.Up, sla.DegradedBucket: b.Degraded, sla.DownBucket: b.Down, sla.MaintenanceBucket: b.Maintenance,
		sla.UnknownBucket: b.Unknown, sla.OutOfHoursBucket: b.OutOfHours, sla.NotYetBucket: b.NotYet,
	}
	list := make([]bucket, len(bucketNames))
	for i, n := range bucketNames {
		list[i] = bucket{Bucket: n.bucket, Name: n.name, Length: lengthOf(ms[n.bucket]), ms: ms[n.bucket]}
		if total > 0 && ms[n.bucket] > 0 {
			list[i].Share = shareOf(ms[n.bucket], total)
		}
	}
	return list
}

// shareOf writes part of whole as a percentage. What is there never reads 0.
func shareOf(part, whole int64) string {
	if part*10000 < whole {
		return "<\u202f0.01\u202f%"
	}
	return share(float64(part) / float64(whole))
}

func barOf(b sla.Buckets) bar {
	list := buckets(b)
	widths := scale(list, b.Sum())
	var drawn bar
	var words []string
	x := 0
	for i, part := range list {
		if part.ms == 0 {
			continue
		}
		drawn.Parts = append(drawn.Parts, barPart{Bucket: part.Bucket, X: strconv.Itoa(x), Width: strconv.Itoa(widths[i])})
		words = append(words, part.Name+" "+part.Length.Text)
		x += widths[i]
	}
	drawn.Label = strings.Join(words, ", ")
	return drawn
}

// scale returns the widths of parts of whole, which sum to barWidth. What is there
// is at least a sliver; the widest gives way for it.
func scale(parts []bucket, whole int64) []int {
	widths := make([]int, len(parts))
	if whole <= 0 {
		return widths
	}
	sum, widest := 0, 0
	for i, part := range parts {
		if part.ms > 0 {
			widths[i] = max(sliver, int(part.ms*barWidth/whole)) // a window of 10 000 years still fits an int64
		}
		sum += widths[i]
		if widths[i] > widths[widest] {
			widest = i
		}
	}
	widths[widest] += barWidth - sum
	return widths
}

// strip is a window drawn in time.
type strip struct {
	Label string
	Parts []barPart
	Ticks []string
}

// stripOf draws a level whose intervals are known. Up is what lies under them, up to as_of.
func (p *Pages) stripOf(l api.Level) strip {
	s := strip{Label: "timeline: " + barOf(l.Matrix.Buckets).Label, Ticks: p.ticks(l.From, l.To, l.Zone)}
	whole := float64(l.To - l.From)
	if whole <= 0 {
		return s
	}
	add := func(b sla.Bucket, from, to ingest.Millis, least float64) {
		x := float64(from-l.From) / whole * barWidth
		width := max(least, float64(to-from)/whole*barWidth)
		x = min(x, barWidth-width)
		s.Parts = append(s.Parts, barPart{
			Bucket: b, X: strconv.FormatFloat(x, 'f', 2, 64), Width: strconv.FormatFloat(width, 'f', 2, 64),
			Title: fmt.Sprintf("%s from %s to %s (%s)", bucketName(b), p.instant(from).Text, p.instant(to).Text, lengthOf(int64(to-from)).Text),
		})
	}
	if past := min(l.To, l.AsOf); past > l.From {
		add(sla.UpBucket, l.From, past, 0)
	}
	// What hurts is drawn last, so that a sliver of it is not covered.
	for _, hurts := range []bool{false, true} {
		for _, i := range l.Intervals {
			if (i.Bucket == sla.DownBucket) == hurts {
				add(i.Bucket, i.From, i.To, 1.5)
			}
		}
	}
	return s
}

// ticks are five times across a window.
func (p *Pages) ticks(from, to ingest.Millis, zone string) []string {
	loc, err := sla.LoadZone(zone)
	if err != nil {
		loc = time.UTC
	}
	layout := "2006-01-02"
	if to-from <= 3*ingest.Day {
		layout = "01-02 15:04"
	}
	const n = 4
	ticks := make([]string, 0, n+1)
	for i := range n + 1 {
		at := from + (to-from)*ingest.Millis(i)/n
		ticks = append(ticks, at.Time().In(loc).Format(layout))
	}
	return ticks
}
