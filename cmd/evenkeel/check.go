package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/internal/config"
)

func addCheck(app *kingpin.Application, actions map[string]action) {
	cmd := app.Command("check", "Check files, without a running service. All mistakes are told at once.")
	for _, kind := range []struct {
		name, help string
		check      func(file string) (summary string, warnings config.Warnings, err error)
	}{
		{"config", "Check root configurations and the catalogues that they name.", checkConfig},
		{"catalogue", "Check catalogue files by themselves.", checkCatalogue},
		{"web-config", "Check files for TLS and basic authentication (--web.config.file).", checkWebConfig},
	} {
		sub := cmd.Command(kind.name, kind.help)
		files := sub.Arg("file", "The files to check.").PlaceHolder("FILE").Required().Strings()
		actions[sub.FullCommand()] = func(_ context.Context, std streams) error {
			return checkFiles(*files, kind.check, std)
		}
	}
	addCheckMapping(cmd, actions)
}

// checkFiles checks each file and prints one line for each that is right.
func checkFiles(files []string, check func(string) (string, config.Warnings, error), std streams) error {
	found := false
	for _, file := range files {
		summary, warnings, err := check(file)
		warn(std.err, warnings)
		if err != nil {
			found = true
			fmt.Fprintln(std.err, err)
			continue
		}
		fmt.Fprintf(std.out, "%s: %s\n", file, summary)
	}
	if found {
		return errProblems
	}
	return nil
}

func checkConfig(file string) (string, config.Warnings, error) {
	c, warnings, err := config.Load(file)
	return summary(c, err), warnings, err
}

func checkCatalogue(file string) (string, config.Warnings, error) {
	c, warnings, err := config.LoadCatalogue(file)
	return summary(c, err), warnings, err
}

func checkWebConfig(file string) (string, config.Warnings, error) {
	if err := web.Validate(file); err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	return "ok", nil, nil
}

func summary(c *config.Config, err error) string {
	if err != nil {
		return ""
	}
	agreements := 0
	for _, s := range c.Levels().Services {
		agreements += len(s.Agreements)
	}
	return "ok, " + improve.Plural(len(c.Correlation().Services), "service") + ", " + improve.Plural(agreements, "agreement")
}

// warn prints what is odd in a configuration that loads.
func warn(w io.Writer, warnings config.Warnings) {
	for _, warning := range warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}
