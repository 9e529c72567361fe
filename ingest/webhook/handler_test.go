package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a journal that forgets when the test ends.
type memory struct {
	mu      sync.Mutex
	records []ingest.Record
	err     error         // what Append gives instead
	stuck   chan struct{} // Append waits for it, or for its context
}

func (m *memory) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	if m.stuck != nil {
		select {
		case <-m.stuck:
		case <-ctx.Done():
			return 0, fmt.Errorf("not on disk in time: %w", ctx.Err())
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return 0, m.err
	}
	for _, rec := range records {
		rec.Reading = nil // it is no part of the record
		m.records = append(m.records, rec)
	}
	return uint64(len(m.records)), nil
}

type server struct {
	*testing.T
	journal *memory
	reg     *prometheus.Registry
	handler *webhook.Handler
	url     string
	client  *http.Client
}

// serve starts a real HTTP server with the handler.
func serve(t *testing.T, change ...func(*webhook.Options)) *server {
	t.Helper()
	s := &server{T: t, journal: &memory{}, reg: prometheus.NewRegistry()}
	o := webhook.Options{Journal: s.journal, Registerer: s.reg, MaxBodyBytes: 1000}
	for _, f := range change {
		f(&o)
	}
	h, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.handler = h
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	s.url, s.client = web.URL, web.Client()
	return s
}

type reply struct {
	Code   int
	Header http.Header
	Status string
	Type   string `json:"errorType"`
	Error  string
	Warn   []string `json:"warnings"`
}

func (s *server) do(method, path, body string, headers ...string) reply {
	s.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	r := reply{Code: resp.StatusCode, Header: resp.Header}
	if err := json.Unmarshal(raw, &r); err != nil {
		s.Fatalf("%v in %q", err, raw)
	}
	return r
}

// raw posts and returns the answer as it is.
func (s *server) raw(path, body string) (int, string) {
	s.Helper()
	resp, err := s.client.Post(s.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (s *server) post(path, body string, headers ...string) reply {
	s.Helper()
	return s.do(http.MethodPost, path, body, headers...)
}

func (s *server) kept(want ...ingest.Record) {
	s.Helper()
	if diff := cmp.Diff(want, s.journal.records, cmpopts.EquateEmpty()); diff != "" {
		s.Errorf("journal (-want +got)\n%s", diff)
	}
}

func (s *server) counts(path, outcome string, want float64) {
	s.Helper()
	expected := fmt.Sprintf("evenkeel_ingest_requests_total{outcome=%q,path=%q} %g\n", outcome, path, want)
	families, err := s.reg.Gather()
	if err != nil {
		s.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "evenkeel_ingest_requests_total" && m.GetLabel()[0].GetValue() == outcome && m.GetLabel()[1].GetValue() == path {
				if m.GetCounter().GetValue() != want {
					s.Errorf("%v, want %s", m, expected)
				}
				return
			}
		}
	}
	s.Errorf("missing %s", expected)
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

const (
	alert    = `{"status":"firing","labels":{"alertname":"Up"},"startsAt":"2026-11-22T11:54:21Z"}`
	delivery = `{"version":"4","alerts":[` + alert + `]}`
	change   = `{"id":"1","service":"cart","started_at":"2026-09-07T00:04:56Z"}`
)

func zipped(body string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(body))
	_ = z.Close()
	return out.String()
}

func TestADeliveryIsKeptAsItArrived(t *testing.T) {
	s := serve(t)
	r := s.post(ingest.PathAlertmanager, delivery)
	equal(t, []any{r.Code, r.Status, r.Warn}, []any{200, "success", []string(nil)})
	equal(t, r.Header.Get("Content-Type"), "application/json")
	s.post(ingest.PathChanges+"?source=ci", "["+change+"]", "X-Scope-OrgID", "shop_1")
	s.post(ingest.PathAlertmanager+"?source=am-eu:9093", zipped(delivery), "Content-Encoding", "gzip")
	s.post(ingest.PathAlertmanager, `{"version":"4","alerts":[]}`, "Content-Encoding", "identity")
	s.kept(
		ingest.Record{Kind: ingest.KindDelivery, Tenant: "default", Source: "alertmanager", Path: ingest.PathAlertmanager, Body: []byte(delivery)},
		ingest.Record{Kind: ingest.KindDelivery, Tenant: "shop_1", Source: "ci", Path: ingest.PathChanges, Body: []byte("[" + change + "]")},
		ingest.Record{Kind: ingest.KindDelivery, Tenant: "default", Source: "am-eu:9093", Path: ingest.PathAlertmanager, Body: []byte(delivery)},
		ingest.Record{Kind: ingest.KindDelivery, Tenant: "default", Source: "alertmanager", Path: ingest.PathAlertmanager, Body: []byte(`{"version":"4","alerts":[]}`)},
	)
	s.counts(ingest.PathAlertmanager, "accepted", 3)
	s.counts(ingest.PathChanges, "accepted", 1)
}

func TestWhatCannotBeDecodedIsRefusedWithItsPlaceAndKept(t *testing.T) {
	s := serve(t)
	r := s.post(ingest.PathAlertmanager, "{\n\"alerts\": oops}")
	const want = `line 2, column 11 (byte 12): 'o' where an array of alerts should be`
	equal(t, []any{r.Code, r.Status, r.Type, r.Error}, []any{400, "error", "bad_data", want})
	s.kept(ingest.Record{Kind: ingest.KindRejected, Tenant: "default", Source: "alertmanager", Path: ingest.PathAlertmanager,
		Reason: want, Body: []byte("{\n\"alerts\": oops}")})
	s.counts(ingest.PathAlertmanager, "undecodable", 1)
}

func TestARefusalThatCannotBeKeptIsOurTrouble(t *testing.T) {
	s := serve(t)
	s.journal.err = errors.New("journal is full")
	r := s.post(ingest.PathAlertmanager, "garbage")
	equal(t, []any{r.Code, r.Type}, []any{503, "unavailable"})
}

func TestOneBadAlertDoesNotRefuseTheDelivery(t *testing.T) {
	s := serve(t)
	body := `{"version":"4","alerts":[7,` + alert + `]}`
	r := s.post(ingest.PathAlertmanager, body)
	equal(t, []any{r.Code, r.Warn}, []any{200, []string{"alerts[0]: number is not an object"}})
	equal(t, len(s.journal.records), 1)
}

func TestADeliveryThatIsAcceptedInPartIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	s := serve(t, func(o *webhook.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	s.post(ingest.PathAlertmanager, `{"version":"4","alerts":[7,`+alert+`,8]}`)
	for _, want := range []string{"level=WARN", `msg="Delivery accepted in part"`, "path=" + ingest.PathAlertmanager, "dead_letters=2", `first="alerts[0]: number is not an object"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in %q", want, log.String())
		}
	}
	equal(t, strings.Count(log.String(), "\n"), 1)
	s.post(ingest.PathAlertmanager, delivery)
	equal(t, strings.Count(log.String(), "\n"), 1)
}

func TestAJournalThatTakesNothingIsA503(t *testing.T) {
	s := serve(t)
	s.journal.err = errors.New("journal is full: max_bytes")
	r := s.post(ingest.PathAlertmanager, delivery)
	equal(t, []any{r.Code, r.Type, r.Error, r.Header.Get("Retry-After")}, []any{503, "unavailable", "journal is full: max_bytes", "5"})
	s.counts(ingest.PathAlertmanager, "unavailable", 1)
}

func TestARequestWaitsFiveSecondsForTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := webhook.New(webhook.Options{Journal: &memory{stuck: make(chan struct{})}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, ingest.PathAlertmanager, strings.NewReader(delivery)))
		equal(t, []any{w.Code, time.Since(began), w.Header().Get("Retry-After")}, []any{503, 5 * time.Second, "5"})
		if !strings.Contains(w.Body.String(), `"errorType":"timeout"`) {
			t.Error(w.Body)
		}
	})
}

func TestARequestIsAnsweredOnlyWhenTheJournalHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{stuck: make(chan struct{})}
		h, err := webhook.New(webhook.Options{Journal: j})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		answered := make(chan struct{})
		go func() {
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, ingest.PathAlertmanager, strings.NewReader(delivery)))
			close(answered)
		}()
		time.Sleep(4 * time.Second)
		select {
		case <-answered:
			t.Error("answered before the journal")
		default:
		}
		close(j.stuck)
		<-answered
		equal(t, w.Code, 200)
	})
}

func TestBodiesBeyondTheLimitAreRefused(t *testing.T) {
	long := strings.Replace(delivery, "Up", strings.Repeat("x", 2000), 1)
	for _, test := range []struct {
		name, body string
		headers    []string
	}{
		{"as sent", long, nil},
		{"when unpacked", zipped(long), []string{"Content-Encoding", "gzip"}},
		{"a bomb", zipped(strings.Repeat(" ", 100<<10)), []string{"Content-Encoding", "gzip"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			r := s.post(ingest.PathAlertmanager, test.body, test.headers...)
			equal(t, []any{r.Code, r.Type}, []any{413, "bad_data"})
			if !strings.Contains(r.Error, "1000 bytes") {
				t.Error(r.Error)
			}
			s.kept()
			s.counts(ingest.PathAlertmanager, "too_large", 1)
		})
	}
}

func TestABodyOfExactlyTheLimitIsTaken(t *testing.T) {
	s := serve(t)
	body := delivery + strings.Repeat(" ", 1000-len(delivery))
	equal(t, s.post(ingest.PathAlertmanager, body).Code, 200)
	equal(t, s.post(ingest.PathAlertmanager, zipped(body), "Content-Encoding", "gzip").Code, 200)
	equal(t, s.post(ingest.PathAlertmanager, body+" ").Code, 413)
}

func TestRequestsThatAreWrong(t *testing.T) {
	for _, test := range []struct {
		name, method, path string
		body               string
		headers            []string
		code               int
		outcome            string
		says               string
	}{
		{"another method", "GET", ingest.PathAlertmanager, "", nil, 405, "method", "POST"},
		{"an encoding that is not known", "POST", ingest.PathAlertmanager, delivery, []string{"Content-Encoding", "br"}, 415, "encoding", `"br"`},
		{"gzip that is none", "POST", ingest.PathAlertmanager, delivery, []string{"Content-Encoding", "gzip"}, 400, "undecodable", "gzip"},
		{"gzip that is cut", "POST", ingest.PathAlertmanager, zipped(delivery)[:40], []string{"Content-Encoding", "gzip"}, 400, "undecodable", "gzip"},
		{"a tenant with a slash", "POST", ingest.PathAlertmanager, delivery, []string{"X-Scope-OrgID", "a/b"}, 400, "invalid", `"a/b"`},
		{"two tenants", "POST", ingest.PathAlertmanager, delivery, []string{"X-Scope-OrgID", "a|b"}, 400, "invalid", `"a|b"`},
		{"a tenant that climbs", "POST", ingest.PathAlertmanager, delivery, []string{"X-Scope-OrgID", ".."}, 400, "invalid", "X-Scope-OrgID"},
		{"a long tenant", "POST", ingest.PathAlertmanager, delivery, []string{"X-Scope-OrgID", strings.Repeat("a", 151)}, 400, "invalid", "at most 150"},
		{"a source with a space", "POST", ingest.PathAlertmanager + "?source=a%20b", delivery, nil, 400, "invalid", `"a b"`},
		{"a change that is none", "POST", ingest.PathChanges, `{"id":"1"}`, nil, 400, "undecodable", "change.service: missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			r := s.do(test.method, test.path, test.body, test.headers...)
			equal(t, []any{r.Code, r.Status}, []any{test.code, "error"})
			if !strings.Contains(r.Error, test.says) {
				t.Errorf("%q does not say %q", r.Error, test.says)
			}
			path, _, _ := strings.Cut(test.path, "?")
			s.counts(path, test.outcome, 1)
			if kept := len(s.journal.records) == 1; kept != (test.outcome == "undecodable") {
				t.Errorf("in the journal: %v", s.journal.records)
			}
		})
	}
}

func TestAnotherPathIsNotFoundAndIsNoLabel(t *testing.T) {
	s := serve(t)
	equal(t, s.post("/elsewhere", delivery).Code, 404)
	families, err := s.reg.Gather()
	if err != nil || strings.Contains(fmt.Sprint(families), "elsewhere") {
		t.Error(families, err)
	}
}

func TestABodyThatStopsInTheMiddleIsNotTheSendersFault(t *testing.T) {
	h, err := webhook.New(webhook.Options{Journal: &memory{}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	body := io.MultiReader(strings.NewReader(delivery[:20]), broken{})
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, ingest.PathAlertmanager, body))
	equal(t, w.Code, 503)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("i/o timeout") }

func TestMetricsAreThereFromTheStartAndWellNamed(t *testing.T) {
	s := serve(t)
	problems, err := testutil.GatherAndLint(s.reg)
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	s.counts(ingest.PathChanges, "timeout", 0)
}

func TestConcurrentDeliveriesAreAllKept(t *testing.T) {
	s := serve(t)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if r := s.post(ingest.PathAlertmanager, delivery); r.Code != 200 {
				t.Error(r)
			}
		})
	}
	wg.Wait()
	equal(t, len(s.journal.records), 50)
}
