package clickhouse

import "github.com/ClickHouse/ch-go/proto"

// How many rows are sent at once, and about how many bytes where a table says how large its rows are: so few
// that the memory for them is small. The blocks of one insert become one part for each of the table's
// partitions, as one large block would: the server puts them together again (min_insert_block_size_rows and
// _bytes, by default 1 048 449 and 256 MiB).
const (
	blockRows  = 1024
	blockBytes = 1 << 20
)

// blocks are rows of one table on their way, some at a time.
type blocks struct {
	// input are the columns of the present block. Before the first there are no rows in it.
	input proto.Input
	// next goes on to the next block, and tells whether there is one.
	next func() bool
}

func (t tableRows[R]) blocks() *blocks {
	rest, now, words := t.rows, t.rows[:0], new(words)
	b := &blocks{next: func() bool {
		n := t.blockOf(rest)
		now, rest = rest[:n], rest[n:]
		return n > 0
	}}
	for _, c := range t.columns() {
		b.input = append(b.input, proto.InputColumn{Name: c.Name, Data: blockColumn{
			kind:  proto.ColumnType(c.Type),
			rows:  func() int { return len(now) },
			write: func(b *proto.Buffer) { c.write(b, words, now) },
		}})
	}
	return b
}

// blockOf returns how many of the rows are the next block.
func (t tableRows[R]) blockOf(rows []R) int {
	most := min(len(rows), blockRows)
	if t.Bytes == nil {
		return most
	}
	n := 0
	for size := 0; n < most && size < blockBytes; n++ {
		size += t.Bytes(&rows[n])
	}
	return n
}

// all returns the blocks one after the other, in the Native format as it is outside of a connection.
func (b *blocks) all() ([]byte, error) {
	var into proto.Buffer
	for b.next() {
		head := proto.Block{Columns: len(b.input), Rows: b.input[0].Data.Rows()}
		if err := head.EncodeRawBlock(&into, 0, b.input); err != nil {
			return nil, err
		}
	}
	return into.Buf, nil
}

// blockColumn is a column of the present block.
type blockColumn struct {
	kind  proto.ColumnType
	rows  func() int
	write func(*proto.Buffer)
}

var _ proto.ColInput = blockColumn{}

// Type implements [proto.ColInput].
func (c blockColumn) Type() proto.ColumnType { return c.kind }

// Rows implements [proto.ColInput].
func (c blockColumn) Rows() int { return c.rows() }

// EncodeColumn implements [proto.ColInput].
func (c blockColumn) EncodeColumn(b *proto.Buffer) { c.write(b) }

// WriteColumn implements [proto.ColInput].
func (c blockColumn) WriteColumn(w *proto.Writer) { w.ChainBuffer(c.write) }
