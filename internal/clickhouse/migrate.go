package clickhouse

import (
	"context"
	"crypto/sha256"
	_ "embed" // the queries
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Migration is one file of the schema, and whether the database has it.
type Migration struct {
	Version   uint32
	Name      string // of the file
	Checksum  string // sha256 of the template, so it does not depend on the cluster
	Applied   bool
	AppliedAt time.Time // UTC, zero if it was not
}

// migrationRE is how a file of the schema is named: 0010_deliveries.sql.
var migrationRE = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)

// bookkeeping is the version of the table that lists the versions.
const bookkeeping = 1

var (
	//go:embed migrations_applied.sql
	appliedSQL string
	//go:embed migration_add.sql
	addSQL string
)

// Migrate makes the database, if it is missing, and applies the files of the folder that it does
// not have yet, in their order. It returns those that it applied. It only goes forward: a file
// that was applied and has been changed since is an error, and nothing is done.
//
// It may run in several processes at once: every file is idempotent. Where the database has all of
// them, nothing but a query is asked of it: in a cluster a statement on every server would not
// return while one of them is down, and whoever starts then needs none.
func Migrate(ctx context.Context, c *Conn, folder fs.FS) ([]Migration, error) {
	files, err := c.compared(ctx, folder)
	if err != nil || !slices.ContainsFunc(files, (*migrationFile).missing) {
		return nil, err
	}
	if err := c.createDatabase(ctx); err != nil {
		return nil, err
	}
	// The table of versions comes first: what it does not say itself is read from it.
	if err := c.apply(ctx, files[0]); err != nil {
		return nil, err
	}
	if err := c.compare(ctx, files); err != nil {
		return nil, err
	}
	var done []Migration
	for _, f := range files {
		if f.Applied {
			continue
		}
		if err := c.apply(ctx, f); err != nil {
			return done, err
		}
		if f.Migration, err = c.remember(ctx, f.Migration); err != nil {
			return done, err
		}
		done = append(done, f.Migration)
	}
	return done, nil
}

// compared returns the files of the folder, in their order, and which of them the database has, which may be missing.
func (c *Conn) compared(ctx context.Context, folder fs.FS) ([]*migrationFile, error) {
	files, err := readMigrations(folder)
	if err != nil {
		return nil, err
	}
	if err := c.Ready(ctx); err != nil {
		return nil, err
	}
	if exists, err := c.hasBookkeeping(ctx); err != nil || !exists {
		return files, err
	}
	return files, c.compare(ctx, files)
}

// Status returns the files of the folder, in their order, and which of them the database has. It
// changes nothing. A database that is missing has none.
func Status(ctx context.Context, c *Conn, folder fs.FS) ([]Migration, error) {
	files, err := c.compared(ctx, folder)
	if err != nil {
		return nil, err
	}
	all := make([]Migration, len(files))
	for i, f := range files {
		all[i] = f.Migration
	}
	return all, nil
}

// migrationFile is a migration and its template.
type migrationFile struct {
	Migration
	text string
}

func (f *migrationFile) missing() bool { return !f.Applied }

// readMigrations returns the folder's files in the order of their versions.
func readMigrations(folder fs.FS) ([]*migrationFile, error) {
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	var files []*migrationFile
	for _, name := range names { // sorted
		m := migrationRE.FindStringSubmatch(name)
		if m == nil {
			return nil, fmt.Errorf("read schema: %s: a file is named like 0010_table.sql", name)
		}
		version, err := strconv.ParseUint(m[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read schema: %s: %w", name, err)
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		sum := sha256.Sum256(text)
		files = append(files, &migrationFile{
			Migration: Migration{Version: uint32(version), Name: name, Checksum: hex.EncodeToString(sum[:])},
			text:      string(text),
		})
	}
	return files, checkVersions(files)
}

func checkVersions(files []*migrationFile) error {
	if len(files) == 0 || files[0].Version != bookkeeping {
		return fmt.Errorf("read schema: the first file is to be number %d, the table of versions", bookkeeping)
	}
	for i := 1; i < len(files); i++ {
		if files[i].Version == files[i-1].Version {
			return fmt.Errorf("read schema: %s and %s have the same number", files[i-1].Name, files[i].Name)
		}
	}
	return nil
}

// createDatabase makes the database. A server's own default has always been there.
func (c *Conn) createDatabase(ctx context.Context) error {
	server, err := c.server()
	if err != nil {
		return err
	}
	defer server.Close()
	// The name was checked by Open: DDL takes no parameter here on a cluster.
	sql := "CREATE DATABASE IF NOT EXISTS `" + c.Database() + "`" + c.schema().OnCluster()
	return server.Exec(ctx, sql, nil)
}

// schema returns what templates are filled with for this connection.
func (c *Conn) schema() Schema { return Schema{Database: c.Database(), Cluster: c.cluster} }

func (c *Conn) apply(ctx context.Context, f *migrationFile) error {
	statements, err := c.schema().Render(f.Name, f.text)
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if err := c.Exec(ctx, sql, nil); err != nil {
			return fmt.Errorf("apply %s: %w", f.Name, err)
		}
	}
	return nil
}

// remember says in the table of versions that the migration was applied. Its time is the clock's:
// it is for people, and nothing is computed from it.
func (c *Conn) remember(ctx context.Context, m Migration) (Migration, error) {
	m.Applied, m.AppliedAt = true, time.Now().UTC().Truncate(time.Millisecond)
	err := c.Exec(ctx, addSQL, Params{
		"table":         c.schema().LocalTable("schema_migrations"),
		"version":       strconv.FormatUint(uint64(m.Version), 10),
		"name":          m.Name,
		"checksum":      m.Checksum,
		"applied_at_ms": strconv.FormatInt(m.AppliedAt.UnixMilli(), 10),
	})
	if err != nil {
		return m, fmt.Errorf("remember %s: %w", m.Name, err)
	}
	return m, nil
}

// compare marks the files that the database has, and refuses those that it has otherwise.
func (c *Conn) compare(ctx context.Context, files []*migrationFile) error {
	applied, err := c.applied(ctx)
	if err != nil {
		return err
	}
	for _, a := range applied {
		i := slices.IndexFunc(files, func(f *migrationFile) bool { return f.Version == a.Version })
		switch {
		case i < 0:
			return fmt.Errorf("schema: the database has %s, which this version of evenkeel does not know: it was migrated by a newer one", a.Name)
		case files[i].Checksum != a.Checksum:
			return fmt.Errorf("schema: %s was applied at %s and has been changed since: a change of the schema is a new file", a.Name, a.AppliedAt.Format(time.RFC3339))
		}
		files[i].Applied, files[i].AppliedAt = true, a.AppliedAt
	}
	return nil
}

func (c *Conn) applied(ctx context.Context) ([]Migration, error) {
	all, err := All(ctx, c, appliedSQL, nil, func(rows Rows, m *Migration) error {
		var ms int64
		err := rows.Scan(&m.Version, &m.Name, &m.Checksum, &ms)
		m.Applied, m.AppliedAt = true, time.UnixMilli(ms).UTC()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read schema's versions: %w", err)
	}
	return all, nil
}

//go:embed migrations_exist.sql
var existSQL string

func (c *Conn) hasBookkeeping(ctx context.Context) (bool, error) {
	server, err := c.server()
	if err != nil {
		return false, err
	}
	defer server.Close()
	var n uint64
	err = One(ctx, server, existSQL, Params{"database": c.Database()}, &n)
	return n > 0, err
}
