package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// ClickHouse returns a connection to a database of its own, with the whole schema, on
// an embedded engine that all tests of the process share. The database is dropped when t
// ends; the engine ends with the process. With EVENKEEL_SHARDS=1 the database is on a cluster of
// two shards instead, so that whatever reads and writes rows can be tried there as it is.
func ClickHouse(t testing.TB) *clickhouse.Conn {
	t.Helper()
	if os.Getenv("EVENKEEL_SHARDS") == "1" {
		return sharedShards(t).Database(t)
	}
	conn, err := clickhouse.Open(clickhouse.Options{DSN: Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := clickhouse.Migrate(t.Context(), conn, deploy.ClickHouse()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Database returns the DSN of a database that no other test uses and that does not exist yet,
// on the shared engine.
func Database(t testing.TB) string {
	t.Helper()
	e := sharedEngine(t)
	name := fmt.Sprintf("test_%d", databases.Add(1))
	t.Cleanup(func() {
		if err := drop(e.DSN("default"), name); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return e.DSN(name)
}

// drop drops a database. The context of the test that used it has ended.
func drop(dsn, name string) error {
	return statement(context.Background(), dsn, "DROP DATABASE IF EXISTS "+name+" SYNC")
}

// statement runs one over a connection of its own.
func statement(ctx context.Context, dsn, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	conn, err := clickhouse.Open(clickhouse.Options{DSN: dsn})
	if err != nil {
		return err
	}
	return errors.Join(conn.Exec(ctx, sql, nil), conn.Close())
}

var (
	databases  atomic.Uint64
	engineOnce sync.Once
	theEngine  *engine.Engine
	errEngine  error
	engineLog  LogBuffer
)

// sharedEngine starts the engine at the first call. It ends by itself when this process
// does, as its standard input closes then.
func sharedEngine(t testing.TB) *engine.Engine {
	t.Helper()
	library, child := engineParts(t)
	engineOnce.Do(func() { theEngine, errEngine = startEngine(library, child) })
	if errEngine != nil {
		t.Fatalf("start the engine: %v\n%s", errEngine, engineLog.tail(16<<10))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the engine:\n%s", engineLog.tail(4<<10))
		}
	})
	return theEngine
}

// engineParts returns the engine's library and the program that runs it: a child without cgo, as a
// test with the race detector cannot be the child itself.
func engineParts(t testing.TB) (library, child string) {
	t.Helper()
	library, err := engine.Path()
	if errors.Is(err, engine.ErrMissing) {
		Missing(t, "%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return library, engineChild.path(t)
}

func startEngine(library, child string) (*engine.Engine, error) {
	folder, err := enginesFolder()
	if err != nil {
		return nil, err
	}
	return startEngineIn(engine.Options{Folder: filepath.Join(folder, "one"), Library: library, Executable: child}, &engineLog)
}

func startEngineIn(o engine.Options, log *LogBuffer) (*engine.Engine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*readyWithin)
	defer cancel()
	o.Args = []string{engine.Command}
	o.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return engine.Start(ctx, o)
}

// enginesFolder is the folder of the engines that all tests of this process share.
var enginesFolder = sync.OnceValues(makeEnginesFolder)

// makeEnginesFolder makes the folder of this process's engines, and removes those that earlier
// processes left: none can remove its own, as its engines outlive it by a moment.
func makeEnginesFolder() (string, error) {
	cache, err := parts.Folder()
	if err != nil {
		return "", err
	}
	all := filepath.Join(cache, "engines")
	if err := os.MkdirAll(all, 0o755); err != nil {
		return "", err
	}
	left, err := os.ReadDir(all)
	if err != nil {
		return "", err
	}
	for _, d := range left {
		if pid, err := strconv.Atoi(d.Name()); err == nil && !runs(pid) && olderThan(d, time.Minute) {
			_ = os.RemoveAll(filepath.Join(all, d.Name())) // another process may be removing it, too
		}
	}
	own := filepath.Join(all, strconv.Itoa(os.Getpid()))
	return own, os.RemoveAll(own) // of an earlier process with this number
}

func runs(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

func olderThan(d os.DirEntry, age time.Duration) bool {
	info, err := d.Info()
	return err == nil && time.Since(info.ModTime()) > age
}
