package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
)

// incidentsPage is the list of incidents.
type incidentsPage struct {
	Blank    bool // nothing was ever recorded
	Setup    setup
	Selects  []selection
	Filtered bool
	Lists    []incidentList
}

// setup says how the first alert gets here.
type setup struct{ URL, Now, Tenant string }

func (p *Pages) setup(r *http.Request, asOf ingest.Millis) setup {
	return setup{URL: p.base(r), Tenant: p.tenant(), Now: asOf.Time().Format("2006-01-02T15:04:05Z")}
}

type selection struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Text string
	Selected    bool
}

type incidentList struct {
	ID, Title, Basis, Empty string
	Rows                    []incidentRow
	Older, First            string

	asOf     ingest.Millis
	warnings []string
}

type incidentRow struct {
	ID, Href, Title, Version string
	Severity                 severity
	State                    string
	LastedVerb               string
	Lasted                   length
	Opened                   instant
	Services                 []link
	MoreServices             int
	Episodes                 string
	Firing, Unknown          int
	Cause                    *cause
}

// windows are the lengths of time that a list can be restricted to.
var windows = []struct {
	value, text string
	length      ingest.Millis
}{
	{"", "all time", 0}, {"24h", "last 24 hours", ingest.Day}, {"7d", "last 7 days", 7 * ingest.Day},
	{"30d", "last 30 days", 30 * ingest.Day}, {"90d", "last 90 days", 90 * ingest.Day},
}

var stateOptions = []option{
	{Value: "", Text: "any state"}, {Value: "open", Text: "open"}, {Value: "resolved", Text: "resolved"},
	{Value: "closed", Text: "closed"}, {Value: "merged", Text: "merged into others"},
}

func (p *Pages) incidents(ctx context.Context, r *http.Request) (made, error) {
	query := r.URL.Query()
	if err := p.restrict(query); err != nil {
		return made{}, err
	}
	lists, err := p.incidentLists(ctx, query)
	if err != nil {
		return made{}, err
	}
	asOf, warnings := lists[0].asOf, lists[0].warnings // every list is read as of the same instant
	body := incidentsPage{Lists: lists, Setup: p.setup(r, asOf), Filtered: filtered(query), Selects: p.selects(query)}
	body.Blank = !body.Filtered && query.Get("cursor") == "" && !slices.ContainsFunc(lists, func(l incidentList) bool { return len(l.Rows) > 0 })
	live := query.Get("as_of") == "" && query.Get("cursor") == ""
	return made{view: "incidents", title: "Incidents", asOf: asOf, live: live, warnings: warnings, body: body}, nil
}

// restrict adds the from that the parameter window stands for. The parameter stays, for the form.
func (p *Pages) restrict(query url.Values) error {
	params := api.ReadParams(query, "state", "service", "window", "from", "to", "as_of", "limit", "cursor")
	name := params.OneOf("window", "24h", "7d", "30d", "90d")
	asOf, _, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return err
	}
	for _, w := range windows {
		if w.value == name && w.length > 0 && query.Get("from") == "" {
			query.Set("from", max(1, asOf-w.length).String())
			return nil
		}
	}
	query.Del("window")
	return nil
}

func filtered(query url.Values) bool {
	for _, name := range []string{"state", "service", "window", "from", "to"} {
		if query.Get(name) != "" {
			return true
		}
	}
	return false
}

// incidentLists returns the lists of the page: open ones first where no state
// is asked for, else the one list that is.
func (p *Pages) incidentLists(ctx context.Context, query url.Values) ([]incidentList, error) {
	query = without(query, "window")
	if state := query.Get("state"); state != "" {
		list, err := p.oneList(ctx, query, nil)
		list.ID, list.Title, list.Empty = "incidents", "Incidents, "+state, "None matches. Clear the filter to see all."
		return []incidentList{list}, err
	}
	var lists []incidentList
	if query.Get("cursor") == "" {
		first := without(query, "limit")
		first.Set("state", string(correlate.IncidentOpen))
		first.Set("limit", strconv.Itoa(api.MaxLimit))
		open, err := p.oneList(ctx, first, nil)
		if err != nil {
			return nil, err
		}
		open.ID, open.Title, open.Empty = "open", "Open", "Nothing is open."
		lists = append(lists, open)
		query = without(query)
		query.Set("as_of", open.asOf.String())
	}
	others, err := p.oneList(ctx, query, func(i correlate.Incident) bool { return i.State == correlate.IncidentOpen })
	others.ID, others.Title, others.Empty = "others", "Resolved and closed", "None."
	return append(lists, others), err
}

// oneList reads a page of incidents without those to skip. Where skipping leaves
// few, it reads on.
func (p *Pages) oneList(ctx context.Context, query url.Values, skip func(correlate.Incident) bool) (incidentList, error) {
	var list incidentList
	onLaterPage := query.Get("cursor") != ""
	for next := query; ; {
		page, warnings, err := p.reads.ListIncidents(ctx, api.ReadParams(next, "state", "service", "from", "to", "as_of", "limit", "cursor"))
		if err != nil {
			return list, err
		}
		list.asOf, list.warnings = page.AsOf, warnings
		for _, incident := range page.Incidents {
			if skip == nil || !skip(incident) {
				list.Rows = append(list.Rows, p.incidentRow(incident, page.AsOf))
			}
		}
		list.Older = ""
		if page.Next != "" {
			next = without(query, "as_of", "cursor")
			next.Set("cursor", page.Next)
			list.Older = "/?" + next.Encode()
		}
		if page.Next == "" || len(list.Rows) >= api.DefaultLimit/2 {
			list.Basis = p.listBasis(page, len(list.Rows), onLaterPage)
			break
		}
	}
	if onLaterPage {
		list.First = "/?" + without(query, "as_of", "cursor").Encode()
	}
	return list, nil
}

// listBasis says what a list is of.
func (p *Pages) listBasis(page api.IncidentList, n int, later bool) string {
	text := "n = " + grouped(int64(n))
	if page.Next != "" || later {
		text += " on this page"
	}
	zone, _ := p.reads.Current().Zone()
	switch {
	case page.From != 0 && page.To != 0:
		text += ", touching " + windowText(api.Window{From: page.From, To: page.To, Zone: zone})
	case page.From != 0:
		text += ", touching the time since " + p.instant(page.From).Text + ", " + zone
	case page.To != 0:
		text += ", opened before " + p.instant(page.To).Text + ", " + zone
	}
	return text
}

func without(query url.Values, names ...string) url.Values {
	rest := url.Values{}
	for name, values := range query {
		if !slices.Contains(names, name) {
			rest[name] = values
		}
	}
	return rest
}

// mostServices is how many services a row names.
const mostServices = 6

// episodesOf says how many episodes an incident has. The silence of a source has none.
func episodesOf(i correlate.Incident) string {
	if i.Kind == correlate.Silent {
		return "no sign of life"
	}
	return count(i.Episodes, "episode", "episodes")
}

func (p *Pages) incidentRow(i correlate.Incident, asOf ingest.Millis) incidentRow {
	row := incidentRow{
		ID: i.ID, Href: incidentHref(i.ID), Title: title(i), Version: strconv.FormatUint(i.Version(), 10),
		Severity: severityOf(i.Severity), State: string(i.State),
		LastedVerb: verb(i.State), Lasted: lasted(i.OpenedAt, i.ResolvedAt, asOf), Opened: p.instant(i.OpenedAt),
		Services: serviceLinks(i.Services), Episodes: episodesOf(i), Firing: i.Firing, Unknown: i.Unknown,
	}
	if len(row.Services) > mostServices {
		row.MoreServices = len(row.Services) - mostServices
		row.Services = row.Services[:mostServices]
	}
	if len(i.Causes) > 0 {
		best := causeOf(i.Causes[0])
		row.Cause = &best
	}
	return row
}

// title never leaves a link without words.
func title(i correlate.Incident) string {
	if i.Title == "" {
		return "Incident " + i.ID
	}
	return i.Title
}

// selects are the fields of the filter.
func (p *Pages) selects(query url.Values) []selection {
	services := []option{{Value: "", Text: "any service"}}
	for _, s := range p.reads.Current().Correlation.Services {
		services = append(services, option{Value: s.Name, Text: s.Name})
	}
	times := make([]option, len(windows))
	for i, w := range windows {
		times[i] = option{Value: w.value, Text: w.text}
	}
	if query.Get("window") == "" && query.Get("from")+query.Get("to") != "" {
		times[0] = option{Value: "", Text: fmt.Sprintf("%s to %s", query.Get("from"), query.Get("to"))}
	}
	return []selection{
		{"state", "State", choose(stateOptions, query.Get("state"))},
		{"service", "Service", choose(services, query.Get("service"))},
		{"window", "Time", choose(times, query.Get("window"))},
	}
}

// choose marks the option of a value; one that is not among them is added.
func choose(options []option, value string) []option {
	chosen := slices.Clone(options)
	for i := range chosen {
		if chosen[i].Value == value {
			chosen[i].Selected = true
			return chosen
		}
	}
	return append(chosen, option{Value: value, Text: value, Selected: true})
}
