package clickhouse

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

// protocols are the two ways to the shared engine.
func protocols() map[string]func(database string) string {
	return map[string]func(string) string{"native": shared.DSN, "http": shared.HTTPDSN}
}

// one reads the only row of a query.
func one[T any](t testing.TB, c *Conn, sql string, params Params) T {
	t.Helper()
	result, err := c.Query(t.Context(), sql, params)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	var value T
	n := 0
	for ; result.Next(); n++ {
		if err := result.Scan(&value); err != nil {
			t.Fatal(err)
		}
	}
	if err := result.Err(); err != nil || n != 1 {
		t.Fatalf("%s: %d rows, %v", sql, n, err)
	}
	return value
}

func TestParametersArriveAsTheyAre(t *testing.T) {
	texts := []string{"", "plain", "a\tb\nc\r", `back\slash \n`, "it's", `"quoted"`, "{x:String}", "NULL", `\N`, "zero\x00byte", "ünïcode ☂", "a,b]"}
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			for _, want := range texts {
				if got := one[string](t, c, "SELECT {s:String}", Params{"s": want}); got != want {
					t.Errorf("String: sent %q, got %q", want, got)
				}
				if got := one[string](t, c, "SELECT { s : LowCardinality(String) }", Params{"s": want}); got != want {
					t.Errorf("LowCardinality(String): sent %q, got %q", want, got)
				}
			}
			if got := one[[]string](t, c, "SELECT {a:Array(String)}", Params{"a": Strings(texts)}); !cmp.Equal(got, texts) {
				t.Errorf("Array(String): %s", cmp.Diff(texts, got))
			}
			if got := one[[]string](t, c, "SELECT {a:Array(String)}", Params{"a": Strings(nil)}); len(got) != 0 {
				t.Errorf("an empty array came as %q", got)
			}
			sql := "SELECT toUnixTimestamp64Milli(fromUnixTimestamp64Milli({ms:Int64}))"
			if got := one[int64](t, c, sql, Params{"ms": "1700000000123"}); got != 1700000000123 {
				t.Errorf("Int64: got %d", got)
			}
		})
	}
}

func TestSessionIsAsTheStoreNeedsIt(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			for setting, want := range map[string]string{"async_insert": "0", "insert_deduplicate": "0", "session_timezone": "UTC"} {
				if got := one[string](t, c, "SELECT toString(getSetting({name:String}))", Params{"name": setting}); got != want && !(got == "false" && want == "0") {
					t.Errorf("%s is %s", setting, got)
				}
			}
		})
	}
}

func TestWrongQueryIsNotAStoreThatIsAway(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			for _, sql := range []string{"SELEKT 1", "SELECT * FROM nowhere", "SELECT {missing:String}", "SELECT throwIf(1)"} {
				err := runQuery(t.Context(), c, sql)
				var e *Error
				if !errors.As(err, &e) || errors.Is(err, ErrAway) || e.Code == 0 {
					t.Errorf("%s: got %v", sql, err)
				}
			}
		})
	}
}

// runQuery reads a query to its end.
func runQuery(ctx context.Context, c *Conn, sql string) error {
	result, err := c.Query(ctx, sql, nil)
	if err != nil {
		return err
	}
	for result.Next() {
	}
	return errors.Join(result.Err(), result.Close())
}

func TestStoreThatIsAwayIsSaid(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	silent, err := net.Listen("tcp4", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()

	for _, address := range []string{"clickhouse://" + nobody, "http://" + nobody, "clickhouse://" + silent.Addr().String(), "http://" + silent.Addr().String()} {
		c, err := Open(Options{DSN: address + "/x?dial_timeout=300ms", Timeout: 300 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for what, call := range map[string]func() error{
			"ping":  func() error { return c.Ping(t.Context()) },
			"ready": func() error { return c.Ready(t.Context()) },
			"query": func() error { return runQuery(t.Context(), c, "SELECT 1") },
			"exec":  func() error { return c.Exec(t.Context(), "SELECT 1", nil) },
		} {
			begun := time.Now()
			if err := call(); !errors.Is(err, ErrAway) {
				t.Errorf("%s of %s: got %v", what, address, err)
			}
			if took := time.Since(begun); took > soon {
				t.Errorf("%s of %s took %s", what, address, took)
			}
		}
		c.Close()
	}
}

func TestQueryEndsWithItsDeadline(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			begun := time.Now()
			if err := runQuery(ctx, c, "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1"); !errors.Is(err, ErrAway) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(begun); took > soon {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestCallerWhoGivesUpIsNotAStoreThatIsAway(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(100*time.Millisecond, cancel)
			if err := runQuery(ctx, c, "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1"); !errors.Is(err, context.Canceled) || errors.Is(err, ErrAway) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRowsThatAreNotWantedAreLeft(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := migrated(t, dsn)
			for range 30 { // more than there are connections: none may be lost
				result, err := c.Query(t.Context(), "SELECT number FROM system.numbers", nil)
				if err != nil {
					t.Fatal(err)
				}
				if !result.Next() {
					t.Fatal(result.Err())
				}
				if err := result.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if got := one[uint8](t, c, "SELECT 1", nil); got != 1 {
				t.Errorf("got %d", got)
			}
		})
	}
}

func TestVersionIsKnownBeforeThereIsADatabase(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := open(t, dsn)
			version, err := c.Version(t.Context())
			if err != nil || !strings.HasPrefix(version, "26.7.") {
				t.Errorf("got %s, %v", version, err)
			}
			if err := c.Ready(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVersionsAreComparedByNumber(t *testing.T) {
	tests := []struct {
		version, least string
		want           bool
	}{
		{"25.2.9.1", "25.3", true}, {"24.12.1.1", "25.3", true}, {"9.9", "25.3", true}, {"", "25.3", true},
		{"25.3.1.1", "25.3", false}, {"25.10.1.1", "25.3", false}, {"26.7.2.1", "25.3", false},
		{"25.3.2.39.altinitystable", "25.3", false},
	}
	for _, test := range tests {
		if got := older(test.version, test.least); got != test.want {
			t.Errorf("%q older than %q: got %v", test.version, test.least, got)
		}
	}
}

func TestAddressesThatCannotBeAreRefused(t *testing.T) {
	for _, o := range []Options{
		{DSN: ""}, {DSN: "://"}, {DSN: "clickhouse://h:1/a`b"}, {DSN: "clickhouse://h:1/a%20b"},
		{DSN: "clickhouse://h:1/a", Cluster: "c' x"},
	} {
		if _, err := Open(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	c, err := Open(Options{DSN: "clickhouse://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Database() != DefaultDatabase {
		t.Errorf("the database is %s", c.Database())
	}
	if _, err := Open(Options{DSN: "clickhouse://u:topsecret@h:x:y/db"}); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v", err)
	}
}

func TestConnectionFindsAnEngineThatWasKilledAgain(t *testing.T) {
	e, err := engine.Start(t.Context(), engine.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	native, http := migrated(t, e.DSN), migrated(t, e.HTTPDSN)
	killed := e.PID()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Conn{native, http} {
		late := time.Now().Add(20 * time.Second)
		for {
			err := runQuery(t.Context(), c, "SELECT 1")
			if err == nil {
				break
			}
			if !errors.Is(err, ErrAway) || time.Now().After(late) {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		for range 20 { // not one of the connections is a dead one
			if err := runQuery(t.Context(), c, "SELECT 1"); err != nil {
				t.Error(err)
			}
		}
	}
	if e.PID() == killed {
		t.Error("it was not killed")
	}
}
