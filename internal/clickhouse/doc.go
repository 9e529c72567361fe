// Package clickhouse connects to ClickHouse: the embedded engine, the
// connection, migrations, and the writer of batches.
package clickhouse
