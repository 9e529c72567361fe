package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	native "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// wire is a proxy before the shared engine, of which the connections can be made to hang or cut.
type wire struct {
	listener net.Listener
	target   string

	held chan struct{} // holds something when something was held back

	mu    sync.Mutex
	links []*wireLink
}

// wireLink is one connection.
type wireLink struct {
	client, server net.Conn
	held           chan struct{} // the wire's

	mu     sync.Mutex
	free   *sync.Cond
	hangs  bool
	passes int  // bytes from the server that come through although it hangs
	pings  bool // and whether pings do, and their answers: a byte each
}

// newWire listens, with TLS where there is a configuration for it.
func newWire(t testing.TB, secured *tls.Config) *wire {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if secured != nil {
		l = tls.NewListener(l, secured)
	}
	w := &wire{listener: l, target: parsed(t, shared.DSN("x")).Host, held: make(chan struct{}, 1)}
	var done sync.WaitGroup
	done.Go(func() { w.serve(&done) })
	t.Cleanup(func() {
		l.Close()
		w.cut()
		done.Wait()
	})
	return w
}

func parsed(t testing.TB, dsn string) *url.URL {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// dsn is the address of a database through the wire, with parameters like "compress=none".
func (w *wire) dsn(t testing.TB, database, parameters string) string {
	u := parsed(t, shared.DSN(database))
	u.Host = w.listener.Addr().String()
	return withQuery(u.String(), parameters)
}

func (w *wire) serve(done *sync.WaitGroup) {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp4", w.target)
		if err != nil {
			client.Close()
			continue
		}
		l := &wireLink{client: client, server: server, held: w.held}
		l.free = sync.NewCond(&l.mu)
		w.mu.Lock()
		w.links = append(w.links, l)
		w.mu.Unlock()
		done.Go(func() { l.copy(server, client, false) })
		done.Go(func() { l.copy(client, server, true) })
	}
}

func (l *wireLink) copy(to, from net.Conn, answers bool) {
	defer l.close()
	chunk := make([]byte, 32<<10)
	for {
		n, err := from.Read(chunk)
		for sent := 0; sent < n; {
			part := l.allowed(n-sent, answers)
			if _, err := to.Write(chunk[sent : sent+part]); err != nil {
				return
			}
			sent += part
		}
		if err != nil {
			return
		}
	}
}

// allowed waits until some of n bytes may pass, and returns how many.
func (l *wireLink) allowed(n int, answers bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.hangs && (!answers || l.passes == 0) && !(l.pings && n == 1) {
		select {
		case l.held <- struct{}{}:
		default:
		}
		l.free.Wait()
	}
	if !l.hangs || l.pings && n == 1 {
		return n
	}
	n = min(n, l.passes)
	l.passes -= n
	return n
}

func (l *wireLink) close() {
	l.client.Close()
	l.server.Close()
	l.set(false, 0, false)
}

func (l *wireLink) set(hangs bool, passes int, pings bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hangs, l.passes, l.pings = hangs, passes, pings
	l.free.Broadcast()
}

// hang makes the connections that there are now hang, after so many bytes of answers, in all but pings.
func (w *wire) hang(passes int) {
	for _, l := range w.all() {
		l.set(true, passes, true)
	}
}

// vanish makes them hang in all.
func (w *wire) vanish() {
	for _, l := range w.all() {
		l.set(true, 0, false)
	}
}

// cut closes the connections that there are now.
func (w *wire) cut() {
	for _, l := range w.all() {
		l.close()
	}
}

func (w *wire) all() []*wireLink {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.links
}

// wired returns a connection through the wire to a database that has a table r.
func wired(t testing.TB, w *wire, o Options, parameters string) *Conn {
	t.Helper()
	direct := migrated(t, shared.DSN)
	withReadings(t, direct, "r")
	o.DSN = w.dsn(t, direct.Database(), parameters)
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// smallBatch is some rows, and largeBatch so many that no buffer on the way holds them.
func smallBatch() Batch { return batchOf(made(1, 1, 2, 3)) }

func largeBatch() Batch {
	rows := made(1, 1, 1, 64)
	for i := range rows {
		text := make([]byte, 1<<20)
		random := rand.NewChaCha8([32]byte{byte(i)})
		_, _ = random.Read(text)
		rows[i].Words = []string{string(text)}
	}
	return batchOf(rows)
}

func batchOf(rows []reading) Batch {
	return Batch{Partition: 1, First: 1, Last: 2, Tables: []TableRows{readings("r").Rows(rows)}}
}

// idle returns the connections of c that wait for an insert.
func idle(c *Conn) []*link {
	c.inserts.mu.Lock()
	defer c.inserts.mu.Unlock()
	return c.inserts.idle
}

func TestInsertEndsInTime(t *testing.T) {
	tests := map[string]struct {
		batch   Batch
		before  func(*wire) // the insert
		confirm func(*wire)
	}{
		"hangs after the handshake":       {batch: smallBatch(), before: func(w *wire) { w.hang(0) }},
		"hangs in the first answer":       {batch: smallBatch(), before: func(w *wire) { w.hang(2) }},
		"hangs when it has begun":         {batch: smallBatch(), confirm: func(w *wire) { w.hang(0) }},
		"hangs while rows are written":    {batch: largeBatch(), confirm: func(w *wire) { w.hang(0) }},
		"hangs in the answer to the rows": {batch: smallBatch(), confirm: func(w *wire) { w.hang(1) }},
	}
	secured := serverTLS(t)
	for _, safe := range []bool{false, true} {
		for name, test := range tests {
			t.Run(fmt.Sprintf("%s, TLS %v", name, safe), func(t *testing.T) {
				w, parameters := newWire(t, nil), "compress=none"
				if safe {
					w, parameters = newWire(t, secured), "compress=none&secure=true&skip_verify=true"
				}
				c := wired(t, w, Options{}, parameters)
				writer := newWriter(t, c, WriterOptions{})
				send := func(ctx context.Context, b Batch) error { return writer.send(ctx, b, b.Tables[0]) }
				endings := map[string]func(context.Context) (context.Context, context.CancelFunc){
					"timeout": func(ctx context.Context) (context.Context, context.CancelFunc) {
						return context.WithTimeout(ctx, 300*time.Millisecond)
					},
					"cancel": func(ctx context.Context) (context.Context, context.CancelFunc) {
						ctx, cancel := context.WithCancel(ctx)
						time.AfterFunc(300*time.Millisecond, cancel)
						return ctx, cancel
					},
				}
				for name, ending := range endings {
					connect(t, writer)
					ctx, cancel := ending(t.Context())
					if test.before != nil {
						test.before(w)
					}
					test.batch.Confirm = func(context.Context) error {
						if test.confirm != nil {
							test.confirm(w)
						}
						return nil
					}
					begun := time.Now()
					err := send(ctx, test.batch)
					took := time.Since(begun)
					cancel()
					if away, canceled := errors.Is(err, ErrAway), errors.Is(err, context.Canceled); away == canceled || canceled != (name == "cancel") {
						t.Errorf("%s: got %v", name, err)
					}
					if took < 250*time.Millisecond || took > soon {
						t.Errorf("%s: it took %s", name, took)
					}
					if len(idle(c)) != 0 {
						t.Errorf("%s: the connection is kept", name)
					}
					w.cut()
					if err := writer.end(t.Context(), writer.queryID(test.batch, "r")); err != nil {
						t.Fatal(err)
					}
				}
				// What was sent may have been stored, or not: once each in the end.
				test.batch.Confirm = nil
				if err := writer.Insert(t.Context(), test.batch, true); err != nil {
					t.Fatal(err)
				}
				wantRows(t, c, "r", uint64(test.batch.Tables[0].Len()))
			})
		}
	}
}

// connect makes a connection for inserts that is idle then.
func connect(t testing.TB, w *Writer) {
	t.Helper()
	at := uint64(1000 + connects.Add(1)) // a server that has just answered may still know the name of the query
	if err := w.send(t.Context(), Batch{First: at, Last: at}, readings("r").Rows(nil)); err != nil {
		t.Fatal(err)
	}
}

var connects atomic.Int64

// serverTLS is the configuration of a server with a certificate that nobody knows.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}
}

func TestServerThatNeverSaysHelloIsAway(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, parameters := range []string{"", "&secure=true"} {
		c, err := Open(Options{DSN: "clickhouse://" + silent.Addr().String() + "/x?dial_timeout=300ms" + parameters})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		begun, b := time.Now(), smallBatch()
		if err := newWriter(t, c, WriterOptions{}).send(t.Context(), b, b.Tables[0]); !errors.Is(err, ErrAway) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begun); took > soon {
			t.Errorf("it took %s", took)
		}
	}
}

// The owner is asked only after the server has answered that the query runs: not when it refuses it, and
// not when the connection breaks before.
func TestOwnerIsNotAskedBeforeTheServerHasBegun(t *testing.T) {
	w := newWire(t, nil)
	c := wired(t, w, Options{}, "compress=none")
	writer := newWriter(t, c, WriterOptions{})
	asked := 0
	b := smallBatch()
	b.Confirm = func(context.Context) error {
		asked++
		return nil
	}
	for i := range uint64(50) {
		b.First, b.Last = i, i
		err := writer.send(t.Context(), b, readings("nowhere").Rows(made(1, 1, 2, 3)))
		var e *Error
		if !errors.As(err, &e) || e.Away || e.Code != 60 { // UNKNOWN_TABLE
			t.Fatalf("got %v", err)
		}
	}
	for i := range uint64(50) {
		b.First, b.Last = 50+i, 50+i
		connect(t, writer)
		w.hang(0)
		var cut sync.WaitGroup
		cut.Go(func() {
			<-w.held // the query
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
			w.cut()
		})
		if err := writer.send(t.Context(), b, b.Tables[0]); !errors.Is(err, ErrAway) {
			t.Fatalf("got %v", err)
		}
		cut.Wait()
	}
	if asked > 0 {
		t.Errorf("it was asked %d times", asked)
	}
	wantRows(t, c, "r", 0)
}

func TestRowsThatMayNotBeSentAreNot(t *testing.T) {
	c := migrated(t, shared.DSN)
	withReadings(t, c, "r")
	writer := newWriter(t, c, WriterOptions{})
	lost := errors.New("another has it")
	for name, b := range map[string]Batch{"small": smallBatch(), "large": largeBatch()} {
		b.Confirm = func(context.Context) error { return lost }
		begun := time.Now()
		err := writer.send(t.Context(), b, b.Tables[0])
		if !errors.Is(err, lost) || errors.Is(err, ErrAway) {
			t.Errorf("%s: got %v", name, err)
		}
		if took := time.Since(begun); took > soon {
			t.Errorf("%s: it took %s", name, took)
		}
		if err := writer.end(t.Context(), writer.queryID(b, "r")); err != nil {
			t.Error(err)
		}
	}
	wantRows(t, c, "r", 0)
}

func TestServerThatIsFullDuringAnInsertIsAway(t *testing.T) {
	c := migrated(t, func(database string) string { return withQuery(shared.DSN(database), "max_memory_usage=1000000") })
	withReadings(t, c, "r")
	b := largeBatch()
	err := newWriter(t, c, WriterOptions{}).send(t.Context(), b, b.Tables[0])
	var e *Error
	if !errors.As(err, &e) || !e.Away || e.Code != 241 && e.Code != 0 { // MEMORY_LIMIT_EXCEEDED, or the connection ended before it was read
		t.Errorf("got %v", err)
	}
}

func TestIdleConnectionThatWasCutCostsNoAttempt(t *testing.T) {
	tests := map[string]func(*wire){
		"cut by the server":    (*wire).cut,
		"forgotten on the way": (*wire).vanish,
	}
	for name, ends := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, nil)
			c := wired(t, w, Options{}, "compress=lz4")
			writer := newWriter(t, c, WriterOptions{})
			var wait sync.WaitGroup
			for i := range 3 { // three connections
				wait.Go(func() {
					b := batchOf(made(1, uint64(i+1), uint64(i+1), 2))
					b.First, b.Last = uint64(i+1), uint64(i+1)
					b.Confirm = func(context.Context) error {
						time.Sleep(100 * time.Millisecond)
						return nil
					}
					if err := writer.Insert(t.Context(), b, false); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			if len(idle(c)) < 2 {
				t.Fatalf("%d connections are kept", len(idle(c)))
			}
			ends(w)
			begun, b := time.Now(), batchOf(made(1, 9, 9, 2))
			b.First, b.Last = 9, 9
			if err := writer.Insert(t.Context(), b, false); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took > soon { // it is not the insert that found out
				t.Errorf("it took %s", took)
			}
			if n := testutil.ToFloat64(writer.metrics.failures); n != 0 {
				t.Errorf("%v attempts failed", n)
			}
			if len(idle(c)) != 1 {
				t.Errorf("%d connections are kept", len(idle(c)))
			}
			wantRows(t, c, "r", 8)
		})
	}
}

func TestConnectionsAreUsedAgainWithinBounds(t *testing.T) {
	w := newWire(t, nil)
	c := wired(t, w, Options{MaxConns: 1}, "compress=none")
	c.inserts.pingTimeout = time.Minute // on a busy machine an answer may take longer than it is worth to wait
	withReadings(t, c, "s", "u")
	writer := newWriter(t, c, WriterOptions{})
	insert := func(want int, b Batch) {
		t.Helper()
		if err := writer.Insert(t.Context(), b, true); err != nil {
			t.Fatal(err)
		}
		if n := int(c.inserts.dialled.Load()); n != want {
			t.Errorf("there were %d connections, want %d", n, want)
		}
	}
	several := smallBatch()
	for _, table := range []string{"s", "u"} {
		several.Tables = append(several.Tables, readings(table).Rows(made(1, 1, 2, 3)))
	}
	insert(1, several)
	next := func(position uint64) Batch {
		return Batch{Partition: 1, First: position, Last: position, Tables: []TableRows{readings("r").Rows(made(1, position, position, 1))}}
	}
	insert(1, next(3))
	insert(1, next(4)) // it still answers
	idle(c)[0].made = time.Now().Add(-2 * time.Hour)
	insert(2, next(5))
	if err := writer.send(t.Context(), several, readings("nowhere").Rows(made(1, 1, 1, 1))); err == nil {
		t.Error("there is no such table")
	}
	insert(3, next(6)) // none is used again after an error
	large := largeBatch()
	large.First, large.Last = 1, 1
	if err := writer.send(t.Context(), large, large.Tables[0]); err != nil {
		t.Fatal(err)
	}
	if len(idle(c)) != 0 {
		t.Error("a connection is kept with the memory of a large batch")
	}
	insert(4, next(7))
	c.Close()
	if len(idle(c)) != 0 {
		t.Error("a connection is left after Close")
	}
	if err := writer.send(t.Context(), next(8), next(8).Tables[0]); !errors.Is(err, ErrAway) {
		t.Errorf("after Close: got %v", err)
	}
}

func TestServersAreTriedInTheOrderThatIsAskedFor(t *testing.T) {
	tests := map[string]struct {
		servers func(a, b, nobody string) string
		want    func(a, b int) bool
	}{
		"in_order":             {func(a, b, _ string) string { return a + "," + b }, func(a, b int) bool { return a == 6 && b == 0 }},
		"in_order, first away": {func(_, b, nobody string) string { return nobody + "," + b }, func(a, b int) bool { return a == 0 && b == 6 }},
		"round_robin":          {func(a, b, _ string) string { return a + "," + b }, func(a, b int) bool { return a == 3 && b == 3 }},
		"random, one away":     {func(a, _, nobody string) string { return a + "," + nobody }, func(a, b int) bool { return a == 6 && b == 0 }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := newWire(t, nil), newWire(t, nil)
			direct := migrated(t, shared.DSN)
			withReadings(t, direct, "r")
			u := parsed(t, shared.DSN(direct.Database()))
			u.Host = test.servers(a.listener.Addr().String(), b.listener.Addr().String(), "127.0.0.1:1")
			strategy, _, _ := strings.Cut(name, ",")
			c, err := Open(Options{DSN: withQuery(u.String(), "connection_open_strategy="+strategy)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			writer := newWriter(t, c, WriterOptions{})
			for range 6 {
				connect(t, writer)
				c.inserts.closeIdle()
			}
			if !test.want(len(a.all()), len(b.all())) {
				t.Errorf("%d and %d connections", len(a.all()), len(b.all()))
			}
		})
	}
}

func TestInsertHasTheSettingsOfTheAddressAndItsOwn(t *testing.T) {
	c := migrated(t, func(database string) string {
		return withQuery(shared.DSN(database), "max_threads=3&client_info_product=tester/7")
	})
	withReadings(t, c, "r")
	writer := newWriter(t, c, WriterOptions{Timeout: 20 * time.Second})
	b := smallBatch()
	var settings map[string]string
	var client string
	b.Confirm = func(ctx context.Context) error {
		return One(ctx, c, "SELECT Settings, client_name FROM system.processes WHERE query_id = {id:String}", Params{"id": writer.queryID(b, "r")}, &settings, &client)
	}
	if err := writer.Insert(t.Context(), b, false); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"async_insert": "0", "insert_deduplicate": "0", "session_timezone": "UTC", "max_threads": "3", "max_execution_time": "24"}
	for name, value := range want {
		if settings[name] != value {
			t.Errorf("%s is %q, want %q (of %v)", name, settings[name], value, slices.Sorted(maps.Keys(settings)))
		}
	}
	if !strings.Contains(client, "tester/7") {
		t.Errorf("the client is called %q", client)
	}
}

func TestWhoMayNotInsertIsNotAway(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*url.URL)
		code   int32
	}{
		"a wrong password": {func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "wrong") }, 516},
		"no such database": {func(u *url.URL) { u.Path = "/nowhere" }, 81},
		"no such setting":  {func(u *url.URL) { u.RawQuery += "&no_such_setting=1" }, 115},
	} {
		u := parsed(t, shared.DSN("default"))
		test.change(u)
		c, err := Open(Options{DSN: u.String()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		b := smallBatch()
		err = newWriter(t, c, WriterOptions{}).send(t.Context(), b, b.Tables[0])
		var e *Error
		if !errors.As(err, &e) || e.Away || e.Code != test.code {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Open(Options{DSN: "clickhouse://127.0.0.1:1/x?compress=gzip"}); err == nil {
		t.Error("a compression that the protocol lacks was taken")
	}
}

func TestErrorsOfInsertsAreToldApart(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		away bool
		code int32
	}{
		"memory":      {fmt.Errorf("handle packet: %w", &native.Exception{Code: proto.ErrMemoryLimitExceeded}), true, 241},
		"no table":    {fmt.Errorf("handle packet: %w", &native.Exception{Code: proto.ErrUnknownTable}), false, 60},
		"end of file": {fmt.Errorf("packet: %w", io.EOF), true, 0},
		"network":     {fmt.Errorf("flush: %w", &net.OpError{Op: "write", Err: errors.New("broken pipe")}), true, 0},
		"closed":      {native.ErrClosed, true, 0},
		"deadline":    {context.DeadlineExceeded, true, 0},
	} {
		var e *Error
		if err := wrap("insert", test.err); !errors.As(err, &e) || e.Away != test.away || e.Code != test.code {
			t.Errorf("%s: got %+v", name, err)
		}
	}
	if err := wrap("insert", fmt.Errorf("x: %w", context.Canceled)); errors.Is(err, ErrAway) {
		t.Errorf("cancelled: got %v", err)
	}
}
