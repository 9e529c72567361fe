package clickhouse

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

// shared is the engine of this test process; nil where it could not be had.
var shared *engine.Engine

func TestMain(m *testing.M) {
	engine.RunIfChild()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if _, err := engine.Fetch(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	folder, err := os.MkdirTemp("", "evenkeel-clickhouse-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	shared, err = engine.Start(context.Background(), engine.Options{Folder: folder, Logger: testLogger()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer shared.Stop()
	return m.Run()
}

func testLogger() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// soon is longer than anything takes that ends in time, on a busy machine, too, and much shorter than a
// minute, which is when what hangs is given up.
const soon = 20 * time.Second

var databases atomic.Int64

// open returns a connection to a database of the engine that does not exist yet.
func open(t testing.TB, dsn func(database string) string) *Conn {
	t.Helper()
	c, err := Open(Options{DSN: dsn("test_" + strconv.FormatInt(databases.Add(1), 10))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// migrated returns a connection to a fresh database with the schema of the project.
func migrated(t testing.TB, dsn func(database string) string) *Conn {
	t.Helper()
	c := open(t, dsn)
	if _, err := Migrate(t.Context(), c, deploy.ClickHouse()); err != nil {
		t.Fatal(err)
	}
	return c
}
