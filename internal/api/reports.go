package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// ReportLine is one period that a report can be had of.
type ReportLine struct {
	Period   string        `json:"period"`
	From     ingest.Millis `json:"from"`
	To       ingest.Millis `json:"to"`
	Complete bool          `json:"complete"` // it had ended at as_of
	Partial  bool          `json:"partial"`  // it had begun before the first delivery
}

// ReportList is the months since the first delivery, newest first.
type ReportList struct {
	AsOf        ingest.Millis `json:"as_of"`
	Zone        string        `json:"zone"`
	HistoryFrom ingest.Millis `json:"history_from"` // null where nothing was ever received
	Formats     []string      `json:"formats"`
	Reports     []ReportLine  `json:"reports"`
}

// maxMonths bounds a list where a delivery with a mad clock opened the history.
const maxMonths = 240

// ListReports lists the months that a report can be had of.
func (r *Reads) ListReports(ctx context.Context, asOf ingest.Millis) (ReportList, error) {
	catalogue, err := r.Catalogue(ctx, asOf)
	if err != nil {
		return ReportList{}, err
	}
	zone, loc := catalogue.Zone()
	list := ReportList{AsOf: asOf, Zone: zone, Reports: []ReportLine{}}
	for _, f := range report.Formats() {
		list.Formats = append(list.Formats, string(f))
	}
	from, err := r.Reports.HistoryFrom(ctx, r.tenant(), asOf)
	if err != nil || from == 0 {
		return list, err
	}
	list.HistoryFrom = from
	for at := asOf; len(list.Reports) < maxMonths; {
		month, name, err := sla.WindowAt(sla.WindowMonth, at, loc)
		if err != nil {
			return list, err
		}
		if month.From < asOf { // a report needs an instant after its beginning
			list.Reports = append(list.Reports, ReportLine{
				Period: name, From: month.From, To: month.To, Complete: month.To <= asOf, Partial: month.From < from,
			})
		}
		if month.From <= from {
			break
		}
		at = month.From - 1
	}
	return list, nil
}

// ReportQuery asks for the report of a period, cut in the zone of AsOf, as it stood then.
type ReportQuery struct {
	Period string
	Format report.Format
	AsOf   ingest.Millis
	// Pages leads from where the report is served to the pages, such as "..": its HTML
	// links there, unless the address of the pages is configured.
	Pages string
}

// RenderReport composes a report and renders it. The same query gives the same bytes.
func (r *Reads) RenderReport(ctx context.Context, q ReportQuery) ([]byte, error) {
	period, asOf := q.Period, q.AsOf
	if tooFar(period, asOf) {
		return nil, &NotFoundError{Kind: "report", Name: period, Hint: "the period lies in the future"}
	}
	catalogue, err := r.Catalogue(ctx, asOf)
	if err != nil {
		return nil, err
	}
	zone, _ := catalogue.Zone()
	p, err := improve.ParsePeriod(period, zone)
	if err != nil {
		return nil, badParam("period", period, strings.TrimPrefix(err.Error(), "period \""+period+"\" "))
	}
	if p.From >= asOf {
		return nil, &NotFoundError{Kind: "report", Name: period, Hint: "the period begins at " + p.From.String() + ", not before as_of " + asOf.String()}
	}
	made, err := r.Reports.Report(ctx, r.tenant(), p, asOf)
	if err != nil {
		return nil, err
	}
	if made.LinkBase == "" && q.Format == report.FormatHTML { // the others are kept as files
		made.LinkBase = q.Pages
	}
	var body bytes.Buffer
	if err := report.Render(&body, made, q.Format); err != nil {
		return nil, err
	}
	return body.Bytes(), nil
}

// ReportHeaders are the headers of a report in f. Its HTML brings its own style and
// no script, and is kept from having any.
func ReportHeaders(h http.Header, f report.Format) {
	h.Set("Content-Type", f.ContentType())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

func (a *API) reports(ctx context.Context, r *http.Request) (answer, error) {
	p := ReadParams(r.URL.Query(), "as_of")
	asOf, warnings, err := a.reads.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return answer{}, err
	}
	list, err := a.reads.ListReports(ctx, asOf)
	return answer{list, warnings}, err
}

// report answers with the report itself, outside of the envelope: it is a file.
func (a *API) report(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), a.options.Timeout)
	defer cancel()
	p := ReadParams(r.URL.Query(), "format", "as_of")
	format := report.FormatJSON
	if name := p.OneOf("format", formatNames()...); name != "" {
		format = report.Format(name)
	}
	body, err := a.renderReport(ctx, r, p, format)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ReportHeaders(w.Header(), format)
	if _, err := bytes.NewReader(body).WriteTo(w); err != nil {
		a.options.Logger.Debug("API client went away", "path", r.URL.Path, "err", err)
	}
}

func (a *API) renderReport(ctx context.Context, r *http.Request, p *Params, f report.Format) ([]byte, error) {
	reads, err := a.reads.AskedBy(r)
	if err != nil {
		return nil, err
	}
	asOf, _, err := reads.AsOf(p)
	if err := errors.Join(p.Err(), err); err != nil {
		return nil, err
	}
	return reads.RenderReport(ctx, ReportQuery{Period: r.PathValue("period"), Format: f, AsOf: asOf, Pages: "../../.."})
}

func formatNames() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, string(f))
	}
	return names
}
