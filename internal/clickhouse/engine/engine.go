package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of [Options].
const (
	DefaultMaxMemoryBytes = 2 << 30
	DefaultCacheBytes     = 256 << 20
	DefaultMaxPause       = 10 * time.Second
)

// ErrLocked says that another process has the data folder open.
var ErrLocked = errors.New("the data folder is locked by another process")

// Options say how an engine runs. Folder is needed, all else has a default.
type Options struct {
	// Folder holds the data and the engine's configuration. It is made if it is missing.
	Folder string
	// Library is the engine's shared library; by default [Path].
	Library string
	// Executable and Args start a process that calls [RunIfChild]; library and
	// configuration are appended. By default this process's own executable and [Command].
	Executable string
	Args       []string
	// TCPPort and HTTPPort are taken on 127.0.0.1; by default free ones.
	TCPPort, HTTPPort int
	// MaxMemoryBytes bounds the engine as a whole, CacheBytes each of its caches.
	MaxMemoryBytes, CacheBytes int64
	// MaxPause is the longest pause before a child that died is followed by the next; by
	// default DefaultMaxPause. The first is a tenth of a second, and they grow from there.
	MaxPause time.Duration
	// Logger gets the supervisor's and the engine's own messages; by default none.
	Logger *slog.Logger
	// Registerer gets the metrics evenkeel_engine_up and evenkeel_engine_restarts_total.
	Registerer prometheus.Registerer
}

// Engine is a running engine and its supervisor.
type Engine struct {
	opts     Options
	settings settings
	pinger   *pinger
	metrics  *metrics
	log      *slog.Logger
	lock     *os.File

	cancel context.CancelFunc // ends the supervisor
	done   chan struct{}      // closed when it has ended
	ready  chan error         // the outcome of the first start, once

	child   atomic.Pointer[process]
	stopped sync.Once
}

// Start starts an engine and returns when it answers. From then on it is restarted with
// back-off whenever it dies, until [Engine.Stop]. ctx bounds the start alone.
func Start(ctx context.Context, opts Options) (*Engine, error) {
	e, err := prepare(opts)
	if err != nil {
		return nil, fmt.Errorf("start engine in %q: %w", opts.Folder, err)
	}
	if err := e.run(ctx); err != nil {
		return nil, fmt.Errorf("start engine in %q: %w", opts.Folder, err)
	}
	return e, nil
}

// run starts the supervisor and returns when the engine answers.
func (e *Engine) run(ctx context.Context) (err error) {
	supervision, cancel := context.WithCancel(context.Background())
	e.cancel = cancel
	go e.supervise(supervision)
	select {
	case err = <-e.ready:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		e.Stop()
	}
	return err
}

// prepare does all that can fail before a process is started.
func prepare(opts Options) (_ *Engine, err error) {
	if opts, err = opts.withDefaults(); err != nil {
		return nil, err
	}
	held, err := lock(opts.Folder)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, held.Close())
		}
	}()
	s, err := configure(opts)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(opts.Registerer)
	if err != nil {
		return nil, err
	}
	return &Engine{
		opts: opts, settings: s, pinger: newPinger(s), metrics: m, log: opts.Logger, lock: held,
		done: make(chan struct{}), ready: make(chan error, 1),
	}, nil
}

// configure chooses ports and password, and writes the engine's configuration.
func configure(opts Options) (settings, error) {
	tcp, http, err := choosePorts(opts.TCPPort, opts.HTTPPort)
	if err != nil {
		return settings{}, err
	}
	s := settings{
		Folder: opts.Folder, TCPPort: tcp, HTTPPort: http,
		MaxMemoryBytes: opts.MaxMemoryBytes, CacheBytes: opts.CacheBytes,
		User: user, Password: newPassword(),
	}
	return s, s.write()
}

// withDefaults returns complete options, or says what is missing.
func (o Options) withDefaults() (Options, error) {
	if o.Folder == "" {
		return o, errors.New("no folder for the data was given")
	}
	var err error
	if o.Folder, err = filepath.Abs(o.Folder); err != nil {
		return o, err
	}
	if o.Library, err = libraryAt(o.Library); err != nil {
		return o, err
	}
	if o.Executable == "" {
		if o.Executable, err = os.Executable(); err != nil {
			return o, fmt.Errorf("find own executable: %w", err)
		}
	}
	if o.Args == nil {
		o.Args = []string{Command}
	}
	o.MaxMemoryBytes = cmp.Or(o.MaxMemoryBytes, DefaultMaxMemoryBytes)
	o.CacheBytes = cmp.Or(o.CacheBytes, DefaultCacheBytes)
	o.MaxPause = cmp.Or(o.MaxPause, DefaultMaxPause)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o, nil
}

// libraryAt returns the library that is there: the given one, or that of the cache.
func libraryAt(path string) (string, error) {
	if path == "" {
		return Path()
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w (looked for %s)", ErrMissing, path)
	}
	return path, nil
}

// DSN returns the address of a database of the engine, with user and password, for the native
// protocol. It stays the same while the engine lives.
func (e *Engine) DSN(database string) string {
	return e.dsn("clickhouse", e.settings.TCPPort, database)
}

// HTTPDSN is [Engine.DSN] for the HTTP protocol.
func (e *Engine) HTTPDSN(database string) string {
	return e.dsn("http", e.settings.HTTPPort, database)
}

func (e *Engine) dsn(scheme string, port int, database string) string {
	u := url.URL{
		Scheme: scheme, User: url.UserPassword(e.settings.User, e.settings.Password),
		Host: address(port), Path: "/" + database,
	}
	return u.String()
}

// PID returns the process id of the child, or 0 while there is none.
func (e *Engine) PID() int {
	if p := e.child.Load(); p != nil {
		return p.pid()
	}
	return 0
}

// Stop ends the child and the supervisor, and returns when both have ended.
func (e *Engine) Stop() {
	e.stopped.Do(func() {
		e.cancel()
		<-e.done
		e.metrics.unregister()
		_ = e.lock.Close() // nothing was written
	})
}

// Times of the supervisor.
const (
	readyWithin   = 60 * time.Second // a data folder with many parts takes a while to load
	startAgainFor = 5 * time.Second  // see again
	pingEvery     = 5 * time.Second
	pingsMissed   = 12               // in a row, until the child is taken for hung
	stableAfter   = 30 * time.Second // a child that served for so long is not part of a crash loop
)

// supervise runs one child after the other until ctx ends.
func (e *Engine) supervise(ctx context.Context) {
	defer close(e.done)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, e.opts.MaxPause
	begun, started := time.Now(), false
	for {
		up, err := e.runOnce(ctx, func() {
			if !started {
				started = true
				e.ready <- nil
			}
		})
		if ctx.Err() != nil {
			return
		}
		if !started {
			if err := e.again(err, time.Since(begun)); err != nil {
				e.ready <- err
				return
			}
		}
		if up > stableAfter {
			pause.Reset()
		}
		wait := pause.NextBackOff()
		if started {
			e.metrics.restarts.Inc()
			e.log.Error("Engine ended, it is started again", "err", err, "up", up, "pause", wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// again returns nil if an engine that could not start with err is worth another try: while the child
// of a parent that was just killed still has the data, or with other ports if ours to choose were
// taken meanwhile.
func (e *Engine) again(err error, since time.Duration) error {
	switch {
	case since > startAgainFor:
		return err
	case errors.Is(err, ErrLocked):
		return nil
	case errors.Is(err, errPortTaken) && e.opts.TCPPort == 0 && e.opts.HTTPPort == 0:
		s, err := configure(e.opts)
		if err == nil {
			e.settings, e.pinger = s, newPinger(s)
		}
		return err
	}
	return err
}

// runOnce runs one child to its end and returns how long it served, and why it ended. onReady is
// called when it answers.
func (e *Engine) runOnce(ctx context.Context, onReady func()) (up time.Duration, err error) {
	p, err := startProcess(e.opts, e.settings.configPath(), e.log)
	if err != nil {
		return 0, err
	}
	e.child.Store(p)
	defer e.child.Store(nil)
	defer p.stop()
	begun := time.Now()
	if err := e.waitReady(ctx, p); err != nil {
		return 0, err
	}
	e.log.Info("Engine is up", "pid", p.pid(), "took", time.Since(begun), "tcp_port", e.settings.TCPPort, "http_port", e.settings.HTTPPort)
	onReady()
	e.metrics.up.Set(1)
	defer e.metrics.up.Set(0)
	begun = time.Now()
	err = e.watch(ctx, p)
	return time.Since(begun), err
}

func (e *Engine) waitReady(ctx context.Context, p *process) error {
	late := time.After(readyWithin)
	for {
		if e.pinger.ping(ctx) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return p.failure()
		case <-late:
			return fmt.Errorf("the engine did not answer within %s", readyWithin)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// watch returns when the child has ended, or has not answered for so long that it is taken for
// hung, or its listeners are gone.
func (e *Engine) watch(ctx context.Context, p *process) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	missed := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return p.failure()
		case <-tick.C:
		}
		err := e.pinger.ping(ctx)
		if err == nil {
			missed = 0
			continue
		}
		if missed++; missed >= pingsMissed {
			return fmt.Errorf("the engine has not answered %d times in a row: %w", missed, err)
		}
	}
}
