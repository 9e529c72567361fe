package clickhouse

import (
	"context"
	"errors"
	"iter"
)

// ErrNoRow is returned by [One] when the result has no row.
var ErrNoRow = errors.New("the query has no result")

// Each runs a query and calls scan for every row of its result. It ends with scan's first error.
func Each(ctx context.Context, db Querier, sql string, params Params, scan func(Rows) error) error {
	rows, err := db.Query(ctx, sql, params)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := scan(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close() // it would say the same again
		return err
	}
	return rows.Close()
}

// All runs a query and returns what scan makes of every row of its result; nil where there is
// none.
func All[T any](ctx context.Context, db Querier, sql string, params Params, scan func(Rows, *T) error) ([]T, error) {
	var all []T
	err := Each(ctx, db, sql, params, func(rows Rows) error {
		var one T
		err := scan(rows, &one)
		all = append(all, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// errEnough ends a query whose reader wants no more rows.
var errEnough = errors.New("the reader has enough")

// Stream runs a query and yields what scan makes of every row of its result, one at a time. An
// error is the last that it yields.
func Stream[T any](ctx context.Context, db Querier, sql string, params Params, scan func(Rows, *T) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := Each(ctx, db, sql, params, func(rows Rows) error {
			var one T
			if err := scan(rows, &one); err != nil {
				return err
			}
			if !yield(one, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			var none T
			yield(none, err)
		}
	}
}

// One runs a query and scans its first row, which is to be its only one; [ErrNoRow] where there
// is none. The result is read to its end: a query that is cut off costs its connection.
func One(ctx context.Context, db Querier, sql string, params Params, into ...any) error {
	found := false
	err := Each(ctx, db, sql, params, func(rows Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(into...)
	})
	if err == nil && !found {
		return ErrNoRow
	}
	return err
}
