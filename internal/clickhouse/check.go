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
