package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

// reading is the row of the tests.
type reading struct {
	Address
	At     millis
	Name   word
	Labels pairs
	Words  []string
	Open   bool
	Count  int64
}

type (
	millis int64
	word   string
	pairs  [][2]string
)

func (p pairs) Len() int { return len(p) }

func (p pairs) At(i int) (name, value string) { return p[i][0], p[i][1] }

// readings declares a table of the given name.
func readings(name string) Table[reading] {
	return Table[reading]{
		Name:    name,
		Address: func(r *reading) Address { return r.Address },
		Columns: []Column[reading]{
			Instant("at", func(r *reading) millis { return r.At }),
			Word("name", func(r *reading) word { return r.Name }),
			Labels("labels", func(r *reading) pairs { return r.Labels }),
			Texts("words", func(r *reading) []string { return r.Words }),
			Bool("open", func(r *reading) bool { return r.Open }),
			Int64("count", func(r *reading) int64 { return r.Count }),
		},
	}
}

const createReadings = `CREATE TABLE IF NOT EXISTS {{.Table "NAME"}}{{.OnCluster}}
(
    partition UInt32, position UInt64, ordinal UInt32, at DateTime64(3, 'UTC'), name LowCardinality(String),
    labels Map(LowCardinality(String), String), words Array(String), open Bool, count Int64,
    INDEX address position TYPE minmax GRANULARITY 1
)
ENGINE = {{.MergeTree}}
PARTITION BY position % 3
ORDER BY (name, position)`

// withReadings makes the tables.
func withReadings(t testing.TB, c *Conn, names ...string) {
	t.Helper()
	for _, name := range names {
		statements, err := c.schema().Render(name, strings.ReplaceAll(createReadings, "NAME", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Exec(t.Context(), statements[0], nil); err != nil {
			t.Fatal(err)
		}
		if err := Check(t.Context(), c, readings(name)); err != nil {
			t.Fatal(err)
		}
	}
}

// made returns perPosition rows for each position.
func made(partition uint32, first, last uint64, perPosition int) []reading {
	var rows []reading
	for position := first; position <= last; position++ {
		for ordinal := range perPosition {
			rows = append(rows, reading{
				Address: Address{partition, position, uint32(ordinal)},
				At:      millis(1_700_000_000_000 + int64(position)),
				Name:    word("name-" + strconv.Itoa(ordinal%7)),
				Labels:  pairs{{"service", "s" + strconv.Itoa(ordinal%20)}, {"alertname", "a"}, {"z", "1"}, {"b", "2"}},
				Words:   []string{"x", strconv.Itoa(ordinal)},
				Open:    ordinal%2 == 0, Count: int64(ordinal) - 8,
			})
		}
	}
	return rows
}

func newWriter(t testing.TB, c *Conn, o WriterOptions) *Writer {
	t.Helper()
	w, err := NewWriter(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// tally is what a table holds: rows, different addresses, and the sum of positions.
func tally(t testing.TB, c *Conn, table string) (rows, addresses, sum uint64) {
	t.Helper()
	result, err := c.Query(t.Context(), "SELECT count(), uniqExact(partition, position, ordinal), sum(position) FROM {table:Identifier}", Params{"table": table})
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	for result.Next() {
		if err := result.Scan(&rows, &addresses, &sum); err != nil {
			t.Fatal(err)
		}
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return rows, addresses, sum
}

func wantRows(t testing.TB, c *Conn, table string, want uint64) {
	t.Helper()
	if rows, addresses, _ := tally(t, c, table); rows != want || addresses != want {
		t.Errorf("%s holds %d rows with %d addresses, want %d of each", table, rows, addresses, want)
	}
}

func TestRecoveryInsertsOnlyWhatIsMissing(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			withReadings(t, c, "r", "s", "u")
			w := newWriter(t, c, WriterOptions{})
			w.settle = min(w.settle, 50*time.Millisecond)
			rows := made(1, 1, 6, 5)
			// What an earlier process got done of the batch: some of r, all of s, none of u. The rows
			// of another partition have the same positions.
			insert := func(table string, partition uint32, rows []reading) {
				t.Helper()
				if err := w.Insert(t.Context(), Batch{Partition: partition, First: 1, Last: 6, Tables: []TableRows{readings(table).Rows(rows)}}, false); err != nil {
					t.Fatal(err)
				}
			}
			insert("r", 1, rows[3:17])
			insert("s", 1, rows)
			insert("u", 2, made(2, 1, 6, 5))
			batch := Batch{Partition: 1, First: 1, Last: 6, Tables: []TableRows{readings("r").Rows(rows), readings("s").Rows(rows), readings("u").Rows(rows)}}
			for range 2 {
				if err := w.Insert(t.Context(), batch, true); err != nil {
					t.Fatal(err)
				}
				wantRows(t, c, "r", 30)
				wantRows(t, c, "s", 30)
				wantRows(t, c, "u", 60)
			}
		})
	}
}

func TestInsertThatStillRunsIsEndedFirst(t *testing.T) {
	c := migrated(t, shared.DSN)
	withReadings(t, c, "r")
	w := newWriter(t, c, WriterOptions{})
	rows := made(1, 1, 4, 10)
	batch := Batch{Partition: 1, First: 1, Last: 4, Tables: []TableRows{readings("r").Rows(rows)}}
	// An insert of an earlier owner under the batch's name, which would add a row after a while.
	old := make(chan error, 1)
	go func() {
		sql := "INSERT INTO r (partition, position, ordinal) SELECT 1, 1, number FROM numbers(10) WHERE sleepEachRow(1) = 0 SETTINGS max_block_size = 1, min_insert_block_size_rows = 1, min_insert_block_size_bytes = 1"
		old <- c.driver.Exec(queryContext(t.Context(), w.queryID(batch, "r")), sql)
	}()
	for begun := time.Now(); ; {
		running, err := w.running(t.Context(), w.queryID(batch, "r"))
		if err != nil {
			t.Fatal(err)
		}
		if running {
			break
		}
		if time.Since(begun) > 10*time.Second {
			t.Fatal("the old insert does not run")
		}
	}
	if err := w.Insert(t.Context(), batch, true); err != nil {
		t.Fatal(err)
	}
	if err := <-old; err == nil {
		t.Error("the old insert came to its end")
	}
	wantRows(t, c, "r", 40)
}

func TestBatchesThatBreakThePromiseAreRefused(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) { refusesBatches(t, dsn) })
	}
}

func refusesBatches(t *testing.T, dsn func(database string) string) {
	c := migrated(t, dsn)
	withReadings(t, c, "r")
	w := newWriter(t, c, WriterOptions{})
	rows := made(1, 1, 3, 2)
	table := readings("r")
	with := func(columns ...Column[reading]) Table[reading] {
		return Table[reading]{Name: "r", Address: table.Address, Columns: columns}
	}
	tests := map[string]struct {
		batch Batch
		want  string
	}{
		"a row of another partition":    {Batch{Partition: 2, First: 1, Last: 3, Tables: []TableRows{table.Rows(rows)}}, "a row of partition 1"},
		"a row before the first":        {Batch{Partition: 1, First: 2, Last: 3, Tables: []TableRows{table.Rows(rows)}}, "position 1 is not of the batch"},
		"a row after the last":          {Batch{Partition: 1, First: 1, Last: 2, Tables: []TableRows{table.Rows(rows)}}, "position 3 is not of the batch"},
		"two rows with one address":     {Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{table.Rows(append(rows[:len(rows):len(rows)], rows[2]))}}, "two rows have the address"},
		"two lists of one table":        {Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{table.Rows(rows), table.Rows(rows)}}, "in the batch twice"},
		"a table that is not there":     {Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{readings("nowhere").Rows(rows)}}, "nowhere"},
		"a column of another type":      {Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{with(Text("count", func(*reading) string { return "1" })).Rows(rows)}}, "column count of table r is of type Int64"},
		"a column that the table lacks": {Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{with(Bool("extra", func(*reading) bool { return true })).Rows(rows)}}, "extra"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := w.Insert(ctx, test.batch, false)
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrAway) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
	wantRows(t, c, "r", 0)
	// The connections still serve.
	if err := w.Insert(t.Context(), Batch{Partition: 1, First: 1, Last: 3, Tables: []TableRows{table.Rows(rows)}}, false); err != nil {
		t.Error(err)
	}
	wantRows(t, c, "r", 6)
}

func TestInsertWaitsForAStoreThatIsAwayUntilItsContextEnds(t *testing.T) {
	c, err := Open(Options{DSN: "clickhouse://127.0.0.1:1/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	registry := prometheus.NewRegistry()
	w := newWriter(t, c, WriterOptions{Registerer: registry})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err = w.Insert(ctx, Batch{Partition: 1, First: 1, Last: 1, Tables: []TableRows{readings("r").Rows(made(1, 1, 1, 1))}}, false)
	if !errors.Is(err, ErrAway) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := testutil.ToFloat64(w.metrics.failures); n < 2 {
		t.Errorf("%v attempts failed", n)
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v, %v", problems, err)
	}
}

// A writer inserts batches into three tables while the engine is killed again and again. Whoever
// writes is restarted now and then too, and then does not know what became of its last batch.
func TestEachRowIsThereExactlyOnceHoweverOftenTheEngineIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const kills, partitions = 24, 2
	e, err := engine.Start(t.Context(), engine.Options{Folder: t.TempDir(), MaxPause: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	c := migrated(t, e.DSN)
	tables := []string{"r", "s", "u"}
	withReadings(t, c, tables...)

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	done := make(chan struct{}) // closed after the last kill
	var wg sync.WaitGroup
	var positions [partitions]uint64
	for p := range partitions {
		wg.Go(func() { positions[p] = writeUntil(ctx, t, c, uint32(p), tables, done) })
	}
	killed := killRepeatedly(ctx, e, kills)
	close(done)
	wg.Wait()
	if t.Failed() || ctx.Err() != nil {
		t.Fatal("the writers did not come to their end", ctx.Err())
	}
	var rows, sum uint64
	for _, last := range positions {
		rows += last * rowsPerPosition
		sum += last * (last + 1) / 2 * rowsPerPosition
	}
	t.Logf("%d kills, %d rows in each of %d tables", killed, rows, len(tables))
	if killed < 20 {
		t.Errorf("only %d kills", killed)
	}
	for _, table := range tables {
		wantRows(t, c, table, rows)
		if _, _, got := tally(t, c, table); got != sum {
			t.Errorf("%s: the positions add up to %d, want %d", table, got, sum)
		}
	}
}

const rowsPerPosition = 40

// writeUntil inserts batch after batch and returns the last position.
func writeUntil(ctx context.Context, t *testing.T, c *Conn, partition uint32, tables []string, done <-chan struct{}) (last uint64) {
	random := rand.New(rand.NewPCG(uint64(partition), 1))
	for first := uint64(1); ; first = last + 1 {
		last = first + random.Uint64N(30)
		batch := Batch{Partition: partition, First: first, Last: last}
		for _, table := range tables {
			batch.Tables = append(batch.Tables, readings(table).Rows(made(partition, first, last, rowsPerPosition)))
		}
		recovering := false
		for {
			w, err := NewWriter(c, WriterOptions{Timeout: 10 * time.Second})
			if err != nil {
				t.Error(err)
				return last
			}
			// Now and then the writer's process ends in the middle of it.
			attempt, cancel := context.WithCancel(ctx)
			if random.IntN(4) == 0 {
				time.AfterFunc(time.Duration(random.IntN(15))*time.Millisecond, cancel)
			}
			err = w.Insert(attempt, batch, recovering)
			cancel()
			if err == nil {
				break
			}
			recovering = true
			if ctx.Err() != nil || !(errors.Is(err, ErrAway) || errors.Is(err, context.Canceled)) {
				t.Errorf("partition %d: %v", partition, err)
				return last
			}
		}
		select {
		case <-done:
			return last
		default:
		}
	}
}

// killRepeatedly kills the engine's process n times, each time a random moment after it came up.
func killRepeatedly(ctx context.Context, e *engine.Engine, n int) (killed int) {
	random := rand.New(rand.NewPCG(1, 2))
	last := 0
	for killed < n && ctx.Err() == nil {
		pid := e.PID()
		if pid == 0 || pid == last {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		time.Sleep(time.Duration(200+random.IntN(700)) * time.Millisecond) // some are killed while they start
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
		last = pid
	}
	return killed
}

func BenchmarkInsert(b *testing.B) {
	for name, dsn := range protocols() {
		for _, size := range []int{1_000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				c := migrated(b, dsn)
				withReadings(b, c, "r")
				w := newWriter(b, c, WriterOptions{})
				rows := made(1, 1, 1, size)
				position := uint64(0)
				for b.Loop() {
					position++
					for i := range rows {
						rows[i].Position = position
					}
					if err := w.Insert(b.Context(), Batch{Partition: 1, First: position, Last: position, Tables: []TableRows{readings("r").Rows(rows)}}, false); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// A batch as the service makes them: few rows for each of many tables.
func BenchmarkInsertIntoManyTables(b *testing.B) {
	c := migrated(b, shared.DSN)
	w := newWriter(b, c, WriterOptions{})
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	withReadings(b, c, names...)
	position := uint64(0)
	for b.Loop() {
		position++
		batch := Batch{Partition: 1, First: position, Last: position}
		for _, name := range names {
			batch.Tables = append(batch.Tables, readings(name).Rows(made(1, position, position, 20)))
		}
		if err := w.Insert(b.Context(), batch, false); err != nil {
			b.Fatal(err)
		}
	}
}

// Whoever sends rows asks whether they are still its own to send once the server has begun the insert:
// so who owns them next finds it running, or was told of before.
func TestRowsAreSentOnlyWhenTheOwnerIsConfirmed(t *testing.T) {
	c := migrated(t, shared.DSN)
	withReadings(t, c, "r")
	w := newWriter(t, c, WriterOptions{})
	lost := errors.New("another has it")
	batch := Batch{Partition: 1, First: 1, Last: 2, Tables: []TableRows{readings("r").Rows(made(1, 1, 2, 3))}}
	var running bool
	batch.Confirm = func(ctx context.Context) (err error) {
		running, err = w.running(ctx, w.queryID(batch, "r"))
		return errors.Join(err, lost)
	}
	if err := w.Insert(t.Context(), batch, false); !errors.Is(err, lost) {
		t.Fatalf("got %v, want that another has it", err)
	}
	if !running {
		t.Error("the server had not begun the insert when the owner was asked")
	}
	batch.Confirm = func(context.Context) error { return nil }
	if err := w.Insert(t.Context(), batch, true); err != nil {
		t.Fatal(err)
	}
	wantRows(t, c, "r", 6) // none of the first try, all of the second
}
