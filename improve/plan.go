package improve

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/sla"
)

// planned is one row that the availability table will have.
type planned struct {
	service   correlate.Service
	agreement string // "" is the service without one
	window    Window
	partial   string // why window is not a whole one of the agreement
}

// plan returns the levels that the report speaks of, by service, agreement and window.
func (p Params) plan() ([]planned, error) {
	agreements := map[string][]sla.Agreement{}
	services := map[string]correlate.Service{}
	for _, s := range p.Services {
		services[s.Name] = s
	}
	for _, s := range p.Levels.Services {
		agreements[s.Name] = s.Agreements
		if _, ok := services[s.Name]; !ok {
			services[s.Name] = correlate.Service{Name: s.Name}
		}
	}
	var plan []planned
	for name, s := range services {
		if len(agreements[name]) == 0 {
			plan = append(plan, planned{service: s, window: p.Period.Window})
		}
		for _, a := range agreements[name] {
			rows, err := p.planAgreement(s, a)
			if err != nil {
				return nil, fmt.Errorf("agreement %q of service %q: %w", a.Name, name, err)
			}
			plan = append(plan, rows...)
		}
	}
	slices.SortFunc(plan, func(a, b planned) int {
		return cmp.Or(cmp.Compare(a.service.Name, b.service.Name), cmp.Compare(a.agreement, b.agreement), cmp.Compare(a.window.From, b.window.From))
	})
	return plan, nil
}

// planAgreement returns a level for each of the agreement's windows that ends in
// the period, read in the agreement's own zone. Where none does (a quarterly promise in a
// report of October) it returns the running one, up to the period's end.
func (p Params) planAgreement(s correlate.Service, a sla.Agreement) ([]planned, error) {
	zone := cmp.Or(a.Zone, p.Period.Zone)
	loc, err := sla.LoadZone(zone)
	if err != nil {
		return nil, err
	}
	period, err := sla.Period(p.Period.Name, zone)
	if err != nil {
		return nil, err
	}
	var rows []planned
	for at := period.From; at < period.To; {
		w, _, err := sla.WindowAt(a.Window, at, loc)
		if err != nil {
			return nil, err
		}
		row := planned{service: s, agreement: a.Name, window: Window{w.From, w.To, zone}}
		if w.To > period.To {
			row.window.To = period.To
			row.partial = fmt.Sprintf("the agreement's %s had not ended: up to the end of the period", cmp.Or(a.Window, sla.WindowMonth))
		}
		if row.partial == "" || len(rows) == 0 {
			rows = append(rows, row)
		}
		at = w.To
	}
	return rows, nil
}

// find returns how a service did under an agreement, out of levels that are in order.
func find(levels []sla.Availability, service, agreement string) (sla.Availability, bool) {
	i, ok := slices.BinarySearchFunc(levels, [2]string{service, agreement}, func(a sla.Availability, key [2]string) int {
		return cmp.Or(cmp.Compare(a.Service, key[0]), cmp.Compare(a.Agreement, key[1]))
	})
	if !ok {
		return sla.Availability{}, false
	}
	return levels[i], true
}
