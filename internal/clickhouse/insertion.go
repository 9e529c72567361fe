package clickhouse

import (
	"bytes"
	"context"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// insertion is one attempt to insert rows.
type insertion struct {
	queryID string
	table   string // where the rows go: in a cluster, the local table
	rows    TableRows
	// confirm is asked when the server has begun the insert, before rows are sent: an error ends it. Over
	// HTTP it is asked before the request.
	confirm func() error
}

func (n insertion) sql() string { return insertSQL(n.table, n.rows) }

// insert makes the attempt, by the protocol that the address names.
func (c *Conn) insert(ctx context.Context, n insertion) error {
	if c.options.Protocol == ch.HTTP {
		return c.insertHTTP(ctx, n)
	}
	return c.inserts.insert(ctx, n)
}

// insertHTTP sends the blocks as the body of a request. The driver compresses it where the address asks for
// gzip, deflate or br. By lz4 and zstd, which the server has to be told of beside the query, it stays as it
// is: what the driver tells it of an insert it also tells it of a query of its own, on a new connection.
func (c *Conn) insertHTTP(ctx context.Context, n insertion) error {
	found, err := c.columns(ctx, n.table)
	if err != nil {
		return err
	}
	if err := accepts(n.table, found, n.rows); err != nil {
		return err
	}
	body, err := n.rows.blocks().all()
	if err != nil {
		return &Error{Op: "insert", Err: err}
	}
	if err := n.confirm(); err != nil {
		return err
	}
	return wrap("insert", c.driver.InsertFormat(queryContext(ctx, n.queryID), "Native", n.sql(), bytes.NewReader(body)))
}
