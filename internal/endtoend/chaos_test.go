package endtoend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"github.com/evenkeel/evenkeel/internal/app"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// chaos is how much a fault test does: `make chaos` asks for the whole, other runs for a part of it.
func chaos[N int | time.Duration](part, whole N) N {
	if os.Getenv("EVENKEEL_CHAOS") != "" {
		return whole
	}
	return part
}

// cable stands between a service and its ClickHouse. It can be pulled and put back.
type cable struct {
	address, to string

	mu       sync.Mutex
	listener net.Listener
	ends     []net.Conn
}

// newCable returns the settings of a ClickHouse that is reached through a cable.
func newCable(t *testing.T, dsn string) (settings string, c *cable) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c = &cable{address: fmt.Sprintf("127.0.0.1:%d", rig.FreePort(t)), to: u.Host}
	c.plug(t)
	t.Cleanup(c.pull)
	password, _ := u.User.Password()
	file := writeFile(t, "password", password)
	u.Host, u.User = c.address, url.User(u.User.Username())
	return fmt.Sprintf("clickhouse: {dsn: %q, password_file: %q}\n", u, file), c
}

func (c *cable) plug(t *testing.T) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listener = l
	go c.carry(l)
}

func (c *cable) carry(l net.Listener) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.ends = append(c.ends, near, far)
		c.mu.Unlock()
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

// pull cuts every connection and refuses new ones.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.listener.Close()
	for _, end := range c.ends {
		_ = end.Close()
	}
	c.ends = nil
}

// ClickHouse that is gone for a minute and comes back costs nothing: deliveries are accepted all the
// while, and then everything is there once.
func TestClickHouseGoneAndBackLosesNothing(t *testing.T) {
	database := rig.Database(t)
	settings, between := newCable(t, database)
	storage, config := t.TempDir(), loadConfigWith(t, settings+"journal: {max_bytes: 1MiB}\n") // small, so that it is trimmed
	s := serve(t, config, storage)
	l := startLoad(t, s.url)
	away := chaos(8*time.Second, time.Minute)
	for range 2 {
		time.Sleep(2 * time.Second)
		between.pull()
		before := l.accepted()
		time.Sleep(away)
		t.Logf("ClickHouse was gone for %s; %d deliveries were accepted meanwhile", away, l.accepted()-before)
		if l.accepted() == before {
			t.Error("nothing was accepted while ClickHouse was gone")
		}
		between.plug(t)
	}
	time.Sleep(time.Second)
	l.end()
	if l.failures > 0 {
		t.Errorf("%d deliveries were not accepted at once while ClickHouse was gone: %v", l.failures, l.statuses)
	}
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	left := &leftovers{storage: storage, config: config, db: connect(t, database)}
	left.checkLoad(t, l)
	left.checkReplayCommand(t)
}

func connect(t *testing.T, dsn string) *clickhouse.Conn {
	t.Helper()
	db, err := clickhouse.Open(clickhouse.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// smallDisk mounts a disk of a few megabytes and returns its folder, and a function that fills it
// to the last byte and returns how to make room again.
func smallDisk(t *testing.T, megabytes int) (folder string, fill func() (free func())) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		rig.Missing(t, "mounting a small disk needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder, func() func() {
		ballast := filepath.Join(folder, "ballast")
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(f, zeros{})
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk was filled: %v", err)
		}
		_ = f.Close() // its data do not matter
		return func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A full disk, of journal, state and checkpoint, is a 503 and no end: with room again everything goes
// on, what was accepted is there once, and what was refused was not half taken.
func TestAFullDiskLosesNothing(t *testing.T) {
	database := rig.Database(t)
	settings, _ := newCable(t, database)
	storage, fill := smallDisk(t, 24)
	config := loadConfigWith(t, settings)
	s := serve(t, config, storage)
	l := startLoad(t, s.url)
	for range chaos(2, 6) {
		time.Sleep(1500 * time.Millisecond)
		free := fill()
		eventually(t, 20*time.Second, "deliveries are refused", func() bool { return s.status(t, "/-/ready?for=deliveries") == 503 })
		refused := l.refused()
		time.Sleep(2 * time.Second)
		t.Logf("the disk was full; %d deliveries are refused with 503 so far", l.refused())
		if l.refused() == refused {
			t.Error("no delivery met the full disk")
		}
		free()
		before := l.accepted()
		eventually(t, 20*time.Second, "deliveries are accepted again", func() bool { return l.accepted() > before })
	}
	l.end()
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	left := &leftovers{storage: storage, config: config, db: connect(t, database)}
	left.checkLoad(t, l)
	left.checkReplayCommand(t)
}

// jumper is a clock of the wall that can be set.
type jumper struct{ by atomic.Int64 }

func (j *jumper) now() time.Time { return time.Now().Add(time.Duration(j.by.Load())) }

// A clock that is set forth and back under load loses nothing: received times never go back, and what
// was accepted is there once.
func TestAClockThatJumpsLosesNothing(t *testing.T) {
	database := rig.Database(t)
	settings, _ := newCable(t, database)
	storage, config := t.TempDir(), loadConfigWith(t, settings)
	none, no, clock := "", false, &jumper{}
	a, err := app.New(t.Context(), app.Options{
		ConfigFile: config, Storage: storage, Logger: slog.New(slog.DiscardHandler), Clock: clock.now,
		Web: &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: &none, WebSystemdSocket: &no},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	s := &server{url: a.URL(), storage: storage}
	l := startLoad(t, s.url)
	for range chaos(1, 5) {
		for _, by := range []time.Duration{time.Hour, -2 * time.Hour, 20 * time.Minute, -time.Minute, 0} {
			time.Sleep(700 * time.Millisecond)
			clock.by.Store(int64(by))
			before := l.accepted()
			eventually(t, 10*time.Second, "a delivery is accepted after the jump", func() bool { return l.accepted() > before })
			t.Logf("the clock was set to %+d minutes; %d deliveries accepted so far", int(by.Minutes()), l.accepted())
		}
	}
	time.Sleep(time.Second)
	l.end()
	if l.failures > 0 {
		t.Errorf("%d deliveries were not accepted at once: %v", l.failures, l.statuses)
	}
	waitAllStored(t, s)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the service ended with %v", err)
	}
	left := &leftovers{storage: storage, config: config, db: connect(t, database)}
	left.checkLoad(t, l)
	left.checkReplayCommand(t)
}

// kills is how often the service and its engine are killed.
var kills = func() int {
	if n, err := strconv.Atoi(os.Getenv("EVENKEEL_KILLS")); err == nil {
		return n
	}
	return chaos(10, 50)
}()

// status asks for a path and returns the status of the answer, 0 where none came.
func (s *server) status(t *testing.T, path string) int {
	t.Helper()
	code, _ := s.text(t, path)
	return code
}

func (s *server) text(t *testing.T, path string) (status int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := oneShot.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

// metric returns the sum of a metric's series that have the label.
func (s *server) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	_, text := s.text(t, "/metrics")
	sum := 0.0
	for line := range strings.Lines(text) {
		if series, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && strings.HasPrefix(series, name+"{") && strings.Contains(series, label) {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
	}
	return sum
}
