package clickhouse

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// Schema is what a template of DDL is filled with: the same file gives the tables of one server
// and those of a cluster.
//
//	CREATE TABLE IF NOT EXISTS {{.Table "episodes"}}{{.OnCluster}}
//	(…)
//	ENGINE = {{.MergeTree}}
//	ORDER BY …
//
// In a cluster the table that is created so is the local one, `episodes_local`, and a Distributed
// table `episodes` over it follows, so that queries are the same too.
type Schema struct {
	Database string
	Cluster  string // "" for one server

	tables  *[]string // the tables that the template names
	durable *bool     // whether it named an engine of ours
}

// LocalTable returns the name of the table that rows are inserted into: in a cluster, the local
// part of the Distributed table that is read.
func (s Schema) LocalTable(name string) string {
	if s.Cluster == "" {
		return name
	}
	return name + "_local"
}

// Table returns the name under which a template creates the table.
func (s Schema) Table(name string) string {
	*s.tables = append(*s.tables, name)
	return s.LocalTable(name)
}

// OnCluster returns the clause that makes a statement run on every server, with a space before
// it; "" for one server.
func (s Schema) OnCluster() string {
	if s.Cluster == "" {
		return ""
	}
	return " ON CLUSTER `" + s.Cluster + "`"
}

// MergeTree returns the table engine for rows that are only added.
func (s Schema) MergeTree() string { return s.engine("MergeTree") }

// ReplacingMergeTree returns the table engine that keeps the row with the greatest version for
// each sorting key, some time later.
func (s Schema) ReplacingMergeTree(version string) string {
	return s.engine("ReplacingMergeTree", version)
}

func (s Schema) engine(name string, args ...string) string {
	*s.durable = true
	if s.Cluster != "" {
		name = "Replicated" + name
		args = append([]string{"'/clickhouse/tables/{uuid}/{shard}'", "'{replica}'"}, args...)
	}
	if len(args) == 0 {
		return name
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// durability is added to every table: what an insert acknowledged is on disk.
const durability = "fsync_after_insert = 1, fsync_part_directory = 1"

var settingsRE = regexp.MustCompile(`(?m)^\s*SETTINGS\b`)

// Render returns the statements that the template text stands for.
func (s Schema) Render(name, text string) ([]string, error) {
	var tables []string
	var durable bool
	s.tables, s.durable = &tables, &durable
	t, err := template.New(name).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	statement := strings.TrimSuffix(strings.TrimSpace(out.String()), ";")
	if durable {
		statement = withDurability(statement)
	}
	statements := []string{statement}
	if s.Cluster != "" && durable {
		for _, table := range tables {
			statements = append(statements, s.distributed(table))
		}
	}
	return statements, nil
}

// withDurability adds the settings to a CREATE TABLE, of which SETTINGS is the last clause.
func withDurability(statement string) string {
	if settingsRE.MatchString(statement) {
		return strings.TrimRight(statement, " \n") + ", " + durability
	}
	return statement + "\nSETTINGS " + durability
}

// distributed returns the table that reads the local ones of all shards. It has no sharding key:
// an insert through it is an error, since the shard of a row is the writer's affair.
func (s Schema) distributed(table string) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = Distributed('%s', '%s', '%s')",
		table, s.OnCluster(), s.LocalTable(table), s.Cluster, s.Database, s.LocalTable(table))
}
