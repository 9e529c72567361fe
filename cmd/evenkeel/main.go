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

// streams are where the program writes: results to out, talk to err.
type streams struct{ out, err io.Writer }

// action is what a subcommand does once its flags are parsed.
type action func(ctx context.Context, std streams) error

// errProblems is returned by commands that did their work and found problems,
// which they have printed.
var errProblems = errors.New("problems were found")

// usageError is a mistake in how a command was called that its flags alone do not show.
type usageError string

func (e usageError) Error() string { return string(e) }

// Exit codes.
const (
	exitOK       = 0
	exitProblems = 1
	exitUsage    = 2
)

func main() {
	engine.RunIfChild()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run parses args, carries out the subcommand and returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	p := newProgram(std)
	if len(args) == 0 { // a script with an empty variable must not take this for success
		p.app.UsageWriter(std.err).Usage(nil)
		return exitUsage
	}
	name, err := p.app.Parse(args)
	if p.ended {
		return p.code
	}
	if err == nil {
		err = p.actions[name](ctx, std)
	} else {
		err = usageError(err.Error())
	}
	return exitCode(err, std.err)
}

// exitCode says what went wrong, and returns the code for it.
func exitCode(err error, talk io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProblems):
		return exitProblems
	case errors.As(err, &usage):
		fmt.Fprintf(talk, "evenkeel: %v (see `evenkeel --help`)\n", err)
		return exitUsage
	}
	fmt.Fprintf(talk, "evenkeel: %v\n", err)
	return exitProblems
}

// program is the command line and what its subcommands do.
type program struct {
	app     *kingpin.Application
	actions map[string]action

	ended bool // by a flag such as --help, with code
	code  int
}

// commands add each subcommand to the program, in the order of the help.
var commands = []func(*kingpin.Application, map[string]action){
	addServe, addDemo, addEngine, addCheck, addReplay, addExport, addEval, addSLA, addReport, addMigrate, addVersion,
}

func newProgram(std streams) *program {
	p := &program{app: kingpin.New("evenkeel", about), actions: map[string]action{}}
	p.app.Terminate(func(code int) {
		if !p.ended {
			p.ended, p.code = true, code
		}
		p.app.UsageWriter(io.Discard) // parsing goes on, and would print the help a second time
	})
	p.app.UsageWriter(std.out).ErrorWriter(std.err)
	p.app.UsageTemplate(usageTemplate).UsageFuncs(usageFuncs)
	p.app.HelpFlag.Short('h').Help("Show this help.")
	p.app.Version(versionText())
	p.app.VersionFlag.Help("Show the version.")
	for _, add := range commands {
		add(p.app, p.actions)
	}
	return p
}
