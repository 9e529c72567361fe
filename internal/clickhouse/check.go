package clickhouse

import (
	"context"
	_ "embed" // the query
	"errors"
	"fmt"
	"slices"
	"strings"
)

//go:embed columns.sql
var columnsSQL string

// Check compares each table's columns in Go with those in the database: names, types and order.
// Every difference is in the error.
func Check(ctx context.Context, c *Conn, tables ...AnyTable) error {
	var all []error
	for _, t := range tables {
		found, err := c.columns(ctx, t.tableName())
		if err != nil {
			return err
		}
		if declared := t.columnTypes(); len(found) == 0 || !slices.Equal(declared, found) {
			all = append(all, fmt.Errorf("table %s is declared in Go with columns\n\t%s\nbut the database has\n\t%s",
				t.tableName(), listing(declared), listing(found)))
		}
	}
	return errors.Join(all...)
}

// CheckInserts tells of each table that does not take rows as they are declared in Go, and would refuse each
// insert: a column is not there or has another type. Columns that are there besides, and another order, do not
// matter. In a cluster the server is asked that the connection leads to.
func CheckInserts(ctx context.Context, c *Conn, tables ...AnyTable) error {
	var all []error
	for _, t := range tables {
		name := c.schema().LocalTable(t.tableName())
		found, err := c.columns(ctx, name)
		if err != nil {
			return err
		}
		all = append(all, accepts(name, found, t))
	}
	return errors.Join(all...)
}

// accepts compares the columns that rows of t are sent in with those that the table called name has. The
// server would convert what differs, and might cut it.
func accepts(name string, found []columnType, t AnyTable) error {
	if len(found) == 0 {
		return &Error{Op: "insert", Err: fmt.Errorf("there is no table %s", name)}
	}
	var differ []string
	for _, c := range t.columnTypes() {
		i := slices.IndexFunc(found, func(f columnType) bool { return f.Name == c.Name })
		switch {
		case i < 0:
			differ = append(differ, fmt.Sprintf("table %s has no column %s", name, c.Name))
		case found[i].Type != c.Type:
			differ = append(differ, fmt.Sprintf("column %s of table %s is of type %s, and is to be of type %s",
				c.Name, name, found[i].Type, c.Type))
		}
	}
	if len(differ) > 0 {
		return &Error{Op: "insert", Err: errors.New(strings.Join(differ, "; "))}
	}
	return nil
}

// columns returns the columns that an insert may name.
func (c *Conn) columns(ctx context.Context, table string) ([]columnType, error) {
	return All(ctx, c, columnsSQL, Params{"database": c.Database(), "table": table}, func(rows Rows, t *columnType) error {
		return rows.Scan(&t.Name, &t.Type)
	})
}

func listing(columns []columnType) string {
	if len(columns) == 0 {
		return "none: there is no such table"
	}
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = c.Name + " " + c.Type
	}
	return strings.Join(texts, ", ")
}
