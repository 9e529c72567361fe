// Package clickhouse is the store: the connection, the migrations of its schema, and the
// writer of batches. ClickHouse itself runs inside Evenkeel (package engine) or elsewhere; from
// the address on, both are the same.
//
// [Conn] answers a query with server-side parameters, and tells a store that is away
// ([ErrAway]) from a query that is wrong. [Migrate] brings a database to the schema of a folder
// of templates. [Writer] adds batches of rows so that each row is there exactly once, whatever
// happens to the store meanwhile; it says how. [Table] is the one list of a table's columns, each of which
// writes its values in ClickHouse's own format, and [Check] compares it with the database.
//
// Queries go through clickhouse-go. Rows go through ch-go, block by block of columns, over connections of
// their own; over HTTP the same blocks are the body of a request.
//
// A Conn and a Writer may be used by several goroutines at once; batches of one partition are to
// be inserted one after the other.
package clickhouse
