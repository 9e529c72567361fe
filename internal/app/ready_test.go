package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// runApp runs the service until t ends.
func runApp(t *testing.T, a *App) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// cable stands between the service and its ClickHouse, and can be cut.
type cable struct {
	listener net.Listener
	to       string
	cut      chan struct{}
}

// cableTo returns the settings of a ClickHouse behind a cable.
func cableTo(t *testing.T, dsn string) (settings string, between *cable) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &cable{listener: l, to: u.Host, cut: make(chan struct{})}
	go w.carry()
	password, _ := u.User.Password()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	u.Host, u.User = l.Addr().String(), url.User(u.User.Username())
	return fmt.Sprintf("clickhouse: {dsn: %q, password_file: %q}\n", u, file), w
}

func (w *cable) carry() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
		go func() { <-w.cut; _ = near.Close(); _ = far.Close() }()
	}
}

func (w *cable) disconnect() {
	_ = w.listener.Close()
	close(w.cut)
}

// eventually asks until the answer has the code and holds the text, and fails otherwise.
func eventually(t *testing.T, a *App, path string, code int, want string) {
	t.Helper()
	var got int
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got, text = ask(a, http.MethodGet, path, ""); got == code && strings.Contains(text, want) {
			return
		}
	}
	t.Fatalf("%s: %d %q, want %d with %q", path, got, text, code, want)
}

const (
	ready           = "/-/ready"
	readyDeliveries = "/-/ready?for=deliveries"
)

// Every state that people or a load balancer act on is told apart: whether deliveries are taken,
// whether what is read is there and new, and what is odd without hurting anybody.
func TestReadinessSaysWhatIsMissing(t *testing.T) {
	settings, cable := cableTo(t, rig.Database(t))
	a, file := newApp(t, oneService+settings)
	if code, text := ask(a, http.MethodGet, ready, ""); code != http.StatusServiceUnavailable || !strings.Contains(text, "nothing is stored yet") {
		t.Errorf("before it runs: %d %s", code, text)
	}
	runApp(t, a)
	eventually(t, a, ready, http.StatusOK, "Evenkeel is ready.\n")
	if _, text := ask(a, http.MethodGet, ready, ""); strings.Contains(text, "warning") {
		t.Errorf("nothing is odd, and it says %q", text)
	}
	if code, _ := ask(a, http.MethodGet, ready+"?for=lunch", ""); code != http.StatusBadRequest {
		t.Errorf("asked for something else: %d", code)
	}

	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(right) + "\n# later\n")
	eventually(t, a, ready, http.StatusOK, "warning: the configuration's files have changed")
	write("colour: red\n")
	if code, _ := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusInternalServerError {
		t.Errorf("a wrong file is loaded: %d", code)
	}
	eventually(t, a, ready, http.StatusOK, "warning: the last reload failed")
	write(strings.Replace(string(right), "team-cart", "team-basket", 1))
	if code, text := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusOK {
		t.Errorf("a right file is not loaded: %d %s", code, text)
	}
	eventually(t, a, ready, http.StatusOK, "Evenkeel is ready.\n")
	if _, text := ask(a, http.MethodGet, ready, ""); strings.Contains(text, "files have changed") || strings.Contains(text, "reload failed") {
		t.Errorf("after the right file it still says %q", text)
	}

	cable.disconnect()
	eventually(t, a, ready, http.StatusServiceUnavailable, "nothing can be read")
	eventually(t, a, readyDeliveries, http.StatusOK, "Evenkeel is ready.\n")
	if code, text := ask(a, http.MethodPost, ingest.PathAlertmanager, `{"version":"4","alerts":[]}`); code != http.StatusOK {
		t.Errorf("deliveries are not taken without ClickHouse: %d %s", code, text)
	}
}

// A journal that is full takes no deliveries: they are answered 503, and readiness says so until
// there is room.
func TestReadinessSaysThatTheJournalIsFull(t *testing.T) {
	a, _ := newApp(t, oneService+"journal: {max_bytes: 1MiB}\n")
	eventually(t, a, readyDeliveries, http.StatusOK, "ready")
	code, text := http.StatusOK, ""
	for n := 0; code == http.StatusOK && n < 100; n++ {
		code, text = ask(a, http.MethodPost, ingest.PathAlertmanager,
			fmt.Sprintf(`{"version":"4","alerts":[],"noise":%q}`, noise(t, 64<<10)))
	}
	if code != http.StatusServiceUnavailable {
		t.Fatalf("the journal never filled: %d %s", code, text)
	}
	eventually(t, a, readyDeliveries, http.StatusServiceUnavailable, "deliveries are refused: journal is full")
	eventually(t, a, ready, http.StatusServiceUnavailable, "deliveries are refused: journal is full")
}

// noise is text that cannot be compressed.
func noise(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n/2)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// What was stored long ago is said to be old, also where ClickHouse answers.
func TestReadinessSaysThatWhatIsStoredIsOld(t *testing.T) {
	storage := t.TempDir()
	if err := os.MkdirAll(filepath.Join(storage, partitionFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	at := ingest.MillisOf(time.Now().Add(-10 * time.Minute))
	state := fmt.Sprintf(`{"stored":1,"stored_at":%q}`, at)
	first, _ := newAppIn(t, oneService, storage)
	if err := first.configureFirst(t.Context()); err != nil { // the journal has one record
		t.Fatal(err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(storage, partitionFolder, "state.json"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ := newAppIn(t, oneService, storage)
	eventually(t, a, ready, http.StatusServiceUnavailable, "what can be read is 10m")
	eventually(t, a, readyDeliveries, http.StatusOK, "ready")
}

// While a demo tells its history, a delivery of now would end it: it is answered 503, which senders
// try again.
func TestDeliveriesWaitWhileTheDemoTellsItsHistory(t *testing.T) {
	none, no := "", false
	d := &demo{DemoOptions: DemoOptions{
		Seed: 1, Now: ingest.MillisOf(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)), Storage: filepath.Join(t.TempDir(), "demo"),
		Web: webFlags("127.0.0.1:0", &none, &no), Talk: io.Discard, Logger: quiet,
	}}
	if err := d.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := d.app
	t.Cleanup(func() { _ = a.close() })
	const body = `{"version":"4","alerts":[]}`
	if code, text := ask(a, http.MethodPost, ingest.PathAlertmanager, body); code != http.StatusServiceUnavailable || !strings.Contains(text, "Try again") {
		t.Errorf("a delivery into the history: %d %s", code, text)
	}
	eventually(t, a, readyDeliveries, http.StatusServiceUnavailable, "the demo tells its history")
	if err := a.configureFirst(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(a.configured)
	if _, err := d.append(t.Context()); err != nil {
		t.Errorf("the history is not told: %v", err)
	}
	a.telling.Store(false)
	if code, text := ask(a, http.MethodPost, ingest.PathAlertmanager, body); code != http.StatusOK {
		t.Errorf("a delivery after the history: %d %s", code, text)
	}
}
