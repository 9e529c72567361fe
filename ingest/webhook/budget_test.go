package webhook_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/webhook"
)

func TestBodiesInMemoryAreBoundedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		h, err := webhook.New(webhook.Options{Journal: &memory{}, MaxBodyBytes: 64 << 10, MaxInflightBytes: 128 << 10, Registerer: reg})
		if err != nil {
			t.Fatal(err)
		}
		post := func(body io.Reader, headers ...string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, ingest.PathAlertmanager, body)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			h.ServeHTTP(w, r)
			return w
		}
		large := delivery + strings.Repeat(" ", 60<<10)
		codes := make(chan int)
		arrive := make(chan struct{})
		for range 2 { // together they hold more than 120 of 128 KiB until their ends arrive
			go func() { codes <- post(io.MultiReader(strings.NewReader(large), &late{arrive})).Code }()
		}
		synctest.Wait()
		began := time.Now()
		w := post(strings.NewReader(large))
		equal(t, []any{w.Code, time.Since(began), w.Header().Get("Retry-After")}, []any{503, 5 * time.Second, "5"})
		if !strings.Contains(w.Body.String(), "max_inflight_bytes 131072") {
			t.Error(w.Body)
		}
		close(arrive)
		equal(t, []int{<-codes, <-codes}, []int{200, 200})
		equal(t, post(strings.NewReader(large)).Code, 200)
		equal(t, post(strings.NewReader(zipped(large)), "Content-Encoding", "gzip").Code, 200)
		if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP evenkeel_ingest_inflight_bytes Bytes of bodies in memory now, as sent and unpacked.
# TYPE evenkeel_ingest_inflight_bytes gauge
evenkeel_ingest_inflight_bytes 0
# HELP evenkeel_ingest_inflight_waits_total Times that a request had to wait for memory; those that waited in vain have the outcome busy.
# TYPE evenkeel_ingest_inflight_waits_total counter
evenkeel_ingest_inflight_waits_total 1
`), "evenkeel_ingest_inflight_bytes", "evenkeel_ingest_inflight_waits_total"); err != nil {
			t.Error(err)
		}
	})
}

// late ends when it is told to.
type late struct{ arrive chan struct{} }

func (l *late) Read([]byte) (int, error) {
	<-l.arrive
	return 0, io.EOF
}

func TestTheWaitForMemoryCountsForTheWaitForTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{stuck: make(chan struct{})}
		h, err := webhook.New(webhook.Options{Journal: j, MaxBodyBytes: 64 << 10, MaxInflightBytes: 128 << 10})
		if err != nil {
			t.Fatal(err)
		}
		post := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, ingest.PathAlertmanager, strings.NewReader(delivery+strings.Repeat(" ", 60<<10))))
			return w.Code
		}
		began := time.Now()
		done := make(chan time.Duration, 2)
		for range 2 {
			go func() { post(); done <- time.Since(began) }()
		}
		time.Sleep(2 * time.Second)
		go func() { post(); done <- time.Since(began) }()
		equal(t, []time.Duration{<-done, <-done, <-done}, []time.Duration{5 * time.Second, 5 * time.Second, 7 * time.Second})
	})
}

func TestABudgetThatTheLargestBodyDoesNotFitTwiceIsRefused(t *testing.T) {
	if _, err := webhook.New(webhook.Options{MaxBodyBytes: 1000, MaxInflightBytes: 1999}); err == nil {
		t.Error("no error")
	}
}

func TestWhatTheJournalWillNeverTakeIsNotAskedForAgain(t *testing.T) {
	s := serve(t)
	s.journal.err = fmt.Errorf("append: %w", ingest.ErrTooLarge)
	r := s.post(ingest.PathAlertmanager, delivery)
	equal(t, []any{r.Code, r.Type}, []any{413, "bad_data"})
	s.counts(ingest.PathAlertmanager, "too_large", 1)
}

func TestASmallBodyThatUnpacksToAHugeOneIsRefusedEarly(t *testing.T) {
	s := serve(t, func(o *webhook.Options) { o.MaxBodyBytes = 16 << 20 })
	r := s.post(ingest.PathAlertmanager, zipped(strings.Repeat(" ", 12<<20)), "Content-Encoding", "gzip")
	equal(t, []any{r.Code, r.Type}, []any{413, "bad_data"})
	if !strings.Contains(r.Error, "512 times") {
		t.Error(r.Error)
	}
	equal(t, s.post(ingest.PathAlertmanager, zipped(delivery+strings.Repeat(" ", 900<<10)), "Content-Encoding", "gzip").Code, 200)
}

// A body that drips is cut off, however long the server itself would wait.
func TestASlowBodyIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := webhook.New(webhook.Options{Journal: &memory{}})
		if err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe()
		listener := &one{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
		listener.conn <- server
		web := &http.Server{Handler: h}
		served := make(chan error, 1)
		go func() { served <- web.Serve(listener) }()
		began, cut := time.Now(), make(chan struct{})
		go func() {
			_, _ = fmt.Fprintf(client, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", ingest.PathAlertmanager)
			for {
				if _, err := client.Write([]byte(" ")); err != nil {
					break
				}
				time.Sleep(time.Second)
			}
			close(cut)
		}()
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, []any{resp.StatusCode, time.Since(began)}, []any{503, 10 * time.Second})
		_, _ = io.Copy(io.Discard, resp.Body)
		<-cut // the server closed the connection
		_ = client.Close()
		_ = web.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// one is a listener with a single connection.
type one struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *one) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *one) Close() error   { close(l.closed); return nil }
func (l *one) Addr() net.Addr { return &net.TCPAddr{} }
