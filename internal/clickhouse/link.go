package clickhouse

import (
	"context"
	"io"
	"net"
	"strconv"
	"time"

	native "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// link is one connection.
type link struct {
	client *native.Client
	// raw is what is closed to end whatever goes on: the connection below TLS, which would wait to say
	// farewell.
	raw    net.Conn
	buffer *proto.Buffer // the client's
	made   time.Time
}

func (l *link) close() { _ = l.raw.Close() }

// alive tells whether the connection still leads to a server. It is asked before each use: to find that out
// by an insert would make its outcome unknown, and a recovery asks every server of a cluster, the one that
// went included.
func (l *link) alive(ctx context.Context, timeout time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	return l.client.Ping(ctx) == nil
}

// insert sends the rows. After an error the connection is of no use.
func (l *link) insert(ctx context.Context, n insertion) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	// Closing is what ends each wait of the client: it looks at the deadline where a message begins, not
	// inside of one, and does not see at all that it is to stop while it reads or writes.
	stop := context.AfterFunc(ctx, l.close)
	defer stop()
	t := &transfer{insertion: n, blocks: n.rows.blocks(), begun: make(chan struct{}, 1), end: end}
	err := l.client.Do(ctx, native.Query{
		Body:     n.sql(),
		QueryID:  n.queryID,
		Settings: executionTime(ctx),
		Input:    t.blocks.input,
		OnInput:  t.nextBlock,
		Result:   &t.columns,
		OnResult: t.onColumns,
	})
	switch {
	case t.refused != nil:
		return t.refused
	case ctx.Err() != nil: // whatever else: it was closed
		return wrap("insert", ctx.Err())
	}
	return wrap("insert", err)
}

// executionTime bounds the insert at the server, some seconds later than here, as the driver does it for
// queries.
func executionTime(ctx context.Context) []native.Setting {
	deadline, ok := ctx.Deadline()
	if left := time.Until(deadline); ok && left > time.Second {
		return []native.Setting{{Key: "max_execution_time", Value: strconv.Itoa(int(left.Seconds()) + 5), Important: true}}
	}
	return nil
}

// transfer is an insertion that the server was sent the query of.
type transfer struct {
	insertion
	blocks  *blocks
	begun   chan struct{}      // holds something when the server has begun the query
	columns proto.ColInfoInput // what it then said of the table
	agreed  bool               // that rows are sent
	refused error              // why they are not
	end     func()             // ends all of it
}

// onColumns is called with what the server answers first: that the query runs, and the table's columns. It
// has done nothing of it, but is in the list of running queries.
func (t *transfer) onColumns(context.Context, proto.Block) error {
	select {
	case t.begun <- struct{}{}:
	default:
	}
	return nil
}

// nextBlock is called when the query was sent, and again after each block. The client calls it whether or
// not the server has answered, and where that was an error, too: it is here that it is waited for.
func (t *transfer) nextBlock(ctx context.Context) error {
	if !t.agreed {
		select {
		case <-t.begun:
		case <-ctx.Done():
			return ctx.Err()
		}
		if t.refused = t.agree(); t.refused != nil {
			t.end()
			return t.refused
		}
		t.agreed = true
	}
	if !t.blocks.next() {
		return io.EOF
	}
	return nil
}

// agree says whether the rows may be sent.
func (t *transfer) agree() error {
	found := make([]columnType, len(t.columns))
	for i, c := range t.columns {
		found[i] = columnType{c.Name, string(c.Type)}
	}
	if err := accepts(t.table, found, t.rows); err != nil {
		return err
	}
	return t.confirm()
}
