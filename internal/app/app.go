package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/webhook"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// Options say how a service runs.
type Options struct {
	ConfigFile           string // "" is an empty configuration
	Storage              string // folder of the journal, the checkpoint and the embedded engine
	Web                  *web.FlagConfig
	AllowUnauthenticated bool   // on other addresses than the loopback
	ExternalURL          string // where people reach the pages; "" takes it from each request
	Logger               *slog.Logger

	Clock func() time.Time // of the wall; default time.Now
}

// App is one service.
type App struct {
	opts      Options
	logger    *slog.Logger
	registry  *prometheus.Registry
	started   time.Time
	listeners []net.Listener

	config   atomic.Pointer[config.Config]
	text     atomic.Pointer[string] // of the root file that config was read from
	reloads  *reloadMetrics
	reload   sync.Mutex
	receiver *webhook.Handler
	store    partition.ClickHouse
	folds    folds
	database *database
	streams  streams

	files         atomic.Pointer[string] // hash of the files that config was read from
	wanted        atomic.Pointer[string] // hash of the configuration that the fold was given last
	reloadFailure atomic.Pointer[string] // why the last reload failed; nil where it did not
	telling       atomic.Bool            // a history is appended: deliveries are refused

	configureAt ingest.Millis // received_at of the first configuration; 0 is now
	configured  chan struct{} // closed when the fold has been given the configuration
	connected   chan struct{} // closed when ClickHouse was reached for the first time
}

// New reads the configuration, opens the journal and the checkpoint, and binds
// the listeners: what can be wrong with them is known before anything runs. For a journal elsewhere it
// waits until ctx ends.
func New(ctx context.Context, opts Options) (_ *App, err error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	a := &App{opts: opts, logger: opts.Logger, registry: newRegistry(), started: time.Now(), configured: make(chan struct{}), connected: make(chan struct{})}
	a.reloads = newReloadMetrics(a.registry)
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	c, text, err := a.load()
	if err != nil {
		return nil, err
	}
	a.show(c, text)
	if err := checkExposure(*opts.Web.WebListenAddresses, *opts.Web.WebConfigFile, opts.AllowUnauthenticated); err != nil {
		return nil, err
	}
	a.database = &database{config: c.ClickHouse, storage: opts.Storage, logger: a.logger.With("part", "clickhouse"), metrics: a.registry}
	if err := a.openJournal(ctx, c); err != nil {
		return nil, err
	}
	if err := a.openReceiver(c); err != nil {
		return nil, err
	}
	if err := a.openStreams(c, a.registry); err != nil {
		return nil, err
	}
	return a, a.listen()
}

func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		version.NewCollector("evenkeel"))
	return reg
}

// openJournal opens the journal, and what folds it.
func (a *App) openJournal(ctx context.Context, c *config.Config) error {
	if c.Journal.Kafka != nil {
		r, err := a.openReplica(ctx, c)
		if err == nil {
			a.folds = r
		}
		return err
	}
	s, err := a.openSingle(ctx, c)
	if err == nil {
		a.folds = s
	}
	return err
}

// openSingle opens the journal below the storage path.
func (a *App) openSingle(ctx context.Context, c *config.Config) (*single, error) {
	if err := os.MkdirAll(a.opts.Storage, 0o700); err != nil {
		return nil, fmt.Errorf("storage path: %w", err)
	}
	j, err := journal.Open(journal.Options{
		Dir: filepath.Join(a.opts.Storage, journalFolder), MaxBytes: c.Journal.MaxBytes, Clock: a.opts.Clock,
		Logger: a.logger.With("part", "journal"), Registerer: a.registry,
	})
	if err != nil {
		return nil, err
	}
	r, err := partition.New(ctx, partition.Options{
		Log: j, Store: &a.store, Past: partition.NewArchive(a.database), Keep: partition.NewFiles(filepath.Join(a.opts.Storage, partitionFolder)),
		Clock: a.opts.Clock, Logger: a.logger.With("part", "partition"), Metrics: a.registry,
	})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &single{j, r}, nil
}

func (a *App) openReceiver(c *config.Config) (err error) {
	a.receiver, err = webhook.New(webhook.Options{
		Journal: a.folds, MaxBodyBytes: c.Ingest.MaxBodyBytes, MaxInflightBytes: c.Ingest.MaxInflightBytes,
		MaxTenants: c.Ingest.MaxTenants, Readable: readable(),
		Logger: a.logger.With("part", "ingest"), Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	settings, err := receiving(c)
	if err == nil {
		a.receiver.Configure(settings)
	}
	return err
}

// listen binds every address, so that a port that is taken is known at the start.
func (a *App) listen() error {
	open := newConnections(a.config.Load().Ingest.MaxConnections, a.registry)
	for _, address := range *a.opts.Web.WebListenAddresses {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
		if err != nil {
			return fmt.Errorf("listen on %s: %w (another address: --web.listen-address)", address, err)
		}
		a.listeners = append(a.listeners, open.listener(l))
	}
	return nil
}

// URL returns where the pages are on this machine.
func (a *App) URL() string { return "http://" + a.listeners[0].Addr().String() }

// Run serves until ctx ends, and then stops in order: no new deliveries, what was
// accepted is stored, a checkpoint is written.
func (a *App) Run(ctx context.Context) error {
	g, running := errgroup.WithContext(ctx)
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error {
		defer stopStoring()
		return a.runPartition(storing)
	})
	g.Go(func() error {
		defer stopStoring()
		defer a.storeRest(storing)
		return a.receive(running)
	})
	err := g.Wait()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return errors.Join(err, a.close())
}

// receive takes deliveries by every way until ctx ends.
func (a *App) receive(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.serveHTTP(ctx) })
	g.Go(func() error { return a.runStreams(ctx) })
	return g.Wait()
}

// runPartition folds at once, and stores as soon as ClickHouse is there.
func (a *App) runPartition(ctx context.Context) error {
	if err := a.configureFirst(ctx); err != nil {
		return err
	}
	close(a.configured)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.folds.Run(ctx) })
	g.Go(func() error {
		if err := a.connect(ctx); err != nil {
			return fmt.Errorf("clickhouse: %w", err)
		}
		return nil
	})
	return g.Wait()
}

// storeRestWithin bounds what a stop waits for: the journal keeps what is not stored by then.
const storeRestWithin = 4 * time.Second

// storeRest returns once everything in the journal is stored, so that who reads
// ClickHouse while the service is down sees all that was accepted.
func (a *App) storeRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeRestWithin)
	defer cancel()
	if a.database.ready(ctx) != nil {
		return
	}
	if err := a.folds.WaitStored(ctx); err != nil {
		a.logger.Warn("Stopped before all that was accepted is stored; the journal keeps it for the next start", "records", waiting(a.folds.Folding()))
	}
}

// connect brings ClickHouse up and gives it to the store.
func (a *App) connect(ctx context.Context) error {
	if err := a.database.connect(ctx); err != nil {
		return err
	}
	w, err := clickhouse.NewWriter(a.database.conn.Load(), clickhouse.WriterOptions{
		Logger: a.database.logger, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	a.store.Use(w)
	close(a.connected)
	a.logger.Info("ClickHouse is ready")
	return nil
}

// awaitConfiguration returns when the configuration is in the journal.
func (a *App) awaitConfiguration(ctx context.Context) error { return await(ctx, a.configured) }

// awaitStore returns when ClickHouse can be asked, and holds all that is in the journal now.
func (a *App) awaitStore(ctx context.Context) error {
	if err := await(ctx, a.connected); err != nil {
		return err
	}
	return a.folds.WaitStored(ctx)
}

// await returns when done is closed, or with the reason why ctx ended.
func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close ends what New and Run have opened, in reverse order.
func (a *App) close() error {
	var errs []error
	for _, l := range a.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.database != nil {
		errs = append(errs, a.database.close())
	}
	if a.folds != nil {
		errs = append(errs, a.folds.Close())
	}
	return errors.Join(errs...)
}

// serveHTTP serves until ctx ends, and then lets running requests finish.
func (a *App) serveHTTP(ctx context.Context) error {
	server := &http.Server{
		Handler:           a.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       5 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	err := web.ServeMultiple(a.listeners, server, a.opts.Web, a.logger)
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-stopped, ctx.Err())
}
