package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// reportsPage is the list of reports.
type reportsPage struct {
	Basis   string
	Rows    []reportRow
	Setup   setup
	Example string
}

type reportRow struct {
	Period, State        string
	From, To             instant
	HTML, Markdown, JSON string
}

func (p *Pages) reports(ctx context.Context, r *http.Request) (made, error) {
	params := api.ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return made{}, err
	}
	list, err := p.reads.ListReports(ctx, asOf)
	if err != nil {
		return made{}, err
	}
	zone, err := sla.LoadZone(list.Zone)
	if err != nil {
		return made{}, err
	}
	body := reportsPage{Setup: p.setup(r, asOf), Example: asOf.Time().Format("2006-01")}
	body.Basis = "n = " + count(len(list.Reports), "month", "months") + " since the first delivery at " +
		instantIn(list.HistoryFrom, zone).Text + ", " + list.Zone
	for _, line := range list.Reports {
		body.Rows = append(body.Rows, reportRowOf(line, zone, params.Text("as_of")))
	}
	return made{view: "reports", title: "Reports", asOf: asOf, warnings: warnings, body: body}, nil
}

func reportRowOf(line api.ReportLine, zone *time.Location, asOf string) reportRow {
	href := func(f report.Format) string {
		query := url.Values{"format": {string(f)}}
		if asOf != "" {
			query.Set("as_of", asOf)
		}
		return "/reports/" + url.PathEscape(line.Period) + "?" + query.Encode()
	}
	row := reportRow{
		Period: line.Period, From: instantIn(line.From, zone), To: instantIn(line.To, zone), State: "running: up to now",
		HTML: href(report.FormatHTML), Markdown: href(report.FormatMarkdown), JSON: href(report.FormatJSON),
	}
	if line.Complete {
		row.State = "complete"
	}
	if line.Partial {
		row.State += ", begins before the first delivery"
	}
	return row
}

// openReport leads from the form to the report's own address.
func (p *Pages) openReport(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/reports/"+url.PathEscape(r.URL.Query().Get("period")), http.StatusFound)
}

// report answers with the report itself: its HTML is a page of its own, to be kept or sent.
func (p *Pages) report(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), p.options.Timeout)
	defer cancel()
	p, err := p.askedBy(r)
	format, body := report.FormatHTML, []byte(nil)
	if err == nil {
		format, body, err = p.renderReport(ctx, r)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	api.ReportHeaders(w.Header(), format)
	if _, err := bytes.NewReader(body).WriteTo(w); err != nil {
		p.options.Logger.Debug("reader went away", "path", r.URL.Path, "err", err)
	}
}

func (p *Pages) renderReport(ctx context.Context, r *http.Request) (report.Format, []byte, error) {
	params := api.ReadParams(r.URL.Query(), "format", "as_of")
	format := report.FormatHTML
	if name := params.OneOf("format", "html", "md", "json"); name != "" {
		format = report.Format(name)
	}
	asOf, _, err := p.reads.AsOf(params)
	if err := errors.Join(params.Err(), err); err != nil {
		return format, nil, err
	}
	body, err := p.reads.RenderReport(ctx, api.ReportQuery{Period: r.PathValue("period"), Format: format, AsOf: asOf, Pages: ".."})
	return format, body, err
}
