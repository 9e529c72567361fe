package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Types of columns that most tables have, as DESCRIBE prints them.
const (
	Instant = "DateTime64(3, 'UTC')"                // of an ingest.Millis; 0 is the beginning of 1970
	Word    = "LowCardinality(String)"              // of a string that recurs
	Labels  = "Map(LowCardinality(String), String)" // of Pairs, or a map[string]string
)

// Column is one column of a table: its name, its type as DESCRIBE prints it,
// and the value that a row gives it. Values may be of named types (ingest.Millis for a
// DateTime64(3), a named string for a String): they are written as what they are underneath.
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
	types := make([]columnType, len(t.Columns))
	for i, c := range t.Columns {
		types[i] = columnType{c.Name, c.Type}
	}
	return types
}

// TableRows are rows of one table, to be inserted in a [Batch]. [Table.Rows] makes them.
type TableRows interface {
	AnyTable
	// Len is how many rows there are.
	Len() int
	addresses() ([]Address, error)
	appendTo(to appender, which []int) error
}

// appender takes the values of one row after the other.
type appender interface{ Append(values ...any) error }

// Rows returns rows of the table for a [Batch]. The slice is not copied.
func (t Table[R]) Rows(rows []R) TableRows { return tableRows[R]{t, rows} }

type tableRows[R any] struct {
	Table[R]
	rows []R
}

func (t tableRows[R]) Len() int { return len(t.rows) }

// addresses returns the address of each row, out of its columns partition, position and ordinal.
func (t tableRows[R]) addresses() ([]Address, error) {
	var values [3]func(*R) any
	for i, name := range []string{"partition", "position", "ordinal"} {
		c := slices.IndexFunc(t.Columns, func(c Column[R]) bool { return c.Name == name })
		if c < 0 {
			return nil, fmt.Errorf("table %s has no column %s: its rows cannot be addressed", t.Name, name)
		}
		values[i] = t.Columns[c].Value
	}
	all := make([]Address, len(t.rows))
	for i := range t.rows {
		var n [3]uint64
		for j, value := range values {
			v := reflect.ValueOf(value(&t.rows[i]))
			if !v.CanUint() {
				return nil, fmt.Errorf("table %s: an address is of unsigned numbers, but there is a %s", t.Name, v.Type())
			}
			n[j] = v.Uint()
		}
		all[i] = Address{uint32(n[0]), n[1], uint32(n[2])}
	}
	return all, nil
}

// appendTo appends the rows with the given indexes.
func (t tableRows[R]) appendTo(to appender, which []int) error {
	values := make([]any, len(t.Columns))
	for _, i := range which {
		for c, column := range t.Columns {
			values[c] = plain(column.Value(&t.rows[i]))
		}
		if err := to.Append(values...); err != nil {
			return err
		}
	}
	return nil
}

// insertSQL is the statement that inserts rows of the table t into the table called name. Both are
// declared in Go: no value is in it.
func insertSQL(name string, t AnyTable) string {
	names := make([]string, 0, 16)
	for _, c := range t.columnTypes() {
		names = append(names, "`"+c.Name+"`")
	}
	return "INSERT INTO `" + name + "` (" + strings.Join(names, ", ") + ")"
}
