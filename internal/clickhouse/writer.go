package clickhouse

import (
	"context"
	_ "embed" // the queries
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Batch is the rows that a contiguous run of journal positions made, of one partition. Its bounds
// are to be durable before it is inserted for the first time, so that after a restart the same
// batch is made again.
type Batch struct {
	Partition   uint32
	First, Last uint64 // positions, both included
	Tables      []TableRows
	// Confirm, where it is set, is asked at each try when the server has begun the insert, before rows are
	// sent: an error ends it. It is how an owner makes sure that the partition is still its own, and whoever
	// owns it next finds the insert running and can end it.
	Confirm func(context.Context) error
}

// WriterOptions are a writer's; all have defaults.
type WriterOptions struct {
	// Timeout bounds one attempt to insert into one table; by default DefaultTimeout.
	Timeout time.Duration
	// Logger is told of attempts that failed; by default nobody.
	Logger *slog.Logger
	// Registerer gets the metrics evenkeel_clickhouse_*.
	Registerer prometheus.Registerer
}

// Writer inserts batches so that every row is in its table exactly once.
//
// An insert whose outcome is unknown, because it failed, timed out or was in flight at a
// restart, is first made to have ended: its query id, which follows from partition, table and
// bounds, runs nowhere any more. Then the addresses that are there are read back, and only the
// missing rows are inserted. Nothing hangs on deduplication by the server: a token of it can
// survive a crash that the rows did not.
//
// This needs that rows of one batch always have the same addresses, that only one process
// inserts batches of a partition at a time, and the privileges KILL QUERY and SELECT ON
// system.processes. Over the native protocol, rows are sent only after the server has begun the
// query, so an insert that is not running cannot begin later. Over HTTP a request may still
// lie unread in a buffer: there the writer waits for a while before it reads back, which makes a
// duplicate unlikely, not impossible.
//
// Rows go to the server that the connection leads to: in a cluster, the address is to name the
// replicas of the shard that the partition belongs to.
type Writer struct {
	conn    *Conn
	timeout time.Duration
	settle  time.Duration
	log     *slog.Logger
	metrics *writerMetrics
	pause   func() backoff.BackOff
}

// httpSettle is how long a request of which the connection was cut may still be read by a server.
const httpSettle = 3 * time.Second

// NewWriter returns a writer to the connection's database.
func NewWriter(c *Conn, o WriterOptions) (*Writer, error) {
	w := &Writer{conn: c, timeout: o.Timeout, log: o.Logger, pause: defaultPause}
	if w.timeout == 0 {
		w.timeout = DefaultTimeout
	}
	if c.options.Protocol == ch.HTTP {
		w.settle = httpSettle
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	var err error
	w.metrics, err = newWriterMetrics(o.Registerer)
	return w, err
}

func defaultPause() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 50*time.Millisecond, 5*time.Second
	return b
}

// Insert inserts the batch and returns nil when every row is stored. While the store is away it
// goes on trying until ctx ends. After an error the outcome is unknown, and whoever inserts the
// batch again says recovering, as for the batch that may have been in flight when the process
// started.
func (w *Writer) Insert(ctx context.Context, b Batch, recovering bool) error {
	if err := b.check(); err != nil {
		return err
	}
	tables, ctx := errgroup.WithContext(ctx)
	tables.SetLimit(atOnce)
	for _, rows := range b.Tables {
		if rows.Len() > 0 {
			tables.Go(func() error { return w.insertUntilStored(ctx, b, rows, recovering) })
		}
	}
	return tables.Wait()
}

// atOnce is how many tables are inserted into at once: most of an insert is waiting for the disk.
const atOnce = 4

// insertUntilStored inserts into one table, and tries again while the store is away.
func (w *Writer) insertUntilStored(ctx context.Context, b Batch, rows TableRows, recovering bool) error {
	pause := w.pause()
	for ; ; recovering = true {
		err := w.insertTable(ctx, b, rows, recovering)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !errors.Is(err, ErrAway) {
			return fmt.Errorf("insert positions %d to %d into %s: %w", b.First, b.Last, rows.tableName(), err)
		}
		w.metrics.failures.Inc()
		wait := pause.NextBackOff()
		w.log.Warn("Insert failed, it is tried again", "table", rows.tableName(), "partition", b.Partition,
			"first", b.First, "last", b.Last, "rows", rows.Len(), "pause", wait, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// insertTable makes one attempt at one table: in a recovery, at the rows that are missing.
func (w *Writer) insertTable(ctx context.Context, b Batch, rows TableRows, recovering bool) error {
	if recovering {
		stored, err := w.recover(ctx, b, rows.tableName())
		if err != nil {
			return fmt.Errorf("recover: %w", err)
		}
		if rows = rows.without(stored); rows.Len() == 0 {
			return nil
		}
	}
	begun := time.Now()
	if err := w.send(ctx, b, rows); err != nil {
		return err
	}
	w.metrics.seconds.Observe(time.Since(begun).Seconds())
	w.metrics.rows.WithLabelValues(rows.tableName()).Add(float64(rows.Len()))
	return nil
}

func (w *Writer) send(ctx context.Context, b Batch, rows TableRows) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	return w.conn.insert(ctx, insertion{
		queryID: w.queryID(b, rows.tableName()),
		table:   w.conn.schema().LocalTable(rows.tableName()),
		rows:    rows,
		confirm: func() error {
			if b.Confirm == nil {
				return nil
			}
			return b.Confirm(ctx)
		},
	})
}

// queryContext gives what runs in ctx a name at the server.
func queryContext(ctx context.Context, queryID string) context.Context {
	return ch.Context(ctx, ch.WithQueryID(queryID))
}

// queryID names the insert of one batch into one table, the same after a restart.
func (w *Writer) queryID(b Batch, table string) string {
	return fmt.Sprintf("evenkeel.%s.%s.%d.%d-%d", w.conn.Database(), table, b.Partition, b.First, b.Last)
}

// check finds what would break the promise of the writer: a table that is there twice, rows
// outside of the batch, or two with one address.
func (b Batch) check() error {
	tables := make(map[string]bool, len(b.Tables))
	for _, rows := range b.Tables {
		if tables[rows.tableName()] {
			return fmt.Errorf("table %s is in the batch twice", rows.tableName())
		}
		tables[rows.tableName()] = true
		if err := b.checkAddresses(rows); err != nil {
			return fmt.Errorf("table %s: %w", rows.tableName(), err)
		}
	}
	return nil
}

func (b Batch) checkAddresses(rows TableRows) error {
	addresses := make([]Address, rows.Len())
	for i := range addresses {
		a := rows.address(i)
		if a.Partition != b.Partition || a.Position < b.First || a.Position > b.Last {
			return fmt.Errorf("a row of partition %d, position %d is not of the batch of partition %d, positions %d to %d",
				a.Partition, a.Position, b.Partition, b.First, b.Last)
		}
		addresses[i] = a
	}
	if !slices.IsSortedFunc(addresses, Address.compare) { // as they come out of a fold, they are
		slices.SortFunc(addresses, Address.compare)
	}
	for i := 1; i < len(addresses); i++ {
		if addresses[i] == addresses[i-1] {
			return fmt.Errorf("two rows have the address %+v", addresses[i])
		}
	}
	return nil
}

var (
	//go:embed kill.sql
	killSQL string
	//go:embed running.sql
	runningSQL string
	//go:embed running_cluster.sql
	runningClusterSQL string
	//go:embed addresses.sql
	addressesSQL string
	//go:embed addresses_cluster.sql
	addressesClusterSQL string
)

// recover ends the batch's insert into the table, wherever it runs, and returns the addresses
// that are stored.
func (w *Writer) recover(ctx context.Context, b Batch, table string) (map[Address]bool, error) {
	w.metrics.recoveries.Inc()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(w.settle):
	}
	if err := w.end(ctx, w.queryID(b, table)); err != nil {
		return nil, err
	}
	return w.stored(ctx, b, table)
}

// end kills the query and returns when it runs nowhere any more.
func (w *Writer) end(ctx context.Context, queryID string) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	for {
		running, err := w.running(ctx, queryID)
		if err != nil || !running {
			return err
		}
		if err := w.kill(ctx, queryID); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return wrap("end insert", fmt.Errorf("query %s is still running: %w", queryID, ctx.Err()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (w *Writer) running(ctx context.Context, queryID string) (bool, error) {
	sql, params := runningSQL, Params{"query_id": queryID}
	if w.conn.cluster != "" {
		sql, params["cluster"] = runningClusterSQL, w.conn.cluster
	}
	var n uint64
	err := One(ctx, w.conn, sql, params, &n)
	return n > 0, err
}

func (w *Writer) kill(ctx context.Context, queryID string) error {
	statements, err := w.conn.schema().Render("kill.sql", killSQL)
	if err != nil {
		return err
	}
	return w.conn.Exec(ctx, statements[0], Params{"query_id": queryID})
}

// stored reads back which rows of the batch the table has: in a cluster, on any replica.
func (w *Writer) stored(ctx context.Context, b Batch, table string) (map[Address]bool, error) {
	sql, params := addressesSQL, Params{
		"table":     w.conn.schema().LocalTable(table),
		"partition": strconv.FormatUint(uint64(b.Partition), 10),
		"first":     strconv.FormatUint(b.First, 10),
		"last":      strconv.FormatUint(b.Last, 10),
	}
	if w.conn.cluster != "" {
		sql, params["cluster"], params["database"] = addressesClusterSQL, w.conn.cluster, w.conn.Database()
	}
	stored := map[Address]bool{}
	err := Each(ctx, w.conn, sql, params, func(rows Rows) error {
		a := Address{Partition: b.Partition}
		err := rows.Scan(&a.Position, &a.Ordinal)
		stored[a] = true
		return err
	})
	return stored, err
}
