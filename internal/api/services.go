package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// Service is an entry of the catalogue, or a service that only alerts name, with
// how it stands.
type Service struct {
	correlate.Service
	Catalogued    bool            `json:"catalogued"` // false: only alerts name it
	UsedBy        []string        `json:"used_by"`
	Agreements    []sla.Agreement `json:"agreements"`
	OpenIncidents int             `json:"open_incidents"`
	Month         []Level         `json:"month"`        // the service itself and each agreement
	Last30Days    []Level         `json:"last_30_days"` // likewise
}

// ServiceList is all services, by tier and name: the most important first.
type ServiceList struct {
	AsOf       ingest.Millis `json:"as_of"`
	Month      Window        `json:"month"`
	Last30Days Window        `json:"last_30_days"`
	Services   []Service     `json:"services"`
}

// lastDays is the length of the rolling window beside the calendar month.
const lastDays = 30 * ingest.Day

// ListServices returns the services of the catalogue and of the ledger as they
// stood at asOf. Names restrict it; all are listed where there are none.
func (r *Reads) ListServices(ctx context.Context, asOf ingest.Millis, names ...string) (ServiceList, error) {
	catalogue, err := r.Catalogue(ctx, asOf)
	if err != nil {
		return ServiceList{}, err
	}
	zone, loc := catalogue.Zone()
	month, name, _ := sla.WindowAt(sla.WindowMonth, asOf, loc) // a known window
	list := ServiceList{
		AsOf:       asOf,
		Month:      Window{month.From, month.To, zone, name},
		Last30Days: Window{max(1, asOf-lastDays), asOf, zone, ""},
	}
	services := newServiceSet(catalogue, names)
	thisMonth, err := r.measure(ctx, LevelQuery{Services: names, Agreement: sla.EveryAgreement, Window: list.Month, AsOf: asOf}, catalogue)
	if err != nil {
		return list, err
	}
	lately, err := r.measure(ctx, LevelQuery{Services: names, Agreement: sla.EveryAgreement, Window: list.Last30Days, AsOf: asOf}, catalogue)
	if err != nil {
		return list, err
	}
	services.note(thisMonth, lately)
	if err := r.countOpen(ctx, asOf, services); err != nil {
		return list, err
	}
	list.Services = services.sorted()
	return list, nil
}

// OneService returns one service as it stood at asOf.
func (r *Reads) OneService(ctx context.Context, name string, asOf ingest.Millis) (ServiceList, error) {
	list, err := r.ListServices(ctx, asOf, name)
	if err != nil {
		return list, err
	}
	if len(list.Services) == 0 {
		return list, &NotFoundError{Kind: "service", Name: name,
			Hint: "neither the catalogue nor what was recorded lately names it; /api/v1/services lists what is known"}
	}
	return list, nil
}

// countOpen counts the open incidents of each service.
func (r *Reads) countOpen(ctx context.Context, asOf ingest.Millis, services *serviceSet) error {
	q := correlatestore.IncidentQuery{
		Tenant: r.tenant(), State: correlate.IncidentOpen, AsOf: asOf, Limit: correlatestore.MaxLimit,
	}
	for {
		page, err := r.Incidents.Incidents(ctx, q)
		if err != nil {
			return err
		}
		for _, incident := range page.Incidents {
			for _, name := range incident.Services {
				if s := services.of(name, true); s != nil {
					s.OpenIncidents++
				}
			}
		}
		if page.Next == "" {
			return nil
		}
		q.Cursor = page.Next
	}
}

// serviceSet collects what is known of services from several reads.
type serviceSet struct {
	catalogue Catalogue
	only      []string // empty: all
	byName    map[string]*Service
	usedBy    map[string][]string
}

func newServiceSet(c Catalogue, only []string) *serviceSet {
	set := &serviceSet{catalogue: c, only: only, byName: map[string]*Service{}, usedBy: map[string][]string{}}
	for _, s := range c.Correlation.Services {
		for _, needed := range s.DependsOn {
			set.usedBy[needed] = append(set.usedBy[needed], s.Name)
		}
	}
	for _, s := range c.Correlation.Services {
		if set.wanted(s.Name) {
			set.add(s, true)
		}
	}
	return set
}

// note gives each service its levels. Both lists are gone through for names first, so
// that a service that was seen in one window shows both.
func (set *serviceSet) note(month, lately []Level) {
	for _, l := range slices.Concat(month, lately) {
		set.of(l.Service, l.seen())
	}
	for _, l := range month {
		if s := set.of(l.Service, false); s != nil {
			s.Month = append(s.Month, l)
		}
	}
	for _, l := range lately {
		if s := set.of(l.Service, false); s != nil {
			s.Last30Days = append(s.Last30Days, l)
		}
	}
}

func (set *serviceSet) wanted(name string) bool {
	return len(set.only) == 0 || slices.Contains(set.only, name)
}

// of returns the service of a name. One that the catalogue lacks is added where
// something was seen of it; else, and where it is not wanted, it is nil.
func (set *serviceSet) of(name string, seen bool) *Service {
	if s := set.byName[name]; s != nil || !seen || name == "" || !set.wanted(name) {
		return s
	}
	return set.add(correlate.Service{Name: name}, false)
}

func (set *serviceSet) add(s correlate.Service, catalogued bool) *Service {
	usedBy := slices.Sorted(slices.Values(set.usedBy[s.Name]))
	added := &Service{
		Service: s, Catalogued: catalogued, UsedBy: orEmpty(usedBy),
		Agreements: orEmpty(set.catalogue.Agreements(s.Name)),
		Month:      []Level{}, Last30Days: []Level{},
	}
	set.byName[s.Name] = added
	return added
}

// sorted returns the services by tier, those without one last, then by name.
func (set *serviceSet) sorted() []Service {
	list := make([]Service, 0, len(set.byName))
	for _, s := range set.byName {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b Service) int {
		return cmp.Or(cmp.Compare(uint(a.Tier-1), uint(b.Tier-1)), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (a *API) services(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := a.reads.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return answer{}, err
	}
	list, err := a.reads.ListServices(ctx, asOf)
	return answer{list, warnings}, err
}

func (a *API) service(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := a.reads.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return answer{}, err
	}
	list, err := a.reads.OneService(ctx, r.PathValue("name"), asOf)
	return answer{list, warnings}, err
}
