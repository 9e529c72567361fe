package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// servicePage is one service.
type servicePage struct {
	Name, Display, Description, Owner, Tier, Runbook string
	Catalogued                                       bool
	Windows                                          []tab
	Levels                                           []levelCard
	IncidentsBasis                                   string
	Incidents                                        []incidentRow
	MoreIncidents                                    string
	DependsOn, UsedBy                                []link
	Agreements                                       []agreement
}

type tab struct {
	Name, Href string
	Current    bool
}

// levelCard is availability under one agreement with all that it was made of.
type levelCard struct {
	ID, Title, Window, Percent, PercentTitle, Objective, Reason string
	Standing                                                    *standing
	Strip                                                       strip
	Buckets                                                     []bucket
	Outages                                                     string
	Downtime, Counted                                           length
	Budget, BudgetName, Coverage, Policy, JSON                  string
	IntervalsTitle                                              string
	OpenIntervals                                               bool
	Intervals                                                   []intervalRow
}

type intervalRow struct {
	From, To      instant
	Open          bool
	Bucket, State string
	Length        length
}

type agreement struct{ Name, Text string }

// serviceWindows are the windows that a service is looked at in. Each is cut in the zone of
// the agreement that it is measured under.
var serviceWindows = []struct {
	value, text string
	at          func(asOf ingest.Millis, loc *time.Location) api.Window
}{
	{"today", "Today", calendar(sla.WindowDay)},
	{"7d", "Last 7 days", rolling(7)},
	{"month", "This month", calendar(sla.WindowMonth)},
	{"last-month", "Last month", lastMonth},
	{"30d", "Last 30 days", rolling(30)},
	{"quarter", "This quarter", calendar(sla.WindowQuarter)},
	{"90d", "Last 90 days", rolling(90)},
	{"year", "This year", calendar(sla.WindowYear)},
}

// defaultWindow is what a service is shown in at first.
const defaultWindow = "month"

func calendar(window string) func(ingest.Millis, *time.Location) api.Window {
	return func(asOf ingest.Millis, loc *time.Location) api.Window {
		i, name, _ := sla.WindowAt(window, asOf, loc) // a known window
		return api.Window{From: i.From, To: i.To, Zone: loc.String(), Name: name}
	}
}

func rolling(days ingest.Millis) func(ingest.Millis, *time.Location) api.Window {
	return func(asOf ingest.Millis, loc *time.Location) api.Window {
		return api.Window{From: max(1, asOf-days*ingest.Day), To: asOf, Zone: loc.String()}
	}
}

func lastMonth(asOf ingest.Millis, loc *time.Location) api.Window {
	this := calendar(sla.WindowMonth)(asOf, loc)
	return calendar(sla.WindowMonth)(this.From-1, loc)
}

func (p *Pages) service(ctx context.Context, r *http.Request) (made, error) {
	params := api.ReadParams(r.URL.Query(), "window", "period", "from", "to", "as_of")
	names := make([]string, len(serviceWindows))
	for i, w := range serviceWindows {
		names[i] = w.value
	}
	choice := params.OneOf("window", names...)
	asOf, warnings, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return made{}, err
	}
	catalogue, err := p.reads.Catalogue(ctx, asOf)
	if err != nil {
		return made{}, err
	}
	name := r.PathValue("name")
	list, err := p.reads.OneService(ctx, name, asOf)
	if err != nil {
		return made{}, err
	}
	window, err := windowOf(params, choice, asOf, catalogue)
	if err != nil {
		return made{}, err
	}
	root, err := window("")
	if err != nil {
		return made{}, err
	}
	body := serviceBody(list.Services[0], catalogue)
	body.Windows = tabs(name, choice, params)
	if body.Levels, err = p.levelCards(ctx, list.Services[0], window, asOf); err != nil {
		return made{}, err
	}
	if err := p.addIncidents(ctx, &body, name, root, asOf, params); err != nil {
		return made{}, err
	}
	return made{
		view: "service", title: name, asOf: asOf, live: params.Text("as_of") == "", warnings: warnings, body: body,
	}, nil
}

// windowIn returns a window, cut in the zone of that name; "" is the catalogue's.
type windowIn func(zone string) (api.Window, error)

// windowOf returns the window asked for. Given by its ends or its name it is the same in every zone.
func windowOf(params *api.Params, choice string, asOf ingest.Millis, catalogue api.Catalogue) (windowIn, error) {
	if choice == "" && (params.Has("period") || params.Has("from") || params.Has("to")) {
		fixed := catalogue.ReadWindow(params, asOf)
		return func(string) (api.Window, error) { return fixed, nil }, params.Err()
	}
	root, _ := catalogue.Zone()
	choice = cmp.Or(choice, defaultWindow)
	for _, w := range serviceWindows {
		if w.value == choice {
			return func(zone string) (api.Window, error) {
				loc, err := sla.LoadZone(cmp.Or(zone, root))
				if err != nil {
					return api.Window{}, err
				}
				return w.at(asOf, loc), nil
			}, nil
		}
	}
	return nil, params.Err()
}

func tabs(service, choice string, params *api.Params) []tab {
	custom := params.Has("period") || params.Has("from") || params.Has("to")
	if choice == "" && !custom {
		choice = defaultWindow
	}
	list := make([]tab, len(serviceWindows))
	for i, w := range serviceWindows {
		query := url.Values{"window": {w.value}}
		if at := params.Text("as_of"); at != "" {
			query.Set("as_of", at)
		}
		list[i] = tab{Name: w.text, Href: serviceLink(service).Href + "?" + query.Encode(), Current: w.value == choice}
	}
	return list
}

func serviceBody(s api.Service, catalogue api.Catalogue) servicePage {
	body := servicePage{
		Name: s.Name, Display: s.DisplayName, Description: s.Description, Owner: s.Owner, Tier: tier(s.Tier),
		Runbook: s.Runbook, Catalogued: s.Catalogued, DependsOn: serviceLinks(s.DependsOn), UsedBy: serviceLinks(s.UsedBy),
	}
	zone, _ := catalogue.Zone()
	for _, a := range s.Agreements {
		text := objective(a.Objective) + " in each " + cmp.Or(a.Window, sla.WindowMonth) + ", " + cmp.Or(a.Zone, zone) +
			", hours: " + cmp.Or(a.Calendar, "always") + "; policy " + a.Policy.Filled().String()
		body.Agreements = append(body.Agreements, agreement{a.Name, text})
	}
	return body
}

// levelCards measures the service under each of its agreements, and by itself.
func (p *Pages) levelCards(ctx context.Context, s api.Service, window windowIn, asOf ingest.Millis) ([]levelCard, error) {
	var cards []levelCard
	for _, a := range append(s.Agreements[:len(s.Agreements):len(s.Agreements)], sla.Agreement{}) {
		w, err := window(a.Zone)
		if err != nil {
			return nil, err
		}
		q := api.LevelQuery{Services: []string{s.Name}, Agreement: a.Name, Window: w, AsOf: asOf, Intervals: true}
		levels, err := p.reads.MeasureLevels(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, l := range levels {
			card := p.levelCard(l, a, q.Window)
			card.ID = "level-" + strconv.Itoa(len(cards))
			if len(cards) > 0 { // what is below differs little from what is above it
				card.OpenIntervals = false
			}
			cards = append(cards, card)
		}
	}
	return cards, nil
}

// shortList is how many intervals are shown without being asked for.
const shortList = 12

func (p *Pages) levelCard(l api.Level, a sla.Agreement, w api.Window) levelCard {
	card := levelCard{
		Title: "The service itself, at all hours", Window: windowText(w),
		Percent: percent(l), PercentTitle: percentTitle(l), Objective: promised(l), Reason: l.Reason, Standing: standingOf(l, a),
		Strip: p.stripOf(l), Buckets: buckets(l.Matrix.Buckets), Outages: "n = " + grouped(int64(l.Outages)),
		Downtime: lengthOf(l.Downtime), Counted: lengthOf(l.Counted), Budget: budget(l.Budget),
		Coverage: coverage(l), Policy: l.Policy.String(),
		IntervalsTitle: count(len(l.Intervals), "interval that was not up", "intervals that were not up"),
		OpenIntervals:  len(l.Intervals) > 0 && len(l.Intervals) <= shortList,
	}
	if l.Agreement != "" {
		card.Title = "Agreement " + l.Agreement
	}
	card.BudgetName = "Error budget"
	if !ownWindow(l, a) {
		card.BudgetName = "Budget, were this the agreed window"
	}
	card.JSON = "/api/v1/availability?" + url.Values{
		"service": {l.Service}, "agreement": {l.Agreement}, "from": {l.From.String()}, "to": {l.To.String()},
		"as_of": {l.AsOf.String()}, "intervals": {"true"},
	}.Encode()
	for _, i := range l.Intervals {
		card.Intervals = append(card.Intervals, intervalRow{
			From: p.instant(i.From), To: p.instant(i.To), Open: i.Open && i.To == l.AsOf,
			Bucket: bucketName(i.Bucket), State: string(i.State), Length: lengthOf(int64(i.To - i.From)),
		})
	}
	return card
}

func budget(b *sla.Budget) string {
	if b == nil {
		return ""
	}
	total, spent := lengthOf(b.Total).Text, lengthOf(b.Spent).Text
	if b.Left < 0 {
		return "overspent by " + lengthOf(-b.Left).Text + ": " + spent + " of " + total
	}
	return lengthOf(b.Left).Text + " left: " + spent + " of " + total + " spent"
}

// shownIncidents is how many incidents the page of a service lists.
const shownIncidents = 20

func (p *Pages) addIncidents(ctx context.Context, body *servicePage, name string, w api.Window, asOf ingest.Millis, params *api.Params) error {
	query := url.Values{"service": {name}, "from": {w.From.String()}, "to": {w.To.String()}}
	if at := params.Text("as_of"); at != "" {
		query.Set("as_of", at)
	}
	body.MoreIncidents = "/?" + query.Encode()
	query.Set("limit", strconv.Itoa(shownIncidents))
	query.Set("as_of", asOf.String())
	page, _, err := p.reads.ListIncidents(ctx, api.ReadParams(query, "service", "from", "to", "as_of", "limit"))
	if err != nil {
		return err
	}
	for _, i := range page.Incidents {
		body.Incidents = append(body.Incidents, p.incidentRow(i, asOf))
	}
	body.IncidentsBasis = "n = " + grouped(int64(len(page.Incidents)))
	if page.Next == "" {
		body.MoreIncidents = ""
	} else {
		body.IncidentsBasis = "the newest " + grouped(int64(len(page.Incidents)))
	}
	body.IncidentsBasis += ", touching " + windowText(w)
	return nil
}
