package clickhouse

import (
	"testing"

	"github.com/ClickHouse/ch-go/proto"
)

// Encoded writes rows as an insert does, without sending them, and returns how many bytes they are.
func Encoded(into *proto.Buffer, rows TableRows) (size int, err error) {
	for b := rows.blocks(); b.next(); {
		into.Reset()
		head := proto.Block{Columns: len(b.input), Rows: b.input[0].Data.Rows()}
		if err := head.EncodeBlock(into, proto.Version, b.input); err != nil {
			return 0, err
		}
		size += len(into.Buf)
	}
	return size, nil
}

// OpenShared returns a connection to a database of the engine of the tests that does not exist yet.
func OpenShared(t testing.TB) *Conn { return open(t, shared.DSN) }
