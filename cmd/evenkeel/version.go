package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func addVersion(app *kingpin.Application, actions map[string]action) {
	cmd := app.Command("version", "Print the version and what it was built from.")
	actions[cmd.FullCommand()] = func(_ context.Context, std streams) error {
		_, err := fmt.Fprintln(std.out, versionText())
		return err
	}
}

func versionText() string { return version.Print("evenkeel") }
