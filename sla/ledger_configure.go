package sla

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if _, err := c.Terms(); err != nil {
		return err
	}
	if _, err := newImpact(c.Impact); err != nil {
		return err
	}
	names := make(map[string]bool, len(c.Services))
	for _, s := range c.Services {
		if s.Name == "" || names[s.Name] {
			return fmt.Errorf("service %q has no name of its own", s.Name)
		}
		names[s.Name] = true
		if _, err := newImpact(s.Impact); err != nil {
			return fmt.Errorf("service %q: %w", s.Name, err)
		}
	}
	return nil
}

// Configure replaces the configuration. at is the received_at of its record: where
// coverage of its new services begins, and ends for those it leaves out. A
// configuration that is not valid is an error and changes nothing.
func (l *Ledger) Configure(at ingest.Millis, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("configure the ledger: %w", err)
	}
	p, err := l.plan(at, c)
	if err != nil {
		return fmt.Errorf("configure the ledger: %w", err)
	}
	l.rules, l.source = p.rules, c.Impact
	waiting := l.waiting()
	for _, next := range p.services {
		if old := l.services[next.name]; old != nil {
			l.replace(old, next)
		} else {
			l.introduce(next, waiting[next.name])
		}
	}
	l.zones, l.hours = p.zones, p.hours
	return nil
}

// waiting returns the series of services that are not configured yet, by service.
func (l *Ledger) waiting() map[string][]*series {
	found := make(map[string][]*series)
	for _, s := range l.series {
		if s.of == nil {
			found[s.service] = append(found[s.service], s)
		}
	}
	return found
}

// introduce adds a service, with the rows of what was seen of it before.
func (l *Ledger) introduce(next *service, waiting []*series) {
	l.services[next.name] = next
	own := seriesKey{ingest.DefaultTenant, next.name}
	if l.series[own] == nil && l.share.Has(next.name) {
		l.series[own] = &series{seriesKey: own}
		waiting = append(waiting, l.series[own])
	}
	next.series = waiting
	for _, s := range waiting {
		s.of = next
		for v, to := range l.views(s) {
			l.write(s, to, &v, v.open, +1)
		}
	}
}

// replace puts next in the place of old and restates the rows that differ.
func (l *Ledger) replace(old, next *service) {
	l.services[next.name] = next
	next.series = old.series
	for _, s := range next.series {
		for v, to := range l.views(s) {
			if restates(old, next, to) {
				l.write(s, to, &v, v.open, -1)
			}
		}
		s.of = next
		for v, to := range l.views(s) {
			if !restates(old, next, to) {
				continue
			}
			if was := old.agreement(to.agreement); to.segments && was != nil && was.zone != next.agreement(to.agreement).zone {
				v.open.From = l.open(was).From // the part of a day between the midnights of the two zones
			}
			l.write(s, to, &v, v.open, +1)
		}
	}
}

// restates says whether rows of a table may differ between old and next.
func restates(old, next *service, to table) bool {
	if !slices.Equal(old.cover, next.cover) {
		return true
	}
	if !to.segments {
		return false
	}
	was, is := old.agreement(to.agreement), next.agreement(to.agreement)
	return was == nil || is == nil || !slices.Equal(old.planned, next.planned) ||
		was.zone != is.zone || was.hours != is.hours || was.until != is.until
}

// agreement returns the agreement of that name, or nil.
func (s *service) agreement(name string) *agreement {
	k, found := slices.BinarySearchFunc(s.agreements, name, func(a *agreement, name string) int { return cmp.Compare(a.name, name) })
	if !found {
		return nil
	}
	return s.agreements[k]
}

// plan is a configuration made ready, before anything is changed.
type plan struct {
	l         *Ledger
	at        ingest.Millis
	root      string
	rules     []impactRule
	calendars map[string]*agreed // by name
	zones     map[string]*zone   // in use, by name
	hours     map[string]*agreed // in use, by content
	services  []*service         // in order of the configuration, then those that it leaves out, by name
}

func (l *Ledger) plan(at ingest.Millis, c Config) (*plan, error) {
	p := &plan{
		l: l, at: at, root: cmp.Or(c.Zone, DefaultZone), calendars: make(map[string]*agreed),
		zones: make(map[string]*zone), hours: make(map[string]*agreed),
	}
	var err error
	if p.rules, err = newImpact(slices.Concat(c.Impact, DefaultImpact())); err != nil {
		return nil, err
	}
	for _, calendar := range c.Calendars {
		calendar.Zone = cmp.Or(calendar.Zone, p.root)
		if p.calendars[calendar.Name], err = p.agreed(calendar); err != nil {
			return nil, err
		}
	}
	for _, s := range c.Services {
		next, err := p.service(s)
		if err != nil {
			return nil, err
		}
		p.services = append(p.services, next)
	}
	p.without(c)
	return p, nil
}

// without plans the services that c leaves out.
func (p *plan) without(c Config) {
	named := make(map[string]bool, len(c.Services))
	for _, s := range c.Services {
		named[s.Name] = true
	}
	var gone []*service
	for name, old := range p.l.services {
		if named[name] {
			continue
		}
		next := *old
		next.present = false
		if old.present {
			next.cover = old.cover.Clip(Interval{0, p.at})
		}
		p.use(next.agreements)
		gone = append(gone, &next)
	}
	slices.SortFunc(gone, func(a, b *service) int { return strings.Compare(a.name, b.name) })
	p.services = append(p.services, gone...)
}

// service plans one service of the configuration.
func (p *plan) service(s ServiceLevels) (*service, error) {
	next := &service{name: s.Name, present: true, rules: s.Impact, planned: planned(s.Maintenance)}
	var err error
	if next.impact, err = newImpact(s.Impact); err != nil {
		return nil, err
	}
	old := p.l.services[s.Name]
	if old == nil {
		old = &service{since: p.at}
	}
	next.since, next.cover = old.since, slices.Clone(old.cover)
	if !old.present {
		next.cover = next.cover.append(Interval{p.at, Forever})
	}
	for _, a := range slices.Concat([]Agreement{{}}, s.Agreements) {
		one, err := p.agreement(old, a)
		if err != nil {
			return nil, err
		}
		next.agreements = append(next.agreements, one)
	}
	for _, was := range old.agreements {
		if !slices.ContainsFunc(next.agreements, func(a *agreement) bool { return a.name == was.name }) {
			next.agreements = append(next.agreements, p.ended(was))
		}
	}
	slices.SortFunc(next.agreements, func(a, b *agreement) int { return strings.Compare(a.name, b.name) })
	next.agreements = slices.DeleteFunc(next.agreements, func(a *agreement) bool {
		return a.until != 0 && a.until <= p.l.oldest()
	})
	p.use(next.agreements)
	return next, nil
}

// agreement plans one agreement of a service that was old before.
func (p *plan) agreement(old *service, a Agreement) (*agreement, error) {
	z, err := p.zone(cmp.Or(a.Zone, p.root))
	if err != nil {
		return nil, err
	}
	next := &agreement{name: a.Name, zone: z, hours: p.calendars[a.Calendar]}
	if was := old.agreement(a.Name); was != nil {
		next.since = was.since
		if was.zone != z {
			next.since = z.midnightFrom(p.l.open(was).From)
		}
	}
	return next, nil
}

// ended returns an agreement that the configuration leaves out: it has rows to the
// end of its day.
func (p *plan) ended(was *agreement) *agreement {
	next := *was
	if next.until == 0 {
		next.until = was.zone.day(p.l.now).To
	}
	return &next
}

// use notes the zones and hours of agreements as in use.
func (p *plan) use(agreements []*agreement) {
	for _, a := range agreements {
		p.zones[a.zone.name] = a.zone
		if a.hours != nil {
			p.hours[a.hours.key] = a.hours
		}
	}
}

// zone returns the zone of that name, the same one for as long as it is in use.
func (p *plan) zone(name string) (*zone, error) {
	if z := cmp.Or(p.l.zones[name], p.zones[name]); z != nil {
		return z, nil
	}
	loc, err := LoadZone(name)
	if err != nil {
		return nil, err
	}
	p.zones[name] = &zone{name: name, loc: loc}
	return p.zones[name], nil
}

// agreed returns the hours of a calendar, the same ones for equal calendars.
func (p *plan) agreed(c Calendar) (*agreed, error) {
	key, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("calendar %q: %w", c.Name, err)
	}
	if a := p.l.hours[string(key)]; a != nil {
		return a, nil
	}
	s, err := NewSchedule(c, p.root)
	if err != nil {
		return nil, fmt.Errorf("calendar %q: %w", c.Name, err)
	}
	return &agreed{key: string(key), calendar: c, schedule: s}, nil
}
