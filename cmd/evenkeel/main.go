// Command evenkeel turns monitoring signals into incidents, kept promises and
// improvements.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

// streams are the program's input and output: stdout takes results, stderr talk.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// action is what a subcommand does once its flags are parsed.
type action func(ctx context.Context, std streams) error

// errProblems is returned by commands that did their work and found problems,
// which they have printed.
var errProblems = errors.New("problems were found")

// Exit codes.
const (
	exitOK       = 0
	exitProblems = 1
	exitUsage    = 2
)

func main() {
	engine.RunIfChild()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// run parses args, carries out the subcommand and returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	app := kingpin.New("evenkeel", "Monitoring signals to incidents, kept promises and improvements.")
	app.UsageWriter(std.out).ErrorWriter(std.err)
	app.HelpFlag.Short('h')
	exit := -1
	app.Terminate(func(code int) {
		if exit < 0 {
			exit = code
		}
	})
	actions := map[string]action{}
	for _, add := range commands {
		add(app, actions)
	}
	name, err := app.Parse(args)
	if exit >= 0 {
		return exit
	}
	if err != nil {
		fmt.Fprintf(std.err, "evenkeel: %v (see `evenkeel --help`)\n", err)
		return exitUsage
	}
	err = actions[name](ctx, std)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProblems):
		return exitProblems
	}
	fmt.Fprintf(std.err, "evenkeel: %v\n", err)
	return exitProblems
}

// commands add each subcommand to the program, in the order of the help.
var commands = []func(*kingpin.Application, map[string]action){
	addServe, addDemo, addEngine, addCheck, addReplay, addEval, addSLA, addReport, addMigrate, addVersion,
}
