package web

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/common/version"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
)

// Options say what the pages are made from.
type Options struct {
	api.Reads
	Logger  *slog.Logger  // default: none
	Timeout time.Duration // of one page; default 30 s
	// ExternalURL is where people and Alertmanager reach this server, without
	// a slash at its end; "" takes it from each request.
	ExternalURL string
}

// Pages is the handler of the pages.
type Pages struct {
	options Options
	reads   *api.Reads
	assets  *assets
	mux     *http.ServeMux
	views   map[string]view
}

// New returns the handler of every page, and of the style and script below /static/.
func New(o Options) *Pages {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	files := newAssets()
	p := &Pages{options: o, reads: &o.Reads, assets: files, mux: http.NewServeMux(), views: newViews(files)}
	p.mux.Handle("GET /{$}", p.page((*Pages).incidents))
	p.mux.Handle("GET /incidents/{id}", p.page((*Pages).incident))
	p.mux.Handle("GET /services", p.page((*Pages).services))
	p.mux.Handle("GET /services/{name}", p.page((*Pages).service))
	p.mux.Handle("GET /reports", p.page((*Pages).reports))
	p.mux.HandleFunc("GET /reports/open", p.openReport)
	p.mux.HandleFunc("GET /reports/{period}", p.report)
	p.mux.Handle("GET /static/", files)
	p.mux.HandleFunc("/", p.notFound)
	return p
}

// ServeHTTP answers one request.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	p.mux.ServeHTTP(w, r)
}

// setHeaders allows a page our own style and script, and nothing else.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}

// made is a page before it is put into its frame, or where to go instead.
type made struct {
	view       string // the template
	title      string
	asOf       ingest.Millis
	live       bool
	warnings   []string
	body       any
	redirectTo string
}

// maker makes one page, p those of the tenant that r names.
type maker func(p *Pages, ctx context.Context, r *http.Request) (made, error)

// page turns a maker into a handler: the time limit, the frame, the errors.
func (p *Pages) page(make maker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), p.options.Timeout)
		defer cancel()
		p, err := p.askedBy(r)
		var m made
		if err == nil {
			m, err = make(p, ctx, r)
		}
		switch {
		case err != nil:
			p.fail(w, r, err)
		case m.redirectTo != "":
			http.Redirect(w, r, m.redirectTo, http.StatusFound)
		default:
			p.write(w, r, http.StatusOK, m)
		}
	})
}

// askedBy returns the pages of the tenant that r names; with an error, p.
func (p *Pages) askedBy(r *http.Request) (*Pages, error) {
	reads, err := p.reads.AskedBy(r)
	if err != nil {
		return p, err
	}
	asked := *p
	asked.reads = reads
	return &asked, nil
}

// tenant is whose pages they are; "" where it is the default one, of which nothing needs to be said.
func (p *Pages) tenant() string {
	if p.reads.Tenant == ingest.DefaultTenant {
		return ""
	}
	return p.reads.Tenant
}

// write renders first and sends then, so that a broken template is an error and not half a page.
func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, m made) {
	var page bytes.Buffer
	if err := p.views[m.view].ExecuteTemplate(&page, "layout", p.frame(r, m)); err != nil {
		p.options.Logger.Error("page cannot be rendered", "path", r.URL.Path, "err", err)
		http.Error(w, "this page cannot be rendered; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(page.Bytes()); err != nil {
		p.options.Logger.Debug("reader went away", "path", r.URL.Path, "err", err)
	}
}

// frame is what surrounds every page.
type frame struct {
	Title    string
	Tenant   string // "" is the default one
	Nav      []navItem
	AsOf     *instant
	Live     bool
	Warnings []string
	Version  string
	Zone     string
	Body     any
}

type navItem struct {
	Name, Href string
	Current    bool
}

func (p *Pages) frame(r *http.Request, m made) frame {
	zone, _ := p.reads.Current().Zone()
	f := frame{Title: m.title, Tenant: p.tenant(), Live: m.live, Warnings: m.warnings, Version: version.Version, Zone: zone, Body: m.body}
	if m.asOf != 0 {
		at := p.instant(m.asOf)
		f.AsOf = &at
	}
	for _, item := range []navItem{{Name: "Incidents", Href: "/"}, {Name: "Services", Href: "/services"}, {Name: "Reports", Href: "/reports"}} {
		item.Current = item.Href == r.URL.Path
		f.Nav = append(f.Nav, item)
	}
	return f
}

// problem is the page that says what went wrong.
type problem struct{ Heading, Message, Advice string }

func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := api.Classify(err)
	if f.Status >= http.StatusInternalServerError {
		p.options.Logger.Error("page failed", "path", r.URL.Path, "type", f.Type, "err", err)
	}
	body := problem{Heading: "This page cannot be shown", Message: f.Message}
	switch f.Type {
	case api.NotFound:
		body.Heading = "There is no such page"
	case api.BadData:
		body.Heading = "The address asks for something that cannot be"
	case api.Unavailable, api.Timeout:
		body.Heading = "The store cannot answer now"
		body.Advice = "This page tries again by itself every few seconds."
		w.Header().Set("Refresh", "5")
		api.SetRetryAfter(w.Header(), f)
	}
	p.write(w, r, f.Status, made{view: "problem", title: body.Heading, body: body})
}

func (p *Pages) notFound(w http.ResponseWriter, r *http.Request) {
	p.fail(w, r, &api.NotFoundError{Kind: "page", Name: r.URL.Path})
}

// base returns where this server is reached.
func (p *Pages) base(r *http.Request) string {
	if p.options.ExternalURL != "" {
		return p.options.ExternalURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
