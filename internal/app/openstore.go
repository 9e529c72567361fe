package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
)

// reachWithin bounds what a command waits for a store that does not answer.
const reachWithin = 10 * time.Second

// OpenStore connects a command to the store of a service: to the configured
// server, to the engine of a service that runs on the storage folder, or to one
// that it starts itself there. It changes nothing in the store, and a store that does not
// answer is an error after some seconds. The returned function ends what was started.
func OpenStore(ctx context.Context, c config.ClickHouse, storage string, logger *slog.Logger) (*clickhouse.Conn, func() error, error) {
	if c.DSN == "" {
		if conn := runningEngine(ctx, storage); conn != nil {
			return conn, conn.Close, nil
		}
		if _, err := os.Stat(filepath.Join(storage, engineFolder)); err != nil {
			return nil, nil, fmt.Errorf("no data in the storage folder %q: %w (give --storage.path as `evenkeel serve` has it)", storage, err)
		}
	}
	d := &database{config: c, storage: storage, logger: logger, metrics: prometheus.NewRegistry()}
	conn, err := d.open(ctx)
	if err == nil {
		d.conn.Store(conn)
		err = reach(ctx, conn)
	}
	if err != nil {
		return nil, nil, errors.Join(err, d.close())
	}
	return conn, d.close, nil
}

// reach returns once the store answers, or why it does not.
func reach(ctx context.Context, conn *clickhouse.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	for {
		err := conn.Ready(ctx)
		if err == nil || !errors.Is(err, clickhouse.ErrAway) {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("ClickHouse has not answered within %s: %w", reachWithin, err)
		}
	}
}

// CheckSchema returns nil where the store has the schema that this program reads. It changes nothing.
func CheckSchema(ctx context.Context, conn *clickhouse.Conn) error {
	files, err := clickhouse.Status(ctx, conn, deploy.ClickHouse())
	if err != nil {
		return err
	}
	for _, f := range files {
		if !f.Applied {
			return fmt.Errorf("the schema in ClickHouse is older than this program: %s is not applied; run `evenkeel migrate up`, or start the service", f.Name)
		}
	}
	return nil
}

// runningEngine returns a connection to the engine of a service that runs now, or nil.
func runningEngine(ctx context.Context, storage string) *clickhouse.Conn {
	dsn, err := os.ReadFile(filepath.Join(storage, dsnFile))
	if err != nil {
		return nil
	}
	conn, err := clickhouse.Open(clickhouse.Options{DSN: string(dsn)})
	if err != nil {
		return nil
	}
	asking, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if conn.Ready(asking) != nil {
		_ = conn.Close()
		return nil
	}
	return conn
}
