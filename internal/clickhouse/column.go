package clickhouse

import "github.com/ClickHouse/ch-go/proto"

// Column is one column of a table: its name, its type as DESCRIBE prints it, and how the values that
// rows give it are written in ClickHouse's Native format. The functions below make one each of a type
// that tables have; what they are given returns the value of a row, the same whenever it is asked.
type Column[R any] struct {
	Name string
	Type string

	write func(b *proto.Buffer, w *words, rows []R)
}

// fixed is a column of values that are written one after the other.
func fixed[R any](name, typ string, put func(*proto.Buffer, *R)) Column[R] {
	return Column[R]{name, typ, func(b *proto.Buffer, _ *words, rows []R) {
		for i := range rows {
			put(b, &rows[i])
		}
	}}
}

// Uint32 is a column of type UInt32.
func Uint32[R any](name string, value func(*R) uint32) Column[R] {
	return fixed(name, "UInt32", func(b *proto.Buffer, r *R) { b.PutUInt32(value(r)) })
}

// Int64 is a column of type Int64.
func Int64[R any, T ~int64](name string, value func(*R) T) Column[R] {
	return fixed(name, "Int64", func(b *proto.Buffer, r *R) { b.PutInt64(int64(value(r))) })
}

// Int8 is a column of type Int8.
func Int8[R any](name string, value func(*R) int8) Column[R] {
	return fixed(name, "Int8", func(b *proto.Buffer, r *R) { b.PutInt8(value(r)) })
}

// Bool is a column of type Bool.
func Bool[R any](name string, value func(*R) bool) Column[R] {
	return fixed(name, "Bool", func(b *proto.Buffer, r *R) { b.PutBool(value(r)) })
}

// instant is the type of milliseconds since the beginning of 1970.
const instant = "DateTime64(3, 'UTC')"

// Instant is a column of milliseconds since the beginning of 1970, such as ingest.Millis, of type
// DateTime64(3, 'UTC').
func Instant[R any, T ~int64](name string, value func(*R) T) Column[R] {
	return fixed(name, instant, func(b *proto.Buffer, r *R) { b.PutInt64(int64(value(r))) })
}

// Text is a column of type String. Bytes need not be UTF-8.
func Text[R any, T ~string | ~[]byte](name string, value func(*R) T) Column[R] {
	return fixed(name, "String", func(b *proto.Buffer, r *R) { putText(b, value(r)) })
}

func putText[T ~string | ~[]byte](b *proto.Buffer, text T) {
	b.PutLen(len(text))
	b.Buf = append(b.Buf, text...)
}

// Word is a column of strings that recur, of type LowCardinality(String).
func Word[R any, T ~string](name string, value func(*R) T) Column[R] {
	return Column[R]{name, "LowCardinality(String)", func(b *proto.Buffer, w *words, rows []R) {
		putWordsVersion(b)
		for i := range rows {
			w.add(string(value(&rows[i])))
		}
		w.put(b)
	}}
}

// Instants is a column of instants, as in [Instant], of type Array(DateTime64(3, 'UTC')).
func Instants[R any, T ~int64](name string, value func(*R) []T) Column[R] {
	return Column[R]{name, "Array(" + instant + ")", func(b *proto.Buffer, _ *words, rows []R) {
		putOffsets(b, rows, func(r *R) int { return len(value(r)) })
		for i := range rows {
			for _, v := range value(&rows[i]) {
				b.PutInt64(int64(v))
			}
		}
	}}
}

// Texts is a column of type Array(String).
func Texts[R any](name string, value func(*R) []string) Column[R] {
	return Column[R]{name, "Array(String)", func(b *proto.Buffer, _ *words, rows []R) {
		putOffsets(b, rows, func(r *R) int { return len(value(r)) })
		for i := range rows {
			for _, v := range value(&rows[i]) {
				putText(b, v)
			}
		}
	}}
}

// Words is a column of type Array(LowCardinality(String)).
func Words[R any](name string, value func(*R) []string) Column[R] {
	return Column[R]{name, "Array(LowCardinality(String))", func(b *proto.Buffer, w *words, rows []R) {
		putWordsVersion(b)
		putOffsets(b, rows, func(r *R) int { return len(value(r)) })
		for i := range rows {
			for _, v := range value(&rows[i]) {
				w.add(v)
			}
		}
		w.put(b)
	}}
}

// Pairs are names and values in an order, such as ingest.Labels.
type Pairs interface {
	Len() int
	At(i int) (name, value string)
}

// Labels is a column of pairs, which stay in their order, of type Map(LowCardinality(String), String).
func Labels[R any, P Pairs](name string, value func(*R) P) Column[R] {
	return Column[R]{name, "Map(LowCardinality(String), String)", func(b *proto.Buffer, w *words, rows []R) {
		putWordsVersion(b)
		putOffsets(b, rows, func(r *R) int { return value(r).Len() })
		for i := range rows {
			for pairs, n := value(&rows[i]), 0; n < pairs.Len(); n++ {
				name, _ := pairs.At(n)
				w.add(name)
			}
		}
		w.put(b)
		for i := range rows {
			for pairs, n := value(&rows[i]), 0; n < pairs.Len(); n++ {
				_, text := pairs.At(n)
				putText(b, text)
			}
		}
	}}
}

// putOffsets writes for each row where its elements end among those of all rows.
func putOffsets[R any](b *proto.Buffer, rows []R, length func(*R) int) {
	end := uint64(0)
	for i := range rows {
		end += uint64(length(&rows[i]))
		b.PutUInt64(end)
	}
}
