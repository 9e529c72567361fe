package config

import (
	"os"
	"slices"
	"strings"
	"time"
)

// check looks at what no single value can tell: names that stand twice or that
// nothing bears.
func (l *loader) check() {
	l.checkServices()
	l.checkSources()
	l.checkStreams()
	l.checkJournal()
	calendars := l.checkCalendars()
	zone := zoneOr(l.root.Zone, time.UTC)
	for _, s := range l.root.Services {
		l.checkAgreements(s, calendars)
		l.checkMaintenance(s, zone)
	}
	if p := l.root.ClickHouse.PasswordFile; p != "" && len(l.files) > 0 {
		if _, err := os.Stat(p); err != nil {
			l.warnf(Position{File: l.files[0]}, "clickhouse: password_file %s: %v", p, plain(err))
		}
	}
}

func (l *loader) checkServices() {
	first := make(map[string]Position, len(l.root.Services))
	for _, s := range l.root.Services {
		name := s.Name
		if at, twice := first[name.Value]; twice && name.Value != "" {
			l.errorf(name.At, "service %q is already described at %s", name.Value, at)
			continue
		}
		first[name.Value] = name.At
	}
	for _, s := range l.root.Services {
		for _, d := range s.DependsOn {
			if _, known := first[d.Value]; !known && d.Value != "" {
				l.warnf(d.At, "service %q depends on %q, which the catalogue does not know%s", s.Name.Value, d.Value, nearest(d.Value, first))
			}
			if d.Value == s.Name.Value && d.Value != "" {
				l.warnf(d.At, "service %q depends on itself; that says nothing and is left out", d.Value)
			}
		}
	}
}

// nearest names the known name that may have been meant, if one is near.
func nearest(wrong string, known map[string]Position) string {
	names := make([]string, 0, len(known))
	for n := range known {
		names = append(names, n)
	}
	slices.Sort(names)
	if s := suggest(wrong, names); strings.HasPrefix(s, "did you mean") {
		return "; " + s
	}
	return ""
}

func (l *loader) checkCalendars() map[string]Position {
	first := make(map[string]Position, len(l.root.Calendars))
	for _, c := range l.root.Calendars {
		if at, twice := first[c.Name.Value]; twice && c.Name.Value != "" {
			l.errorf(c.Name.At, "calendar %q is already described at %s", c.Name.Value, at)
			continue
		}
		first[c.Name.Value] = c.Name.At
	}
	return first
}

func (l *loader) checkAgreements(s serviceEntry, calendars map[string]Position) {
	first := make(map[string]Position, len(s.Agreements))
	for _, a := range s.Agreements {
		if at, twice := first[a.Name.Value]; twice && a.Name.Value != "" {
			l.errorf(a.Name.At, "agreement %q of service %q is already described at %s", a.Name.Value, s.Name.Value, at)
		}
		first[a.Name.Value] = a.Name.At
		if _, known := calendars[a.Calendar.Value]; !known && a.Calendar.Value != "" {
			l.errorf(a.Calendar.At, "calendar: no calendar is named %q%s", a.Calendar.Value, nearest(a.Calendar.Value, calendars))
		}
	}
}

func (l *loader) checkMaintenance(s serviceEntry, zone *time.Location) {
	for _, m := range s.Maintenance {
		_, errs := m.window(zoneOr(m.Zone, zone))
		l.errors = append(l.errors, errs...)
	}
}
