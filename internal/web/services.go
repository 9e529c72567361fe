package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// servicesPage is the list of services.
type servicesPage struct {
	Basis, MonthTitle string
	Rows              []serviceRow
	Legend            []bucket
}

type serviceRow struct {
	Name, Href, Display, Owner, Tier string
	Catalogued                       bool
	Month, Last30Days                *levelCell
	Open                             int
	OpenHref                         string
}

// levelCell is availability in a cell of a table.
type levelCell struct {
	Percent, Title, Href, Objective, Basis string
	Standing                               *standing
	Bar                                    bar
}

// standing says whether a promise is kept.
type standing struct{ Text, Class, Title string }

func (p *Pages) services(ctx context.Context, r *http.Request) (made, error) {
	params := api.ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return made{}, err
	}
	list, err := p.reads.ListServices(ctx, asOf)
	if err != nil {
		return made{}, err
	}
	body := servicesPage{
		MonthTitle: "This month, " + list.Month.Name,
		Basis: "n = " + count(len(list.Services), "service", "services") + ". This month is " + windowText(list.Month) +
			"; the last 30 days are " + windowText(list.Last30Days) + ". Where there are agreements the first counts.",
		Legend: buckets(sla.Buckets{}),
	}
	for _, s := range list.Services {
		body.Rows = append(body.Rows, p.serviceRow(s))
	}
	return made{view: "services", title: "Services", asOf: asOf, live: params.Text("as_of") == "", warnings: warnings, body: body}, nil
}

func (p *Pages) serviceRow(s api.Service) serviceRow {
	row := serviceRow{
		Name: s.Name, Href: serviceLink(s.Name).Href, Display: s.DisplayName, Owner: s.Owner, Tier: tier(s.Tier),
		Catalogued: s.Catalogued, Open: s.OpenIncidents,
		OpenHref: "/?" + url.Values{"state": {"open"}, "service": {s.Name}}.Encode(),
	}
	row.Month = cell(s, s.Month, "month")
	row.Last30Days = cell(s, s.Last30Days, "30d")
	return row
}

func tier(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// cell shows the level under the service's first agreement, or of the service itself.
func cell(s api.Service, levels []api.Level, window string) *levelCell {
	var first sla.Agreement
	if len(s.Agreements) > 0 {
		first = s.Agreements[0]
	}
	for _, l := range levels {
		if l.Agreement == first.Name {
			return &levelCell{
				Percent: percent(l), Title: percentTitle(l), Objective: promised(l), Standing: standingOf(l, first),
				Href:  serviceLink(s.Name).Href + "?window=" + window,
				Basis: cmp.Or(l.Reason, count(l.Outages, "outage", "outages")+", coverage "+coverage(l)),
				Bar:   barOf(l.Matrix.Buckets),
			}
		}
	}
	return nil
}

// percent is an availability with three decimals, cut and not rounded.
func percent(l api.Level) string {
	if l.Ratio == nil {
		return "–"
	}
	return l.Percent(3) + "\u202f%"
}

// percentTitle says what a percentage was made from.
func percentTitle(l api.Level) string {
	if l.Ratio == nil {
		return l.Reason
	}
	return "1 − " + grouped(l.Downtime) + " ms down / " + grouped(l.Counted) + " ms counted, cut and not rounded"
}

func promised(l api.Level) string {
	if l.Objective == 0 {
		return ""
	}
	return objective(l.Objective)
}

func coverage(l api.Level) string {
	if l.Coverage == nil {
		return "none"
	}
	return share(*l.Coverage)
}

// standingOf judges a promise in its own window. In any other the promise was not made, and the
// words say so. What is kept on what is known, but could be broken by what is not, is
// not proven.
func standingOf(l api.Level, a sla.Agreement) *standing {
	if l.Met == nil {
		return nil
	}
	s := &standing{Text: "met", Class: "met", Title: budget(l.Budget)}
	switch {
	case !ownWindow(l, a) && *l.Met:
		s.Text = "would be met"
	case !ownWindow(l, a):
		s.Text, s.Class = "would be missed", "missed"
	case !*l.Met:
		s.Text, s.Class = "missed", "missed"
	case l.Policy.Unknown == sla.Excluded && l.Budget != nil && l.Matrix.Unknown > l.Budget.Left:
		s.Text, s.Class = "not proven", "unproven"
	case !l.Final:
		s.Text = "kept so far"
	}
	return s
}

// ownWindow says whether a level was measured in a window that its agreement is about.
func ownWindow(l api.Level, a sla.Agreement) bool {
	loc, err := sla.LoadZone(l.Zone)
	if err != nil {
		return false
	}
	own, _, err := sla.WindowAt(a.Window, l.From, loc)
	return err == nil && own.From == l.From && own.To == l.To
}
