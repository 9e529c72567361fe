package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

func addEngine(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("engine", "The embedded ClickHouse engine.")
	fetch := cmd.Command("fetch", "Fetch the engine into your cache folder, once (needs npm), and print its path.")
	actions[fetch.FullCommand()] = func(ctx context.Context, std streams) error {
		path, err := engine.Fetch(ctx, std.err)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(std.out, path)
		return err
	}
	path := cmd.Command("path", "Print the path of the engine; 1 where it was not fetched yet.")
	actions[path.FullCommand()] = func(_ context.Context, std streams) error {
		path, err := engine.Path()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(std.out, path)
		return err
	}
}
