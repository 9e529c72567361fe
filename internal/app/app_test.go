package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
)

const oneService = "services: [{name: cart, owner: team-cart}]\n"

var quiet = slog.New(slog.DiscardHandler)

func newApp(t *testing.T, config string) (*App, string) {
	t.Helper()
	return newAppIn(t, config, t.TempDir())
}

func newAppIn(t *testing.T, config, storage string) (*App, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "evenkeel.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	none, no := "", false
	a, err := New(t.Context(), Options{ConfigFile: file, Storage: storage, Logger: quiet, Web: webFlags("127.0.0.1:0", &none, &no)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil && !errors.Is(err, journal.ErrClosed) {
			t.Error(err)
		}
	})
	return a, file
}

func webFlags(address string, file *string, systemd *bool) *web.FlagConfig {
	return &web.FlagConfig{WebListenAddresses: &[]string{address}, WebConfigFile: file, WebSystemdSocket: systemd}
}

func ask(a *App, method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(body)))
	text, _ := io.ReadAll(w.Result().Body) // a recorder's body cannot fail
	return w.Code, string(text)
}

// Deliveries are taken while ClickHouse is away; reads say that it is; readiness is truthful.
func TestWithoutClickHouseDeliveriesAreTakenAndReadsAre503(t *testing.T) {
	a, _ := newApp(t, oneService)
	for _, c := range []struct {
		method, path, body string
		code               int
	}{
		{http.MethodPost, "/api/v1/ingest/alertmanager", `{"version":"4","alerts":[]}`, http.StatusOK},
		{http.MethodPost, "/api/v1/ingest/alertmanager", `{"version":`, http.StatusBadRequest},
		{http.MethodGet, "/api/v1/incidents", "", http.StatusServiceUnavailable},
		{http.MethodGet, "/", "", http.StatusServiceUnavailable},
		{http.MethodGet, "/-/healthy", "", http.StatusOK},
		{http.MethodGet, "/-/ready", "", http.StatusServiceUnavailable},
		{http.MethodGet, "/metrics", "", http.StatusOK},
		{http.MethodGet, "/debug/pprof/", "", http.StatusOK},
		{http.MethodGet, "/api/v1/openapi.yaml", "", http.StatusOK},
		{http.MethodGet, "/-/reload", "", http.StatusMethodNotAllowed},
	} {
		if code, text := ask(a, c.method, c.path, c.body); code != c.code {
			t.Errorf("%s %s: %d, want %d: %.300s", c.method, c.path, code, c.code, text)
		}
	}
	if journalOf(a).Last() != 2 {
		t.Errorf("the journal holds %d records, want the delivery and the refused one", journalOf(a).Last())
	}
}

func TestAMethodThatAPathDoesNotTakeIsAnsweredWithThoseThatItTakes(t *testing.T) {
	a, _ := newApp(t, oneService)
	for path, allow := range map[string]string{"/api/v2/alerts": "GET, HEAD, POST", "/api/v1/ingest/alertmanager": "POST"} {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions} {
			w := httptest.NewRecorder()
			a.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
			if got := w.Header().Get("Allow"); w.Code != http.StatusMethodNotAllowed || got != allow {
				t.Errorf("%s %s: %d, Allow %q, want %q", method, path, w.Code, got, allow)
			}
		}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			code, _ := ask(a, method, path, "")
			if takes := code != http.StatusMethodNotAllowed; takes != strings.Contains(allow, method) {
				t.Errorf("%s %s: %d, where Allow says %q", method, path, code, allow)
			}
		}
	}
}

func TestAReloadWithAWrongFileKeepsTheConfigurationInForce(t *testing.T) {
	a, file := newApp(t, oneService)
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("services: [{name: cart, owner: a, colour: red}]\n")
	if code, text := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusInternalServerError || !strings.Contains(text, "colour") {
		t.Errorf("a wrong file: %d %s", code, text)
	}
	if got := testutil.ToFloat64(a.reloads.success); got != 0 {
		t.Errorf("the metric of the last reload is %v after a failure", got)
	}
	if got := a.config.Load().Correlation().Services[0].Owner; got != "team-cart" {
		t.Errorf("the wrong file is in force: owner %q", got)
	}
	if journalOf(a).Last() != 0 {
		t.Error("a wrong configuration is in the journal")
	}

	write("services: [{name: cart, owner: team-basket}]\n")
	for range 2 { // the second changes nothing
		if code, text := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusOK {
			t.Errorf("a right file: %d %s", code, text)
		}
	}
	if _, text := ask(a, http.MethodGet, "/api/v1/status/config", ""); !strings.Contains(text, "team-basket") {
		t.Errorf("the API does not show the configuration in force: %s", text)
	}
	if got := a.config.Load().Correlation().Services[0].Owner; got != "team-basket" {
		t.Errorf("the right file is not in force: owner %q", got)
	}
	if journalOf(a).Last() != 1 || testutil.ToFloat64(a.reloads.success) != 1 {
		t.Errorf("%d configurations are in the journal, want 1; metric %v", journalOf(a).Last(), testutil.ToFloat64(a.reloads.success))
	}
}

// fickle changes something of the surroundings just before a configuration is written.
type fickle struct {
	folds
	before func()
}

func (f *fickle) Configure(ctx context.Context, c partition.Configuration, at ingest.Millis) error {
	f.before()
	return f.folds.Configure(ctx, c, at)
}

func TestAConfigurationThatIsWrittenIsInForce(t *testing.T) {
	a, file := newApp(t, oneService)
	password := filepath.Join(filepath.Dir(file), "kafka.password")
	text := "services: [{name: cart, owner: team-basket}]\nstreams: [{name: s, brokers: [127.0.0.1:1], group: g, topics: [t], " +
		"sasl: {mechanism: PLAIN, username: u, password_file: kafka.password}}]\n"
	for name, text := range map[string]string{file: text, password: "secret"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	alone := journalOf(a)
	a.folds = &fickle{a.folds, func() {
		if err := os.Remove(password); err != nil {
			t.Error(err)
		}
	}}
	if code, text := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	if got := a.config.Load().Correlation().Services[0].Owner; got != "team-basket" || alone.Last() != 1 {
		t.Errorf("%d configurations are in the journal, and that of %s is in force", alone.Last(), got)
	}
	if code, text := ask(a, http.MethodPost, "/-/reload", ""); code != http.StatusInternalServerError || !strings.Contains(text, "password_file") {
		t.Errorf("without the password: %d %s", code, text)
	}
	if alone.Last() != 1 {
		t.Error("a configuration that cannot be put in force is in the journal")
	}
}

func TestAStartThatCannotSucceedSaysWhy(t *testing.T) {
	a, file := newApp(t, oneService)
	opts := a.opts
	opts.Storage = t.TempDir()
	for _, c := range []struct {
		name, want string
		change     func(*Options)
	}{
		{"a port that is taken", "--web.listen-address", func(o *Options) {
			taken := []string{a.listeners[0].Addr().String()}
			o.Web = &web.FlagConfig{WebListenAddresses: &taken, WebConfigFile: o.Web.WebConfigFile, WebSystemdSocket: o.Web.WebSystemdSocket}
		}},
		{"a storage folder that another service uses", "in use by another process", func(o *Options) { o.Storage = a.opts.Storage }},
		{"a configuration that is not there", "nowhere.yml", func(o *Options) { o.ConfigFile = filepath.Join(filepath.Dir(file), "nowhere.yml") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := opts
			c.change(&changed)
			started, err := New(t.Context(), changed)
			if err == nil {
				_ = started.close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error %q does not say %q", err, c.want)
			}
		})
	}
}

func TestMetricsOfTheServiceAreWellFormed(t *testing.T) {
	a, _ := newApp(t, oneService)
	problems, err := testutil.GatherAndLint(a.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "evenkeel_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// journalOf returns the journal of a service that has its own.
func journalOf(a *App) *journal.Local { return a.folds.(*single).Local }
