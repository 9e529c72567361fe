package config

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/sla"
)

// Config is a whole configuration that was found to be right. It is never changed after it is loaded.
type Config struct {
	Zone       string // IANA
	Journal    Journal
	Ingest     Ingest
	ClickHouse ClickHouse

	files       []string
	correlation correlate.Config
	levels      sla.Config
	sources     []ingest.Source
	streams     []stream.Config
	decoding    wire.Config
}

// Default returns the configuration of an empty file: every default and no service.
func Default() *Config {
	return compose(defaultRoot(), nil)
}

func defaultRoot() rootFile {
	return rootFile{
		Zone: "UTC",
		Correlation: correlationEntry{
			ServiceLabels: []string{"service", "deployment", "app", "job"},
			CopyWindow:    15 * time.Minute,
			StaleAfter:    9 * time.Hour,
			ForgetAfter:   7 * 24 * time.Hour,
			ReopenWindow:  30 * time.Minute,
		},
		Journal:    Journal{MaxBytes: 10 << 30},
		Ingest:     defaultIngest(),
		ClickHouse: ClickHouse{Database: "evenkeel", Embedded: Embedded{MemoryBytes: 2 << 30, CacheBytes: 256 << 20}},
	}
}

// Correlation returns what the fold of incidents needs to know. Services and
// their dependencies are sorted by name.
func (c *Config) Correlation() correlate.Config {
	own := c.correlation
	own.Services, own.Heartbeats = slices.Clone(own.Services), slices.Clone(own.Heartbeats)
	return own
}

// Levels returns what the service levels need to know. Services, agreements and
// calendars are sorted by name, maintenance by its start.
func (c *Config) Levels() sla.Config {
	own := c.levels
	own.Services = slices.Clone(own.Services)
	return own
}

// Decoding returns what decoding needs to know: how sources' own JSON is read.
func (c *Config) Decoding() wire.Config {
	own := c.decoding
	own.Mappings = maps.Clone(own.Mappings)
	return own
}

// Files returns the files that were read, the root first.
func (c *Config) Files() []string { return slices.Clone(c.files) }

// Location returns the root zone.
func (c *Config) Location() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil { // it was loaded once already when the file was read
		return time.UTC
	}
	return zone
}

// compose makes the stages' configurations of what was written.
func compose(root rootFile, files []string) *Config {
	c := &Config{
		Zone: root.Zone, Journal: root.Journal, Ingest: root.Ingest.Ingest, ClickHouse: root.ClickHouse,
		files: files,
		correlation: correlate.Config{
			ServiceLabels: root.Correlation.ServiceLabels,
			CopyWindow:    int64(ingest.MillisIn(root.Correlation.CopyWindow)),
			StaleAfter:    int64(ingest.MillisIn(root.Correlation.StaleAfter)),
			ForgetAfter:   int64(ingest.MillisIn(root.Correlation.ForgetAfter)),
			ReopenWindow:  int64(ingest.MillisIn(root.Correlation.ReopenWindow)),
			Grouping:      root.Correlation.Grouping,
			Limits:        root.Ingest.Limits.Alerts,
		},
		levels:   sla.Config{Zone: root.Zone, Impact: root.Levels.Impact},
		decoding: wire.Config{ResolveTimeout: ingest.MillisIn(root.Ingest.ResolveTimeout), Limits: root.Ingest.Limits.Limits, Mappings: map[string]wire.Mapping{}},
	}
	for _, s := range root.Services {
		c.correlation.Services = append(c.correlation.Services, s.service())
		c.levels.Services = append(c.levels.Services, s.levels(c.Location()))
	}
	for _, entry := range root.Calendars {
		calendar := entry.calendar()
		if calendar.Zone == "" {
			calendar.Zone = root.Zone
		}
		c.levels.Calendars = append(c.levels.Calendars, calendar)
	}
	for _, s := range root.Sources {
		c.sources = append(c.sources, s.source())
		if s.Heartbeat != nil {
			c.correlation.Heartbeats = append(c.correlation.Heartbeats, s.heartbeat())
		}
		if s.Mapping != nil {
			c.decoding.Mappings[s.Name.Value] = *s.Mapping
		}
	}
	c.sort()
	for i := range root.Streams {
		one := root.Streams[i].stream(c.sources)
		one.Heartbeats = beats(c.correlation.Heartbeats, one.Name)
		c.streams = append(c.streams, one)
	}
	return c
}

func (c *Config) sort() {
	slices.SortFunc(c.correlation.Services, func(a, b correlate.Service) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.correlation.Heartbeats, func(a, b correlate.Heartbeat) int { return cmp.Compare(a.Source, b.Source) })
	slices.SortFunc(c.sources, func(a, b ingest.Source) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.levels.Services, func(a, b sla.ServiceLevels) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(c.levels.Calendars, func(a, b sla.Calendar) int { return cmp.Compare(a.Name, b.Name) })
}

// service is the entry as correlation knows it.
func (s *serviceEntry) service() correlate.Service {
	var depends []string
	for _, d := range s.DependsOn {
		if d.Value != s.Name.Value {
			depends = append(depends, d.Value)
		}
	}
	slices.Sort(depends)
	return correlate.Service{
		Name: s.Name.Value, DisplayName: s.DisplayName, Description: s.Description,
		Owner: s.Owner, Tier: s.Tier, Runbook: s.Runbook,
		DependsOn: slices.Compact(depends), Matchers: s.Matchers,
	}
}

// levels is the entry as the service levels know it.
func (s *serviceEntry) levels(root *time.Location) sla.ServiceLevels {
	l := sla.ServiceLevels{Name: s.Name.Value, Impact: s.Impact}
	for _, a := range s.Agreements {
		l.Agreements = append(l.Agreements, a.agreement(root.String()))
	}
	for _, m := range s.Maintenance {
		window, _ := m.window(zoneOr(m.Zone, root)) // its errors were reported by check
		l.Maintenance = append(l.Maintenance, window)
	}
	slices.SortFunc(l.Agreements, func(a, b sla.Agreement) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(l.Maintenance, func(a, b sla.Maintenance) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Reason, b.Reason))
	})
	return l
}

func zoneOr(name string, root *time.Location) *time.Location {
	if name == "" {
		return root
	}
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return root
}
