package api_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/correlate"
	correlatestore "github.com/evenkeel/evenkeel/correlate/store"
	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

// TestTheStoresAnswerAsTheSiteInMemory writes a site into a real engine and asks both for the same:
// what the other tests learn from the site in memory holds for the stores only if they agree.
func TestTheStoresAnswerAsTheSiteInMemory(t *testing.T) {
	conn := rig.ClickHouse(t)
	site := apitest.Shop()
	lost(site)
	address(site)
	write(t, conn, site)
	memory, stores := handler(site), api.New(api.Options{Reads: stored(site, conn)})
	for _, target := range targets {
		t.Run(target, func(t *testing.T) {
			want, got := answer(memory, "", "/api/v1"+target), answer(stores, "", "/api/v1"+target)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("(-memory +stores):\n%.6000s", diff)
			}
		})
	}
}

// TestTenantsWithTheSameIDsSeeTheirOwn writes two sites into one engine whose incidents, episodes,
// services and changes have the same ids and differ in what they say, and asks for each: it is answered as
// by the site alone.
func TestTenantsWithTheSameIDsSeeTheirOwn(t *testing.T) {
	conn := rig.ClickHouse(t)
	sites := map[string]*apitest.Site{"": apitest.Shop(), "shop": apitest.Shop()}
	another(sites["shop"])
	position := uint64(0)
	for tenant, site := range sites {
		owned(site, cmp.Or(tenant, ingest.DefaultTenant))
		position = addressFrom(site, position)
		writeFrom(t, conn, site, position+1<<20)
		position += 1 << 21
	}
	stores := api.New(api.Options{Reads: stored(sites[""], conn)})
	for tenant, site := range sites {
		memory := handler(site)
		for _, target := range targets {
			t.Run(tenant+target, func(t *testing.T) {
				want, got := answer(memory, tenant, "/api/v1"+target), answer(stores, tenant, "/api/v1"+target)
				if diff := gocmp.Diff(want, got); diff != "" {
					t.Errorf("(-alone +beside another):\n%.3000s", diff)
				}
			})
		}
	}
}

// stored returns reads like those of the site, of what conn holds.
func stored(site *apitest.Site, conn *clickhouse.Conn) api.Reads {
	reads := site.Reads()
	reads.Incidents, reads.Levels, reads.Arrivals = correlatestore.NewReader(conn), slastore.NewReader(conn), ingeststore.NewReader(conn)
	return reads
}

// another makes what a site says something else, and leaves every id.
func another(s *apitest.Site) {
	for i := range s.Records {
		r := &s.Records[i]
		r.Title, r.RecordedAt = "another "+r.Title, r.RecordedAt+1
		if i%3 == 0 && r.State == correlate.IncidentClosed {
			r.State = correlate.IncidentResolved
		}
	}
	for i := range s.Members {
		s.Members[i].AlertName = "another " + s.Members[i].AlertName
	}
	for i := range s.Steps {
		s.Steps[i].Reason = "another " + s.Steps[i].Reason
	}
	for i := range s.Levels {
		if s.Levels[i].Bucket == sla.DownBucket {
			s.Levels[i].Bucket = sla.MaintenanceBucket
		}
	}
	s.Deployments[0].Title = "another " + s.Deployments[0].Title
	s.Letters = s.Letters[:1]
	s.Letters[0].Reason = "another " + s.Letters[0].Reason
}

// owned gives all that a site holds to a tenant.
func owned(s *apitest.Site, tenant string) {
	for i := range s.Records {
		s.Records[i].Tenant = tenant
	}
	for i := range s.Members {
		s.Members[i].Tenant = tenant
	}
	for i := range s.Steps {
		s.Steps[i].Tenant = tenant
		if e := s.Steps[i].Episode; e != nil {
			of := *e
			of.Tenant = tenant
			s.Steps[i].Episode = &of
		}
	}
	for i := range s.Levels {
		s.Levels[i].Tenant = tenant
	}
	for i := range s.Letters {
		s.Letters[i].Tenant = tenant
	}
}

// targets are reads that stand on the stores alone.
var targets = []string{
	"/incidents?limit=1000", "/incidents?state=open", "/incidents?state=merged", "/incidents?service=search&state=closed",
	"/incidents?from=2026-11-22T01:00:00Z&to=2026-11-22T08:00:00Z", "/incidents?from=2026-11-21T12:03:00Z",
	"/incidents/i-01hq8payment", "/incidents/i-01hq8merged", "/incidents/i-01hp0007", "/incidents/nope",
	"/alerts", "/alerts?from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z", "/alerts?incident=i-01hq8payment&from=1&state=resolved",
	"/services", "/services/postgres", "/services/nope", "/availability", "/availability?period=2026-10&intervals=true",
	"/availability?service=postgres&intervals=true", "/availability?agreement=gold&from=2026-11-10T00:00:00Z&to=2026-11-11T15:30:00Z&intervals=true",
	"/availability?service=search&period=2026-11-22&intervals=true", "/availability?as_of=2026-11-12T04:05:00Z&intervals=true&service=postgres",
	"/changes", "/changes?service=cart", "/dead-letters", "/dead-letters?limit=1",
}

// lost adds an episode whose sender fell silent long ago: nobody knows of it, so it has not ended.
func lost(s *apitest.Site) {
	e := s.Members[len(s.Members)-1]
	e.Fingerprint, e.Incident, e.State, e.EndsAt = "00000000000010c7", "", correlate.Unknown, 0
	e.StartsAt++ // the youngest, as the store lists them
	e.UnknownSince = e.StartsAt + ingest.Minute
	s.Members = append(s.Members, e)
}

// What nobody knows of any more is among what has not ended, however long ago its sender fell silent.
func TestAnAlertThatNobodyKnowsOfHasNotEnded(t *testing.T) {
	site := apitest.Shop()
	lost(site)
	list, _ := data[api.AlertList](t, handler(site), "/api/v1/alerts?state=unknown")
	if len(list.Episodes) != 1 || list.Episodes[0].Fingerprint != "00000000000010c7" {
		t.Errorf("%+v", list.Episodes)
	}
}

// TestPagesOfTheStoresAreTheWholeList walks the pages of the real store.
func TestPagesOfTheStoresAreTheWholeList(t *testing.T) {
	conn := rig.ClickHouse(t)
	site := apitest.Shop()
	address(site)
	write(t, conn, site)
	reads := site.Reads()
	reads.Incidents = correlatestore.NewReader(conn)
	h := api.New(api.Options{Reads: reads})
	all, _ := data[api.IncidentList](t, h, "/api/v1/incidents?limit=1000")
	var walked []correlate.Incident
	for target := "/api/v1/incidents?limit=7"; target != ""; {
		page, _ := data[api.IncidentList](t, h, target)
		walked = append(walked, page.Incidents...)
		target = ""
		if page.Next != "" {
			target = "/api/v1/incidents?limit=7&cursor=" + page.Next
		}
	}
	if diff := gocmp.Diff(all.Incidents, walked); diff != "" || len(all.Incidents) != 142 {
		t.Errorf("%d incidents (-list +pages):\n%s", len(all.Incidents), diff)
	}
}

// answer is the status and the decoded body.
func answer(h http.Handler, tenant, target string) any {
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	if tenant != "" {
		req.Header.Set(api.TenantHeader, tenant)
	}
	h.ServeHTTP(w, req)
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		return err.Error()
	}
	return []any{w.Code, body}
}

// address gives every row of the site an address of its own.
func address(s *apitest.Site) { addressFrom(s, 0) }

// addressFrom gives out the positions after one, and returns the last.
func addressFrom(s *apitest.Site, position uint64) uint64 {
	next := func() ingest.Address { position++; return ingest.Address{Position: position} }
	for i := range s.Records {
		s.Records[i].Address = next()
	}
	for i := range s.Members {
		s.Members[i].Address = next()
	}
	for i := range s.Steps {
		s.Steps[i].Address = next()
	}
	return position
}

// write stores the site as a partition would have: levels are split at midnight, and what is open
// reaches to the next.
func write(t *testing.T, conn *clickhouse.Conn, s *apitest.Site) {
	t.Helper()
	writeFrom(t, conn, s, 1<<20)
}

// writeFrom gives what has no address in the site positions after one; those of the site are before.
func writeFrom(t *testing.T, conn *clickhouse.Conn, s *apitest.Site, position uint64) {
	t.Helper()
	first, tenant := s.Records[0].Position, s.Records[0].Tenant
	next := func() ingest.Address { position++; return ingest.Address{Position: position} }
	_, loc := s.Catalogue.Zone()
	var segments []sla.SegmentRow
	for _, seg := range s.Levels {
		to := seg.To
		if to == s.Now {
			to = sla.MidnightAfter(to, loc)
		}
		for _, part := range sla.Split(sla.Interval{From: seg.From, To: to}, loc) {
			segments = append(segments, sla.SegmentRow{
				Address: next(), RecordedAt: seg.StatedAt, Tenant: tenant, Service: seg.Service, Agreement: seg.Agreement,
				Bucket: seg.Bucket, State: seg.State, From: part.From, To: part.To, Sign: 1,
			})
		}
	}
	var changes []ingeststore.ChangeRow
	for _, c := range s.Deployments {
		changes = append(changes, ingeststore.ChangeRow{Address: next(), RecordedAt: c.StartedAt, Tenant: tenant, ReceivedAt: c.StartedAt, Change: c})
	}
	var letters []ingeststore.DeadLetterRow
	for _, l := range s.Letters {
		letters = append(letters, ingeststore.DeadLetterRow{Address: next(), RecordedAt: l.ReceivedAt, DeadLetter: l})
	}
	writer, err := clickhouse.NewWriter(conn, clickhouse.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = writer.Insert(t.Context(), clickhouse.Batch{First: first, Last: position, Tables: []clickhouse.TableRows{
		correlatestore.Incidents.Rows(s.Records), correlatestore.Episodes.Rows(s.Members), correlatestore.Transitions.Rows(s.Steps),
		slastore.Segments.Rows(segments), ingeststore.Changes.Rows(changes), ingeststore.DeadLetters.Rows(letters),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
}
