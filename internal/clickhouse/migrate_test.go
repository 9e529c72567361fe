package clickhouse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/evenkeel/evenkeel/deploy"
)

// folder is a schema of the table of versions and the given files.
func folder(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	const first = "0001_schema_migrations.sql"
	versions, err := os.ReadFile(filepath.Join("..", "..", "deploy", "clickhouse", first))
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{first: {Data: versions}}
	for name, text := range files {
		all[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return all
}

const (
	createA = "CREATE TABLE IF NOT EXISTS {{.Table \"a\"}}{{.OnCluster}} (x UInt8) ENGINE = {{.MergeTree}} ORDER BY x"
	createB = "CREATE TABLE IF NOT EXISTS {{.Table \"b\"}}{{.OnCluster}} (x UInt8) ENGINE = {{.ReplacingMergeTree \"x\"}} ORDER BY x;\n"
)

func names(ms []Migration) string {
	var all []string
	for _, m := range ms {
		text := m.Name
		if m.Applied && !m.AppliedAt.IsZero() {
			text += " applied"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestMigrationGoesForwardAndOnlyOnce(t *testing.T) {
	for name, dsn := range protocols() {
		t.Run(name, func(t *testing.T) {
			c := open(t, dsn)
			schema := folder(t, map[string]string{"0010_a.sql": createA})
			status := func(want string) {
				t.Helper()
				got, err := Status(t.Context(), c, schema)
				if err != nil || names(got) != want {
					t.Errorf("status is %q, %v; want %q", names(got), err, want)
				}
			}
			migrate := func(want string) {
				t.Helper()
				got, err := Migrate(t.Context(), c, schema)
				if err != nil || names(got) != want {
					t.Errorf("applied %q, %v; want %q", names(got), err, want)
				}
			}
			status("0001_schema_migrations.sql, 0010_a.sql")
			migrate("0001_schema_migrations.sql applied, 0010_a.sql applied")
			status("0001_schema_migrations.sql applied, 0010_a.sql applied")
			migrate("")
			schema["0020_b.sql"] = &fstest.MapFile{Data: []byte(createB)}
			status("0001_schema_migrations.sql applied, 0010_a.sql applied, 0020_b.sql")
			migrate("0020_b.sql applied")
			schema["0015_late.sql"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(createA, `"a"`, `"late"`))}
			migrate("0015_late.sql applied")
			if n := one[uint64](t, c, "SELECT count() FROM schema_migrations", nil); n != 4 {
				t.Errorf("the table of versions has %d rows", n)
			}
		})
	}
}

func TestMigrationIsRefusedWhereHistoryDiffers(t *testing.T) {
	c := open(t, shared.DSN)
	schema := folder(t, map[string]string{"0010_a.sql": createA})
	if _, err := Migrate(t.Context(), c, schema); err != nil {
		t.Fatal(err)
	}
	changed := folder(t, map[string]string{"0010_a.sql": createA + " -- better", "0020_b.sql": createB})
	unknown := folder(t, map[string]string{"0020_b.sql": createB})
	for want, schema := range map[string]fstest.MapFS{
		"0010_a.sql was applied at": changed, "evenkeel does not know": unknown,
	} {
		if _, err := Migrate(t.Context(), c, schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("migrate: got %v, want it to say %q", err, want)
		}
		if _, err := Status(t.Context(), c, schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("status: got %v, want it to say %q", err, want)
		}
	}
	if n := one[uint64](t, c, "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'b'", nil); n != 0 {
		t.Error("something was done all the same")
	}
}

func TestTwoMigrationsAtOnceBothSucceed(t *testing.T) {
	schema := deploy.ClickHouse()
	first := open(t, shared.DSN)
	var wg sync.WaitGroup
	for range 4 {
		c, err := Open(Options{DSN: shared.DSN(first.Database())})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		wg.Go(func() {
			if _, err := Migrate(t.Context(), c, schema); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	status, err := Status(t.Context(), first, schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range status {
		if !m.Applied {
			t.Errorf("%s is not applied", m.Name)
		}
	}
}

func TestSchemaFoldersThatCannotBeAreRefused(t *testing.T) {
	c := open(t, shared.DSN)
	tests := map[string]fstest.MapFS{
		"named like 0010_table.sql": folder(t, map[string]string{"table.sql": createA}),
		"have the same number":      folder(t, map[string]string{"0010_a.sql": createA, "0010_b.sql": createB}),
		"the first file is to be":   {"0010_a.sql": {Data: []byte(createA)}},
		"render 0010_a.sql":         folder(t, map[string]string{"0010_a.sql": "CREATE TABLE {{.Tabel}}"}),
		"apply 0010_a.sql":          folder(t, map[string]string{"0010_a.sql": "CREATE TABEL x"}),
	}
	for want, schema := range tests {
		if _, err := Migrate(t.Context(), c, schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %q", err, want)
		}
	}
	var e *Error
	if _, err := Migrate(t.Context(), c, tests["apply 0010_a.sql"]); !errors.As(err, &e) || e.Code != 62 {
		t.Errorf("the error of ClickHouse is lost: %v", err)
	}
}

func TestEveryTableReachesTheDiskWithEachInsert(t *testing.T) {
	c := migrated(t, shared.DSN)
	result, err := c.Query(t.Context(), "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	for result.Next() {
		var name, sql string
		if err := result.Scan(&name, &sql); err != nil {
			t.Fatal(err)
		}
		for want := range strings.SplitSeq(durability, ", ") {
			if !strings.Contains(sql, want) {
				t.Errorf("%s is without %s: %s", name, want, sql)
			}
		}
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestSameTemplatesGiveOneServerAndACluster(t *testing.T) {
	text := `-- A table.
CREATE TABLE IF NOT EXISTS {{.Table "episodes"}}{{.OnCluster}}
(
    partition UInt32
)
ENGINE = {{.MergeTree}}
ORDER BY partition
TTL recorded_at + INTERVAL 400 DAY
`
	tests := map[string]struct {
		schema Schema
		text   string
		want   []string
	}{
		"one server": {Schema{Database: "evenkeel"}, text, []string{`-- A table.
CREATE TABLE IF NOT EXISTS episodes
(
    partition UInt32
)
ENGINE = MergeTree
ORDER BY partition
TTL recorded_at + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`}},
		"a cluster": {Schema{Database: "evenkeel", Cluster: "main"}, text, []string{`-- A table.
CREATE TABLE IF NOT EXISTS episodes_local ON CLUSTER ` + "`main`" + `
(
    partition UInt32
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY partition
TTL recorded_at + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
			"CREATE TABLE IF NOT EXISTS episodes ON CLUSTER `main` AS episodes_local\nENGINE = Distributed('main', 'evenkeel', 'episodes_local')"}},
		"settings of its own": {Schema{}, "CREATE TABLE {{.Table \"t\"}} (x UInt8) ENGINE = {{.MergeTree}} ORDER BY x\nSETTINGS index_granularity = 1024\n",
			[]string{"CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x\nSETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1"}},
		"a replacing table in a cluster": {Schema{Database: "d", Cluster: "c"}, createB, []string{
			"CREATE TABLE IF NOT EXISTS b_local ON CLUSTER `c` (x UInt8) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', x) ORDER BY x\nSETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
			"CREATE TABLE IF NOT EXISTS b ON CLUSTER `c` AS b_local\nENGINE = Distributed('c', 'd', 'b_local')"}},
		"a change of a table": {Schema{Cluster: "c"}, "ALTER TABLE {{.Table \"t\"}}{{.OnCluster}} ADD COLUMN IF NOT EXISTS y UInt8",
			[]string{"ALTER TABLE t_local ON CLUSTER `c` ADD COLUMN IF NOT EXISTS y UInt8"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.schema.Render("x.sql", test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every file of the project is valid for a cluster too, as far as one server without Keeper can
// tell: its parser takes the statements.
func TestEveryFileIsUnderstoodForACluster(t *testing.T) {
	files, err := readMigrations(deploy.ClickHouse())
	if err != nil {
		t.Fatal(err)
	}
	c := migrated(t, shared.DSN)
	for _, f := range files {
		statements, err := Schema{Database: "evenkeel", Cluster: "main"}.Render(f.Name, f.text)
		if err != nil {
			t.Fatal(err)
		}
		if len(statements) != 2 {
			t.Errorf("%s: %d statements, want the local table and the Distributed one", f.Name, len(statements))
		}
		for _, sql := range statements {
			if err := runQuery(t.Context(), c, "EXPLAIN AST "+sql); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
			if !strings.Contains(sql, "IF NOT EXISTS") || !strings.Contains(sql, "ON CLUSTER") {
				t.Errorf("%s is not idempotent on a cluster:\n%s", f.Name, sql)
			}
		}
	}
}

// The statements for a cluster are refused for the right reason: that there is none.
func TestStatementsForAClusterAreUnderstood(t *testing.T) {
	c := migrated(t, shared.DSN)
	kill, err := Schema{Cluster: "main"}.Render("kill.sql", killSQL)
	if err != nil {
		t.Fatal(err)
	}
	params := Params{"cluster": "main", "database": "d", "table": "t", "query_id": "q", "partition": "0", "first": "1", "last": "2"}
	for name, test := range map[string]struct {
		sql  string
		want int32
	}{
		"running":   {runningClusterSQL, 701}, // CLUSTER_DOESNT_EXIST
		"addresses": {addressesClusterSQL, 701},
		"kill":      {kill[0], 392}, // QUERY_IS_PROHIBITED: replicated DDL is disabled
	} {
		err := c.Exec(t.Context(), test.sql, params)
		var e *Error
		if !errors.As(err, &e) || e.Code != test.want {
			t.Errorf("%s: got %v, want code %d", name, err, test.want)
		}
	}
}

func TestDifferencesOfATableAreSaid(t *testing.T) {
	c := migrated(t, shared.DSN)
	sql := "CREATE TABLE t (partition UInt32, position UInt64, ordinal UInt32, a Int8, b String, c UInt8 MATERIALIZED a, d DateTime64(3, 'UTC') DEFAULT 0) ENGINE = MergeTree ORDER BY a"
	if err := c.Exec(t.Context(), sql, nil); err != nil {
		t.Fatal(err)
	}
	column := func(name, typ string) Column[int] { return Column[int]{Name: name, Type: typ} }
	table := func(name string, columns ...Column[int]) Table[int] { return Table[int]{Name: name, Columns: columns} }
	same := table("t", column("a", "Int8"), column("b", "String"), column("d", "DateTime64(3, 'UTC')"))
	if err := Check(t.Context(), c, same); err != nil {
		t.Error(err)
	}
	for name, other := range map[string]Table[int]{
		"a type":        table("t", column("a", "Int16"), column("b", "String"), column("d", "DateTime64(3, 'UTC')")),
		"an order":      table("t", column("b", "String"), column("a", "Int8"), column("d", "DateTime64(3, 'UTC')")),
		"a column less": table("t", same.Columns[:2]...),
		"no such table": table("u", same.Columns...),
	} {
		err := Check(t.Context(), c, same, other)
		if err == nil || !strings.Contains(err.Error(), "declared in Go") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	both := Check(t.Context(), c, table("u"), table("v"))
	if both == nil || strings.Count(both.Error(), "but the database has") != 2 {
		t.Errorf("got %v", both)
	}
}

func TestTablesThatWouldRefuseAnInsertAreNamedAsItRefusesThem(t *testing.T) {
	c := migrated(t, shared.DSN)
	withReadings(t, c, "wider", "narrower", "other")
	for _, sql := range []string{
		"ALTER TABLE wider ADD COLUMN note String FIRST",
		"ALTER TABLE narrower DROP COLUMN open",
		"ALTER TABLE other MODIFY COLUMN count Int32, MODIFY COLUMN open UInt8",
	} {
		if err := c.Exec(t.Context(), sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckInserts(t.Context(), c, readings("wider")); err != nil {
		t.Errorf("a column that rows do not name: %v", err)
	}
	tests := map[string]string{
		"narrower": "table narrower has no column open",
		"other": "column open of table other is of type UInt8, and is to be of type Bool; " +
			"column count of table other is of type Int32, and is to be of type Int64",
	}
	overHTTP, err := Open(Options{DSN: shared.HTTPDSN(c.Database())})
	if err != nil {
		t.Fatal(err)
	}
	defer overHTTP.Close()
	for table, want := range tests {
		refused := map[string]error{"at start": CheckInserts(t.Context(), c, readings(table))}
		for protocol, c := range map[string]*Conn{"native": c, "http": overHTTP} {
			refused[protocol] = newWriter(t, c, WriterOptions{}).Insert(t.Context(),
				Batch{Partition: 1, First: 1, Last: 1, Tables: []TableRows{readings(table).Rows(made(1, 1, 1, 1))}}, false)
		}
		for when, err := range refused {
			unknown := when == "native" && strings.Contains(fmt.Sprint(err), "No such column open") // in the server's words
			if err == nil || errors.Is(err, ErrAway) || !strings.HasSuffix(err.Error(), want) && !unknown {
				t.Errorf("%s: got %v, want %s", when, err, want)
			}
		}
	}
	all := CheckInserts(t.Context(), c, readings("wider"), readings("narrower"), readings("other"), readings("nowhere"))
	if all == nil || !strings.Contains(all.Error(), tests["narrower"]) || !strings.Contains(all.Error(), tests["other"]) ||
		!strings.Contains(all.Error(), "there is no table nowhere") {
		t.Errorf("got %v", all)
	}
}

func TestMigrationsAreListedWithChecksumAndTime(t *testing.T) {
	c := open(t, shared.DSN)
	schema := folder(t, map[string]string{"0010_a.sql": createA})
	applied, err := Migrate(t.Context(), c, schema)
	if err != nil {
		t.Fatal(err)
	}
	status, err := Status(t.Context(), c, schema)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(applied, status, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("what was applied is listed otherwise: %s", diff)
	}
	if len(status) != 2 || len(status[1].Checksum) != 64 || fmt.Sprint(status[1].Version) != "10" {
		t.Errorf("got %+v", status)
	}
}
