package clickhouse

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
)

// Table is the one list of a table's columns in Go. The first three are those of the address, of which
// every table has one: partition, position and ordinal. Inserts name the columns in this order; a test
// compares them with DESCRIBE.
type Table[R any] struct {
	Name    string
	Address func(*R) Address
	Columns []Column[R] // those that follow
	// Bytes says about how large a row is, where one can be much larger than another; nil where none is.
	Bytes func(*R) int
}

// columns returns all columns, the address first.
func (t Table[R]) columns() []Column[R] {
	return append([]Column[R]{
		Uint32("partition", func(r *R) uint32 { return t.Address(r).Partition }),
		fixed("position", "UInt64", func(b *proto.Buffer, r *R) { b.PutUInt64(t.Address(r).Position) }),
		Uint32("ordinal", func(r *R) uint32 { return t.Address(r).Ordinal }),
	}, t.Columns...)
}

// Params are the server-side parameters of a query, by name, as text:
// {"from_ms": "1700000000000"} for {from_ms:Int64}. A string is given as it is; for an
// Array(String), see [Strings].
type Params map[string]string

// Rows are the rows of a result. They are to be closed.
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

// Address is where a row comes from: the partition, the position of the record in the
// partition's journal, and the number of the row among those that the record made.
type Address struct {
	Partition uint32
	Position  uint64
	Ordinal   uint32
}

// compare orders addresses of one partition.
func (a Address) compare(b Address) int {
	return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Ordinal, b.Ordinal))
}

// AnyTable is a [Table] of whatever rows.
type AnyTable interface {
	tableName() string
	columnTypes() []columnType
}

// columnType is a column as DESCRIBE lists it.
type columnType struct{ Name, Type string }

func (t Table[R]) tableName() string { return t.Name }

func (t Table[R]) columnTypes() []columnType {
	columns := t.columns()
	types := make([]columnType, len(columns))
	for i, c := range columns {
		types[i] = columnType{c.Name, c.Type}
	}
	return types
}

// TableRows are rows of one table, to be inserted in a [Batch]. [Table.Rows] makes them.
type TableRows interface {
	AnyTable
	// Len is how many rows there are.
	Len() int
	// address returns where the i-th row comes from.
	address(i int) Address
	// without returns the rows whose addresses are not among those that are stored.
	without(stored map[Address]bool) TableRows
	// blocks returns the rows as they are sent.
	blocks() *blocks
}

// Rows returns rows of the table for a [Batch]. The slice is not copied.
func (t Table[R]) Rows(rows []R) TableRows { return tableRows[R]{t, rows} }

type tableRows[R any] struct {
	Table[R]
	rows []R
}

func (t tableRows[R]) Len() int { return len(t.rows) }

func (t tableRows[R]) address(i int) Address { return t.Address(&t.rows[i]) }

func (t tableRows[R]) without(stored map[Address]bool) TableRows {
	if len(stored) == 0 {
		return t
	}
	missing := slices.DeleteFunc(slices.Clone(t.rows), func(r R) bool { return stored[t.Address(&r)] })
	return tableRows[R]{t.Table, missing}
}

// insertSQL is the statement that inserts rows of the table t into the table called name. Both are
// declared in Go: no value is in it.
func insertSQL(name string, t AnyTable) string {
	names := make([]string, 0, 16)
	for _, c := range t.columnTypes() {
		names = append(names, "`"+c.Name+"`")
	}
	return "INSERT INTO `" + name + "` (" + strings.Join(names, ", ") + ") FORMAT Native"
}
