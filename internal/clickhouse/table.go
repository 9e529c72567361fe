package clickhouse

import "context"

// Column is one column of a table: its name, its type as DESCRIBE prints it,
// and the value that a row gives it.
type Column[R any] struct {
	Name  string
	Type  string
	Value func(*R) any
}

// Table is the one list of a table's columns in Go. Inserts name these columns in
// this order; a test compares them with DESCRIBE.
type Table[R any] struct {
	Name    string
	Columns []Column[R]
}

// Params are the server-side parameters of a query, by name, as text:
// {"from_ms": "1700000000000"} for {from_ms:Int64}.
type Params map[string]string

// Rows are the rows of a result.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Close() error
	Err() error
}

// Querier runs one query with server-side parameters. It is all that a stage's
// reads need.
type Querier interface {
	Query(ctx context.Context, sql string, params Params) (Rows, error)
}
