package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// Folders and files below the storage path.
const (
	journalFolder   = "journal"
	partitionFolder = "partition-0"
	engineFolder    = "clickhouse"
	dsnFile         = "clickhouse.dsn"
)

// database is ClickHouse as the service sees it: away until it is connected and has
// its schema, and whenever it is away later.
type database struct {
	config  config.ClickHouse
	storage string
	logger  *slog.Logger
	metrics prometheus.Registerer

	engine *engine.Engine
	conn   atomic.Pointer[clickhouse.Conn]
}

// Query implements clickhouse.Querier.
func (d *database) Query(ctx context.Context, sql string, params clickhouse.Params) (clickhouse.Rows, error) {
	conn := d.conn.Load()
	if conn == nil {
		return nil, fmt.Errorf("%w: it is being started", clickhouse.ErrAway)
	}
	return conn.Query(ctx, sql, params)
}

// ready returns nil while ClickHouse can be asked.
func (d *database) ready(ctx context.Context) error {
	conn := d.conn.Load()
	if conn == nil {
		return fmt.Errorf("%w: it is being started", clickhouse.ErrAway)
	}
	return conn.Ping(ctx)
}

// connect starts the engine where one is wanted, and returns once the schema
// stands. A server that is away is waited for; one that is too old, a missing library or a
// locked folder is an error.
func (d *database) connect(ctx context.Context) error {
	conn, err := d.open(ctx)
	if err != nil {
		return err
	}
	wait := backoff.NewExponentialBackOff()
	wait.MaxInterval = 10 * time.Second
	for {
		applied, err := d.migrate(ctx, conn)
		if err == nil {
			if len(applied) > 0 {
				d.logger.Info("The schema was brought up to date", "applied", len(applied))
			}
			d.warnOfLoneReplicas(ctx, conn)
			d.warnOfChangedTables(ctx, conn)
			d.conn.Store(conn)
			return nil
		}
		if !errors.Is(err, clickhouse.ErrAway) || ctx.Err() != nil {
			return errors.Join(err, conn.Close())
		}
		pause := wait.NextBackOff()
		d.logger.Warn("ClickHouse is not there yet", "err", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), conn.Close())
		}
	}
}

// warnOfLoneReplicas says at each start where accepted rows may be lost with one server of a cluster.
func (d *database) warnOfLoneReplicas(ctx context.Context, conn *clickhouse.Conn) {
	switch replicas, err := conn.LoneReplicas(ctx); {
	case err != nil:
		d.logger.Warn("It is not known how many replicas an insert waits for", "err", err)
	case replicas > 0:
		d.logger.Warn("What is stored may be lost with one server of the ClickHouse cluster: an insert does not wait for a second replica. "+
			"Add ?insert_quorum=2 to clickhouse.dsn (auto with three replicas or more)", "replicas", replicas)
	}
}

// warnOfChangedTables says at each start which tables somebody has changed so that they take no rows.
func (d *database) warnOfChangedTables(ctx context.Context, conn *clickhouse.Conn) {
	switch err := partition.CheckInserts(ctx, conn); {
	case errors.Is(err, clickhouse.ErrAway) || ctx.Err() != nil:
		d.logger.Warn("It is not known whether tables take what is stored", "err", err)
	case err != nil:
		d.logger.Error("Nothing is stored while tables are not as this program made them: deliveries wait in the journal until they are changed back", "err", err)
	}
}

// open starts the engine where one is wanted, and returns a connection that has asked nothing yet.
func (d *database) open(ctx context.Context) (*clickhouse.Conn, error) {
	dsn, err := d.dsn(ctx)
	if err != nil {
		return nil, err
	}
	return clickhouse.Open(clickhouse.Options{DSN: dsn, Cluster: d.config.Cluster})
}

func (d *database) migrate(ctx context.Context, conn *clickhouse.Conn) ([]clickhouse.Migration, error) {
	if err := conn.Ready(ctx); err != nil {
		return nil, err
	}
	return clickhouse.Migrate(ctx, conn, deploy.ClickHouse())
}

// dsn returns the address of the configured server, or starts the engine and
// leaves its address beside the data for commands that run meanwhile.
func (d *database) dsn(ctx context.Context) (string, error) {
	if d.config.DSN != "" {
		return externalDSN(d.config)
	}
	e, err := startEngine(ctx, d.config, d.storage, d.logger, d.metrics)
	if err != nil {
		return "", err
	}
	d.engine = e
	dsn := e.DSN(d.config.Database)
	return dsn, os.WriteFile(filepath.Join(d.storage, dsnFile), []byte(dsn), 0o600)
}

// close ends the connection, and the engine where it is ours.
func (d *database) close() error {
	var err error
	if conn := d.conn.Swap(nil); conn != nil {
		err = conn.Close()
	}
	if d.engine != nil {
		if e := os.Remove(filepath.Join(d.storage, dsnFile)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		d.engine.Stop()
	}
	return err
}

func startEngine(ctx context.Context, c config.ClickHouse, storage string, logger *slog.Logger, metrics prometheus.Registerer) (*engine.Engine, error) {
	return engine.Start(ctx, engine.Options{
		Folder:  filepath.Join(storage, engineFolder),
		TCPPort: c.Embedded.TCPPort, HTTPPort: c.Embedded.HTTPPort,
		MaxMemoryBytes: c.Embedded.MemoryBytes, CacheBytes: c.Embedded.CacheBytes,
		Logger: logger, Registerer: metrics,
	})
}

// externalDSN returns the configured address with the database and the password of its file.
func externalDSN(c config.ClickHouse) (string, error) {
	password := ""
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("clickhouse.password_file: %w", err)
		}
		password = ingest.Password(b)
	}
	return withCredentials(c.DSN, c.Database, password)
}
