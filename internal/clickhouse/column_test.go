package clickhouse

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// kinds has a value of every type of column.
type kinds struct {
	Address
	Uint32   uint32
	Int64    int64
	Int8     int8
	Bool     bool
	Instant  millis
	Text     string
	Bytes    []byte
	Word     word
	Instants []millis
	Texts    []string
	Words    []string
	Labels   pairs
}

// Equal is what cmp asks: no array is an empty one.
func (k kinds) Equal(o kinds) bool {
	return k.Address == o.Address && k.Uint32 == o.Uint32 && k.Int64 == o.Int64 && k.Int8 == o.Int8 && k.Bool == o.Bool &&
		k.Instant == o.Instant && k.Text == o.Text && bytes.Equal(k.Bytes, o.Bytes) && k.Word == o.Word &&
		slices.Equal(k.Instants, o.Instants) && slices.Equal(k.Texts, o.Texts) && slices.Equal(k.Words, o.Words) && slices.Equal(k.Labels, o.Labels)
}

var tableOfKinds = Table[kinds]{
	Name:    "kinds",
	Address: func(r *kinds) Address { return r.Address },
	Columns: []Column[kinds]{
		Uint32("uint32", func(r *kinds) uint32 { return r.Uint32 }),
		Int64("int64", func(r *kinds) int64 { return r.Int64 }),
		Int8("int8", func(r *kinds) int8 { return r.Int8 }),
		Bool("bool", func(r *kinds) bool { return r.Bool }),
		Instant("instant", func(r *kinds) millis { return r.Instant }),
		Text("text", func(r *kinds) string { return r.Text }),
		Text("bytes", func(r *kinds) []byte { return r.Bytes }),
		Word("word", func(r *kinds) word { return r.Word }),
		Instants("instants", func(r *kinds) []millis { return r.Instants }),
		Texts("texts", func(r *kinds) []string { return r.Texts }),
		Words("words", func(r *kinds) []string { return r.Words }),
		Labels("labels", func(r *kinds) pairs { return r.Labels }),
	},
}

// withKinds makes the table, of the columns that are declared.
func withKinds(t testing.TB, c *Conn) {
	t.Helper()
	var columns []string
	for _, column := range tableOfKinds.columnTypes() {
		columns = append(columns, column.Name+" "+column.Type)
	}
	if err := c.Exec(t.Context(), "CREATE TABLE kinds ("+strings.Join(columns, ", ")+") ENGINE = MergeTree ORDER BY (position, ordinal)", nil); err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), c, tableOfKinds); err != nil {
		t.Fatal(err)
	}
}

// addressed gives the rows the addresses of one position.
func addressed(position uint64, rows []kinds) []kinds {
	for i := range rows {
		rows[i].Address = Address{1, position, uint32(i)}
	}
	return rows
}

// insertKinds inserts rows of one position and reads them back.
func insertKinds(t testing.TB, c *Conn, position uint64, rows []kinds) []kinds {
	t.Helper()
	batch := Batch{Partition: 1, First: position, Last: position, Tables: []TableRows{tableOfKinds.Rows(rows)}}
	if err := newWriter(t, c, WriterOptions{}).Insert(t.Context(), batch, false); err != nil {
		t.Fatal(err)
	}
	sql := `SELECT partition, position, ordinal, uint32, int64, int8, bool, reinterpretAsInt64(instant), text, bytes, word,
		arrayMap(t -> reinterpretAsInt64(t), instants), texts, words, mapKeys(labels), mapValues(labels)
		FROM kinds WHERE position = {position:UInt64} ORDER BY ordinal`
	stored, err := All(t.Context(), c, sql, Params{"position": strconv.FormatUint(position, 10)}, func(rows Rows, r *kinds) error {
		var instant int64
		var recurring, raw string
		var instants []int64
		var names, values []string
		err := rows.Scan(&r.Partition, &r.Position, &r.Ordinal, &r.Uint32, &r.Int64, &r.Int8, &r.Bool, &instant, &r.Text, &raw, &recurring,
			&instants, &r.Texts, &r.Words, &names, &values)
		r.Instant, r.Bytes, r.Word = millis(instant), []byte(raw), word(recurring)
		for _, i := range instants {
			r.Instants = append(r.Instants, millis(i))
		}
		for i := range names {
			r.Labels = append(r.Labels, [2]string{names[i], values[i]})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// numbered returns n different strings.
func numbered(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("number %d", i)
	}
	return all
}

func named(names []string) (all pairs) {
	for _, name := range names {
		all = append(all, [2]string{name, "of " + name})
	}
	return all
}

func TestRowsComeBackAsTheyWere(t *testing.T) {
	huge := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB
	many := make([]kinds, 2*blockRows+100)            // three blocks
	for i := range many {
		text := strconv.Itoa(i)
		many[i] = kinds{Uint32: uint32(i), Word: word(text), Words: []string{text, "a", text}, Labels: pairs{{text, "a"}, {"name", text}, {"", ""}}}
	}
	tests := map[string][]kinds{
		"no value": {{}, {}},
		"least values": {{
			Int64: -1 << 63, Int8: -128, Instant: -1, Text: "\x00", Bytes: []byte{0}, Word: "\x00",
			Instants: []millis{-1, 0, -1 << 40}, Texts: []string{""}, Words: []string{""}, Labels: pairs{{"", ""}},
		}},
		"greatest values": {{
			Uint32: 1<<32 - 1, Int64: 1<<63 - 1, Int8: 127, Bool: true, Instant: 1 << 42, Text: huge, Bytes: []byte(huge), Word: word(huge),
			Instants: []millis{1 << 42}, Texts: []string{huge, "", huge}, Words: []string{huge, ""}, Labels: pairs{{huge, huge}},
		}},
		"what is not UTF-8":             {{Text: "\xff\xfe", Bytes: []byte{0x80, 0}, Word: "\xc3", Texts: []string{"\xc3"}, Words: []string{"\xff"}, Labels: pairs{{"\xff", "\xfe"}}}},
		"labels as they stand":          {{Labels: pairs{{"z", "1"}, {"a", "2"}, {"m", "3"}}}, {}, {Labels: pairs{{"a", "2"}, {"z", "1"}}}},
		"rows with and without":         {{Words: []string{"a", "b"}}, {Texts: []string{"a"}}, {Words: []string{"b"}, Instants: []millis{7}}},
		"the most words for one byte":   {{Words: numbered(1 << 8), Labels: named(numbered(1 << 8))}},
		"more words than for one byte":  {{Words: numbered(1<<8 + 1), Labels: named(numbered(1<<8 + 1))}},
		"the most words for two bytes":  {{Words: numbered(1 << 16), Labels: named(numbered(1 << 16))}},
		"more words than for two bytes": {{Words: numbered(1<<16 + 1), Labels: named(numbered(1<<16 + 1))}, {Words: []string{"number 7", "other"}}},
		"several blocks":                many,
	}
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			withKinds(t, c)
			position := uint64(0)
			for name, rows := range tests {
				position++
				got := insertKinds(t, c, position, addressed(position, rows))
				if diff := cmp.Diff(rows, got); diff != "" {
					t.Errorf("%s: %.2000s", name, diff)
				}
			}
		})
	}
}

func TestRowsComeBackHoweverTheyAreCompressed(t *testing.T) {
	ways := map[string]func(string) string{"native": shared.DSN, "http": shared.HTTPDSN}
	for way, methods := range map[string][]string{"native": {"none", "lz4", "lz4hc", "zstd"}, "http": {"none", "lz4", "zstd", "gzip", "br"}} {
		for _, method := range methods {
			t.Run(way+" "+method, func(t *testing.T) {
				c := migrated(t, func(database string) string { return withQuery(ways[way](database), "compress="+method) })
				withKinds(t, c)
				rows := addressed(1, make([]kinds, 2*blockRows+1))
				for i := range rows {
					rows[i].Text, rows[i].Word, rows[i].Labels = strconv.Itoa(i), word(strconv.Itoa(i%7)), pairs{{"a", strconv.Itoa(i)}}
				}
				if diff := cmp.Diff(rows, insertKinds(t, c, 1, rows)); diff != "" {
					t.Errorf("%.2000s", diff)
				}
			})
		}
	}
}

// withQuery adds a parameter to an address.
func withQuery(dsn, parameter string) string {
	if strings.Contains(dsn, "?") {
		return dsn + "&" + parameter
	}
	return dsn + "?" + parameter
}

// Rows at random come back by both protocols, and so are the same by both.
func TestAnyRowsComeBackAsTheyWere(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			withKinds(t, c)
			position := uint64(0)
			rapid.Check(t, func(r *rapid.T) {
				position++
				rows := addressed(position, rapid.SliceOfN(rapid.Custom(drawKinds), 1, 20).Draw(r, "rows"))
				if diff := cmp.Diff(rows, insertKinds(t, c, position, rows)); diff != "" {
					r.Fatal(diff)
				}
			})
		})
	}
}

func drawKinds(r *rapid.T) kinds {
	raw := rapid.SliceOfN(rapid.Byte(), 0, 300)
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b"}), rapid.Map(raw, func(b []byte) string { return string(b) }))
	instant := rapid.Map(rapid.Int64(), func(i int64) millis { return millis(i) })
	return kinds{
		Uint32: rapid.Uint32().Draw(r, "uint32"), Int64: rapid.Int64().Draw(r, "int64"), Int8: rapid.Int8().Draw(r, "int8"), Bool: rapid.Bool().Draw(r, "bool"),
		Instant: instant.Draw(r, "instant"), Text: text.Draw(r, "text"), Bytes: raw.Draw(r, "bytes"), Word: word(text.Draw(r, "word")),
		Instants: rapid.SliceOfN(instant, 0, 4).Draw(r, "instants"), Texts: rapid.SliceOfN(text, 0, 4).Draw(r, "texts"), Words: rapid.SliceOfN(text, 0, 4).Draw(r, "words"),
		Labels: named(rapid.SliceOfNDistinct(text, 0, 6, func(s string) string { return s }).Draw(r, "names")),
	}
}

// What the columns write is what ch-go's own columns write.
func TestWordsAreWrittenAsTheLibraryWritesThem(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOfN(rapid.StringN(0, 3, -1), 1, 400).Draw(r, "values")
		library := new(proto.ColStr).LowCardinality()
		library.AppendArr(values)
		if err := library.Prepare(); err != nil {
			r.Fatal(err)
		}
		var want, got proto.Buffer
		library.EncodeState(&want)
		library.EncodeColumn(&want)
		column := Word("word", func(s *string) string { return *s })
		var w words
		for range 2 { // nothing of one column is left for the next
			got.Reset()
			column.write(&got, &w, values)
		}
		if diff := cmp.Diff(want.Buf, got.Buf); diff != "" {
			r.Error(diff)
		}
	})
}

func TestRowsOfSeveralBlocksBecomeOnePart(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			withReadings(t, c, "r")
			if err := c.Exec(t.Context(), "SYSTEM STOP MERGES r", nil); err != nil {
				t.Fatal(err)
			}
			const n = 20*blockRows + 7
			batch := Batch{Partition: 1, First: 1, Last: 1, Tables: []TableRows{readings("r").Rows(made(1, 1, 1, n))}}
			if err := newWriter(t, c, WriterOptions{}).Insert(t.Context(), batch, false); err != nil {
				t.Fatal(err)
			}
			if parts := one[uint64](t, c, "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'r'", nil); parts != 1 {
				t.Errorf("there are %d parts", parts)
			}
			wantRows(t, c, "r", n)
		})
	}
}

func TestLargeRowsAreSentInBlocksOfTheirOwn(t *testing.T) {
	small, large := strings.Repeat("s", blockBytes/8), strings.Repeat("l", 2*blockBytes)
	table := Table[string]{
		Name: "texts", Address: func(*string) Address { return Address{} }, Bytes: func(r *string) int { return len(*r) },
		Columns: []Column[string]{Text("text", func(r *string) string { return *r })},
	}
	rows := []string{large, large, small, small, large, small}
	for range 10 {
		rows = append(rows, small)
	}
	var got []int
	for b := table.Rows(rows).blocks(); b.next(); {
		got = append(got, b.input[0].Data.Rows())
	}
	if want := []int{1, 1, 3, 8, 3}; !slices.Equal(got, want) {
		t.Errorf("blocks of %v rows, want %v", got, want)
	}
}

func TestWhatStaysOnThisMachineIsNotCompressed(t *testing.T) {
	for dsn, want := range map[string]ch.CompressionMethod{
		"clickhouse://127.0.0.1:9000/d":                 ch.CompressionNone,
		"clickhouse://localhost:9000/d":                 ch.CompressionNone,
		"clickhouse://[::1]:9000/d":                     ch.CompressionNone,
		"clickhouse://127.0.0.1:9000/d?compress=zstd":   ch.CompressionZSTD,
		"clickhouse://db.example:9000/d":                ch.CompressionLZ4,
		"clickhouse://10.0.0.1:9000/d":                  ch.CompressionLZ4,
		"clickhouse://127.0.0.1:9000,db.example:9000/d": ch.CompressionLZ4,
		"clickhouse://db.example:9000/d?compress=none":  ch.CompressionNone,
		"http://localhost:8123/d":                       ch.CompressionNone,
		"http://db.example:8123/d":                      ch.CompressionLZ4,
	} {
		c, err := Open(Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.options.Compression.Method; got != want {
			t.Errorf("%s: compression %s, want %s", dsn, got, want)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
