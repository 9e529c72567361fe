package apitest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// Now is the stored fold time of every site: a Sunday noon in UTC, 13:00 in Berlin.
var Now = ingest.MillisOf(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))

// Empty is a site that has just been started: no catalogue, no delivery.
func Empty() *Site {
	return &Site{Now: Now, Catalogue: api.Catalogue{Levels: sla.Config{Zone: "UTC"}}}
}

// Shop is a site in the middle of an incident, with ninety days behind it.
func Shop() *Site {
	s := &Site{Now: Now, History: Now - 90*ingest.Day, Catalogue: shopCatalogue()}
	s.shopIncidents()
	s.shopLevels()
	s.Deployments = []ingest.Change{{
		ID: "deploy-4711", Kind: "deployment", Service: "payment", StartedAt: Now - 3*ingest.Hour, FinishedAt: Now - 170*ingest.Minute,
		Outcome: "succeeded", Version: "v2.14.0", Author: "ines", Title: "payment v2.14.0", URL: "https://ci.example/4711",
	}}
	s.Letters = []ingest.DeadLetter{
		{Tenant: ingest.DefaultTenant, Source: "alertmanager", Path: "/api/v1/ingest/alertmanager", ReceivedAt: Now - ingest.Hour,
			Reason: `alerts[3].startsAt: "yesterday" is not RFC 3339`, Body: []byte(`{"startsAt":"yesterday"}`)},
		{Tenant: ingest.DefaultTenant, Source: "alertmanager", Path: "/api/v1/ingest/alertmanager", ReceivedAt: Now - 2*ingest.Hour,
			Reason: "body: not JSON at byte 0", Body: []byte{0xff, 0xfe, 0x00}},
	}
	return s
}

func shopCatalogue() api.Catalogue {
	service := func(name, display, owner string, tier int, dependsOn ...string) correlate.Service {
		return correlate.Service{Name: name, DisplayName: display, Owner: owner, Tier: tier, DependsOn: dependsOn}
	}
	checkout := service("checkout", "Checkout", "team-payments", 1, "cart", "payment")
	checkout.Description, checkout.Runbook = "Turns a basket into an order.", "https://runbooks.example/checkout"
	c := api.Catalogue{
		Correlation: correlate.Config{Services: []correlate.Service{
			service("cart", "Basket", "team-shop", 2, "redis"), service("catalogue", "Product catalogue", "team-shop", 2, "postgres"), checkout,
			service("email", "", "team-crm", 3), service("payment", "Payment", "team-payments", 1, "postgres"),
			service("postgres", "", "team-data", 1), service("redis", "", "team-data", 2), service("search", "Search", "team-shop", 3, "catalogue"),
		}},
		Levels: sla.Config{Zone: "Europe/Berlin"},
	}
	itil, _ := sla.Preset("itil")
	for _, s := range c.Correlation.Services {
		levels := sla.ServiceLevels{Name: s.Name}
		if s.Tier < 3 {
			levels.Agreements = []sla.Agreement{{Name: "gold", Objective: 0.999, Window: sla.WindowMonth, Policy: itil}}
		}
		c.Levels.Services = append(c.Levels.Services, levels)
	}
	return c
}

// shopIncidents fills the site with incidents: two open, one merged, the others over.
func (s *Site) shopIncidents() {
	s.incident(incident{
		id: "i-01hq8payment", title: "payment: PaymentErrorsHigh and 11 more", severity: "critical", opened: Now - 134*ingest.Minute,
		services: []string{"cart", "checkout", "payment"}, alerts: []string{"PaymentErrorsHigh", "CheckoutLatencyHigh", "CartTimeouts"}, n: 12, firing: 3,
		causes: []correlate.Cause{
			{Service: "payment", Score: 0.82, Why: "its alerts came first, and the services that depend on it followed within 90 s"},
			{Change: "deploy-4711", Score: 0.61, Why: "payment v2.14.0 went out 36 min before"},
			{Entity: "node-7", Score: 0.2, Why: "4 of 12 episodes carry node=node-7"},
		},
	})
	s.incident(incident{
		id: "i-01hq8disk", title: "DiskWillFill on search-2", severity: "warning", opened: Now - 9*ingest.Hour,
		services: []string{"search"}, alerts: []string{"DiskWillFill"}, n: 1, firing: 1,
	})
	s.Records = append(s.Records, correlate.Incident{
		RecordedAt: Now - 130*ingest.Minute, Tenant: ingest.DefaultTenant, ID: "i-01hq8merged", State: correlate.IncidentMerged,
		MergedInto: "i-01hq8payment", Title: "CartTimeouts", Severity: "warning", OpenedAt: Now - 132*ingest.Minute, Services: []string{"cart"}, Episodes: 1,
	})
	names := []string{"HighErrorRate", "PodCrashLooping", "QueueBacklog", "ReplicationLag", "CertExpiresSoon"}
	services := []string{"checkout", "search", "email", "postgres", "cart", "payment"}
	for k := range 140 {
		service := services[k%len(services)]
		s.incident(incident{
			id: fmt.Sprintf("i-01hp%04d", k), title: names[k%len(names)] + " on " + service, severity: []string{"warning", "critical", "info"}[(k/2)%3],
			opened: Now - ingest.Day - ingest.Millis(k)*15*ingest.Hour, length: ingest.Millis(3+k*7%95) * ingest.Minute,
			services: []string{service}, alerts: names[k%len(names) : k%len(names)+1], n: 1 + k%9,
			causes: []correlate.Cause{{Service: service, Score: 0.5 + float64(k%5)/10, Why: "the only service that alerted"}},
		})
	}
	slices.SortStableFunc(s.Records, func(a, b correlate.Incident) int { return int(b.OpenedAt - a.OpenedAt) })
	slices.SortStableFunc(s.Members, func(a, b correlate.Episode) int { return int(a.StartsAt - b.StartsAt) })
}

// incident is what a made-up incident is told by.
type incident struct {
	id, title, severity string
	opened, length      ingest.Millis // length 0: still open
	services, alerts    []string
	n, firing           int
	causes              []correlate.Cause
}

// incident adds an incident with its episodes and transitions.
func (s *Site) incident(x incident) {
	i := correlate.Incident{
		RecordedAt: Now - ingest.Minute, Tenant: ingest.DefaultTenant, ID: x.id, State: correlate.IncidentOpen, Title: x.title,
		Severity: x.severity, OpenedAt: x.opened, Services: x.services, Episodes: x.n, Firing: x.firing, Causes: x.causes,
	}
	i.Position = uint64(len(s.Records) + 1)
	if x.length > 0 {
		i.State, i.ResolvedAt = correlate.IncidentClosed, x.opened+x.length
	}
	s.Records = append(s.Records, i)
	for k := range x.n {
		s.episode(x, k)
	}
	if x.length > 0 {
		s.step(x.id, correlate.Settled, x.opened+x.length, "every episode has ended", nil)
		s.step(x.id, correlate.Closed, x.opened+x.length+30*ingest.Minute, "resolved for 30 min", nil)
	}
}

func (s *Site) episode(x incident, k int) {
	service := x.services[k%len(x.services)]
	e := correlate.Episode{
		RecordedAt: Now - ingest.Minute,
		EpisodeKey: correlate.EpisodeKey{
			Tenant: ingest.DefaultTenant, Source: "alertmanager", Fingerprint: fmt.Sprintf("%016x", len(s.Members)*7919+17),
			StartsAt: x.opened + ingest.Millis(k)*23*ingest.Second,
		},
		State: correlate.Firing, FirstSeenAt: x.opened + ingest.Millis(k)*23*ingest.Second + 4200, Service: service, Severity: x.severity,
		AlertName: x.alerts[k%len(x.alerts)], Incident: x.id, FirstIncident: x.id,
		Labels: ingest.LabelsOf(map[string]string{
			"alertname": x.alerts[k%len(x.alerts)], "service": service, "severity": x.severity, "instance": fmt.Sprintf("%s-%d:9100", service, k), "zone": "eu-1",
		}),
		Annotations:  ingest.LabelsOf(map[string]string{"summary": x.alerts[k%len(x.alerts)] + " on " + service}),
		GeneratorURL: "https://prometheus.example/graph?g0.expr=up",
		Reasons:      []string{"same service as " + x.alerts[0], "began 23 s after the one before"},
	}
	kind, reason := correlate.Joined, "same service, 23 s after the one before"
	if k == 0 {
		kind, reason, e.Reasons = correlate.Opened, "nothing open fits", []string{"the first of its incident"}
	}
	switch {
	case x.length > 0:
		e.State, e.EndsAt = correlate.Resolved, x.opened+x.length-ingest.Millis(k)*ingest.Second
		e.EndsAt = max(e.EndsAt, e.StartsAt+ingest.Second)
	case k >= x.firing:
		e.State, e.EndsAt = correlate.Resolved, x.opened+ingest.Hour
	}
	s.Members = append(s.Members, e)
	s.step(x.id, kind, e.StartsAt, reason, &e.EpisodeKey)
}

func (s *Site) step(id string, kind correlate.TransitionKind, at ingest.Millis, reason string, e *correlate.EpisodeKey) {
	s.Steps = append(s.Steps, correlate.Transition{
		RecordedAt: min(at+5*ingest.Second, Now), Tenant: ingest.DefaultTenant, Incident: id, Kind: kind, At: at,
		Episode: e, Actor: "evenkeel", Reason: reason,
	})
}

// shopLevels makes the segments of every service from the incidents, with one maintenance
// window and one gap that nothing tells of.
func (s *Site) shopLevels() {
	for _, levels := range s.Catalogue.Levels.Services {
		agreements := []string{""}
		for _, a := range levels.Agreements {
			agreements = append(agreements, a.Name)
		}
		for _, agreement := range agreements {
			s.Levels = append(s.Levels, s.segments(levels.Name, agreement)...)
		}
	}
}

func (s *Site) segments(service, agreement string) []sla.Segment {
	var list []sla.Segment
	at := s.History
	add := func(b sla.Bucket, state sla.State, from, to ingest.Millis) {
		if from > at {
			list = append(list, sla.Segment{Tenant: ingest.DefaultTenant, Service: service, Agreement: agreement, Bucket: sla.UpBucket, State: sla.Up, From: at, To: from, StatedAt: at})
		}
		if from = max(from, at); from < to {
			if b != "" {
				list = append(list, sla.Segment{Tenant: ingest.DefaultTenant, Service: service, Agreement: agreement, Bucket: b, State: state, From: from, To: to, StatedAt: from})
			}
			at = to
		}
	}
	for k := len(s.Records) - 1; k >= 0; k-- {
		i := s.Records[k]
		if !slices.Contains(i.Services, service) || i.Severity == "info" || i.State == correlate.IncidentMerged {
			continue
		}
		bucket, state := sla.DegradedBucket, sla.Degraded
		if i.Severity == "critical" {
			bucket, state = sla.DownBucket, sla.Down
		}
		to := i.ResolvedAt
		if to == 0 {
			to = s.Now
		}
		if i.OpenedAt > s.Now-12*ingest.Day && at < s.Now-12*ingest.Day && service == "postgres" {
			add(sla.MaintenanceBucket, sla.Down, s.Now-12*ingest.Day, s.Now-12*ingest.Day+2*ingest.Hour)
			add("", "", s.Now-11*ingest.Day, s.Now-11*ingest.Day+5*ingest.Hour)
		}
		add(bucket, state, i.OpenedAt, min(to, i.OpenedAt+ingest.Hour))
	}
	add("", "", s.Now, s.Now+1)
	return list
}

// Hostile is a site whose alerts carry what breaks pages: markup, addresses that are
// scripts, names of 500 letters, right-to-left text, control characters.
func Hostile() *Site {
	s := Empty()
	s.History = Now - 3*ingest.Day
	long := strings.Repeat("VeryLongAlertNameWithoutAnySpace", 16)[:500]
	markup := `</script><script>alert("owned")</script><img src=x onerror=alert(1)>`
	rtl := "خدمة الدفع \u202eevil\u202c معطلة"
	services := []string{markup, rtl, "a/b?c#d%2e%2e/..", strings.Repeat("s", 500)}
	s.Catalogue.Correlation.Services = []correlate.Service{
		{Name: markup, DisplayName: `"><svg onload=alert(1)>`, Description: "{{.}} ${x} <b>bold</b>", Owner: `o'neil" onmouseover="alert(1)`, Runbook: "javascript:alert(1)", Tier: 1, DependsOn: services[1:]},
	}
	s.incident(incident{
		id: "i-hostile", title: markup + " " + long, severity: `critical" onclick="alert(1)`, opened: Now - ingest.Hour,
		services: services, alerts: []string{long, markup, rtl, "a\x00b\x1b[31m\nnewline"}, n: 8, firing: 8,
		causes: []correlate.Cause{
			{Service: markup, Score: 0.9, Why: `<a href="javascript:alert(1)">click</a>`}, {Entity: long, Score: 1, Why: rtl}, {Change: "javascript:alert(1)", Score: 0},
		},
	})
	for k := range s.Members {
		e := &s.Members[k]
		e.GeneratorURL, e.Source, e.Fingerprint = "javascript:alert(document.domain)", markup, `"' onfocus=alert(1) `+e.Fingerprint
		e.Labels = ingest.LabelsOf(map[string]string{"alertname": long, `<i>name</i>`: markup, "rtl": rtl, "template": "{{ .Secret }}"})
		e.Annotations = ingest.LabelsOf(map[string]string{"summary": markup + rtl, "description": strings.Repeat("long words ", 200)})
		e.Reasons = []string{markup, rtl, long}
	}
	for k := range s.Steps {
		s.Steps[k].Actor, s.Steps[k].Reason = `<b onclick="alert(1)">root</b>`, markup+long
	}
	s.Records = append(s.Records, correlate.Incident{RecordedAt: Now - 1, ID: "i-untitled", State: correlate.IncidentOpen, OpenedAt: Now - 2*ingest.Hour})
	for _, name := range services {
		s.Levels = append(s.Levels, sla.Segment{Service: name, Bucket: sla.DownBucket, State: sla.Down, From: Now - ingest.Hour, To: Now})
	}
	slices.SortStableFunc(s.Levels, func(a, b sla.Segment) int { return strings.Compare(a.Service, b.Service) })
	return s
}
