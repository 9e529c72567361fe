package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// MinVersion is the oldest ClickHouse that is supported.
const MinVersion = "25.3"

// DefaultTimeout bounds what is asked without a deadline.
const DefaultTimeout = time.Minute

// DefaultDatabase is used where the address names none.
const DefaultDatabase = "evenkeel"

// Options say where the store is. DSN is needed, all else has a default.
type Options struct {
	// DSN is the address: clickhouse://user:password@host:9000/database, or http://….
	// Several hosts, separated by commas, are replicas of one shard. What is sent and read is compressed by
	// LZ4, and from and to this machine not at all, unless ?compress= says otherwise; rows that are sent over
	// http:// only by gzip, deflate or br.
	DSN string
	// Cluster is the name of a cluster in ClickHouse's configuration. If it is set, tables are
	// Replicated and Distributed ones. By default there is one server.
	Cluster string
	// Timeout bounds each call whose context has no deadline; by default DefaultTimeout.
	Timeout time.Duration
	// MaxConns bounds the connections that are open at once for queries, and those for inserts; by
	// default 8.
	MaxConns int
}

// Conn is a pool of connections to one database. It connects when it is first asked, and again
// whenever that was cut, so a Conn may be opened while the store is away.
type Conn struct {
	driver  driver.Conn
	inserts *inserts // nil over HTTP
	options *ch.Options
	cluster string
	timeout time.Duration
}

var _ Querier = (*Conn)(nil)

var nameRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

// Open returns a connection by the options. It does not ask the store: see [Conn.Ready].
func Open(o Options) (*Conn, error) {
	options, err := ch.ParseDSN(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("address of ClickHouse: %w", err)
	}
	if options.Auth.Database == "" {
		options.Auth.Database = DefaultDatabase
	}
	for what, name := range map[string]string{"database": options.Auth.Database, "cluster": o.Cluster} {
		if name != "" && !nameRE.MatchString(name) {
			return nil, fmt.Errorf("address of ClickHouse: %s %q: use letters, digits, '_', '.' and '-'", what, name)
		}
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxConns == 0 {
		o.MaxConns = 8
	}
	if options.DialTimeout == 0 {
		options.DialTimeout = 10 * time.Second
	}
	if options.ConnMaxLifetime == 0 {
		options.ConnMaxLifetime = time.Hour
	}
	options.MaxOpenConns, options.MaxIdleConns = o.MaxConns, o.MaxConns
	if options.Compression == nil {
		options.Compression = &ch.Compression{Method: compression(options.Addr)}
	}
	setDefaults(options.Settings)
	opened, err := ch.Open(options)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse: %w", err)
	}
	c := &Conn{driver: opened, options: options, cluster: o.Cluster, timeout: o.Timeout}
	if options.Protocol == ch.Native {
		if c.inserts, err = newInserts(options); err != nil {
			return nil, fmt.Errorf("open ClickHouse: %w", err)
		}
	}
	return c, nil
}

// compression is LZ4, unless all addresses are of this machine: there compressing costs more than it spares.
func compression(addresses []string) ch.CompressionMethod {
	for _, address := range addresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return ch.CompressionLZ4
		}
	}
	return ch.CompressionNone
}

// setDefaults sets what the store relies on, whatever the server's profile says: an insert that
// returned is stored, a repeated insert is not dropped behind our back, times are in UTC, and what is asked of every
// server of a cluster is not answered without one of them.
func setDefaults(s ch.Settings) {
	s["async_insert"] = 0
	s["insert_deduplicate"] = 0
	s["session_timezone"] = "UTC"
	s["skip_unavailable_shards"] = 0
}

// Database returns the name of the database.
func (c *Conn) Database() string { return c.options.Auth.Database }

// Close closes the connections.
func (c *Conn) Close() error {
	if c.inserts != nil {
		c.inserts.close()
	}
	return c.driver.Close()
}

// Query runs one query. Params go to the server beside the query, as text. The rows are to
// be closed.
func (c *Conn) Query(ctx context.Context, sql string, params Params) (Rows, error) {
	ctx, cancel := c.bounded(ctx)
	result, err := c.driver.Query(withParams(ctx, sql, params), sql)
	if err != nil {
		cancel()
		return nil, wrap("query", err)
	}
	return &rows{rows: result, cancel: cancel}, nil
}

// Exec runs one statement that has no result.
func (c *Conn) Exec(ctx context.Context, sql string, params Params) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return wrap("execute", c.driver.Exec(withParams(ctx, sql, params), sql))
}

// Ping asks the server whether it is there.
func (c *Conn) Ping(ctx context.Context) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return wrap("ping", c.driver.Ping(ctx))
}

// Version returns the server's version, like "26.7.2.1". It does not need the database.
func (c *Conn) Version(ctx context.Context) (string, error) {
	server, err := c.server()
	if err != nil {
		return "", err
	}
	defer server.Close()
	var version string
	err = One(ctx, server, "SELECT version()", nil, &version)
	return version, err
}

// Ready returns nil if the server is there and new enough. The database may be missing still.
func (c *Conn) Ready(ctx context.Context) error {
	version, err := c.Version(ctx)
	if err != nil {
		return err
	}
	if older(version, MinVersion) {
		return fmt.Errorf("ClickHouse %s is too old: %s or newer is needed", version, MinVersion)
	}
	return nil
}

// server returns a short-lived connection to the server that names no database: the server
// refuses a session in a database that does not exist yet.
func (c *Conn) server() (*Conn, error) {
	options := *c.options
	options.Auth.Database = "default"
	options.MaxOpenConns, options.MaxIdleConns = 1, 1
	opened, err := ch.Open(&options)
	if err != nil {
		return nil, wrap("open", err)
	}
	return &Conn{driver: opened, options: &options, cluster: c.cluster, timeout: c.timeout}, nil
}

func (c *Conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.timeout)
}

// older says whether version comes before least, number by number.
func older(version, least string) bool {
	return slices.Compare(numbers(version), numbers(least)) < 0
}

func numbers(version string) []int {
	var ns []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		ns = append(ns, n)
	}
	return ns
}

// rows end their query's context when they are closed.
type rows struct {
	rows   driver.Rows
	cancel context.CancelFunc
}

func (r *rows) Next() bool { return r.rows.Next() }

func (r *rows) Scan(dest ...any) error { return wrap("read row", r.rows.Scan(dest...)) }

func (r *rows) Err() error { return wrap("read rows", r.rows.Err()) }

func (r *rows) Close() error {
	// The driver reads what is left; ending the query first spares that.
	r.cancel()
	err := r.rows.Close()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return wrap("read rows", err)
}
