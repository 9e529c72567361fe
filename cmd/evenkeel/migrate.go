package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

func addMigrate(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("migrate", "The schema in ClickHouse. `serve` brings it up to date by itself.")
	status := cmd.Command("status", "List the files of the schema and which are applied; 1 where some are not.")
	statusFlags := addStoreFlags(status)
	actions[status.FullCommand()] = func(ctx context.Context, std streams) error {
		return statusFlags.open(ctx, std.err, func(db *clickhouse.Conn) error { return printStatus(ctx, db, std) })
	}
	up := cmd.Command("up", "Apply the files of the schema that are missing.")
	upFlags := addStoreFlags(up)
	actions[up.FullCommand()] = func(ctx context.Context, std streams) error {
		return upFlags.open(ctx, std.err, func(db *clickhouse.Conn) error {
			applied, err := clickhouse.Migrate(ctx, db, deploy.ClickHouse())
			for _, m := range applied {
				fmt.Fprintf(std.out, "applied %s\n", m.Name)
			}
			return err
		})
	}
}

func printStatus(ctx context.Context, db *clickhouse.Conn, std streams) error {
	files, err := clickhouse.Status(ctx, db, deploy.ClickHouse())
	if err != nil {
		return err
	}
	missing := false
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, m := range files {
		applied := "missing"
		if m.Applied {
			applied = m.AppliedAt.Format("2006-01-02 15:04:05Z")
		}
		missing = missing || !m.Applied
		fmt.Fprintf(table, "%s\t%s\n", m.Name, applied)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missing {
		return errProblems
	}
	return nil
}
