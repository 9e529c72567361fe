package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

func TestMain(m *testing.M) {
	engine.RunIfChild()
	testscript.Main(m, map[string]func(){"evenkeel": main})
}

// The stories that need no store: each file of testdata is one.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			path, err := exec.LookPath("evenkeel") // for stories that change the PATH
			env.Setenv("EVENKEEL", path)
			return err
		},
	})
}

// exits runs a program that is to end with a code: exits CODE PROGRAM ARGS...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("%s ended with code %d, want %d", strings.Join(args[1:], " "), code, want)
	}
}

// program of a test: nothing of it reaches a terminal.
func testProgram() *program {
	return newProgram(streams{new(bytes.Buffer), new(bytes.Buffer)})
}

func TestEveryCommandAndFlagSaysWhatItDoes(t *testing.T) {
	p := testProgram()
	model := p.app.Model()
	for _, c := range model.FlattenedCommands() {
		if c.Help == "" {
			t.Errorf("%s has no help", c.FullCommand)
		}
		if _, known := p.actions[c.FullCommand]; !known && c.Name != "help" {
			t.Errorf("%s does nothing", c.FullCommand)
		}
		for _, f := range c.Flags {
			checkFlag(t, c.FullCommand, f)
		}
		for _, a := range c.Args {
			if a.Help == "" {
				t.Errorf("%s: argument %s has no help", c.FullCommand, a.Name)
			}
		}
	}
	for _, f := range model.Flags {
		if !f.Hidden { // kingpin's own for completion and manual pages are
			checkFlag(t, "evenkeel", f)
		}
	}
}

// checkFlag wants a sentence, and a placeholder that says what is to be given.
func checkFlag(t *testing.T, command string, f *kingpin.FlagModel) {
	t.Helper()
	if f.Help == "" {
		t.Errorf("%s: --%s has no help", command, f.Name)
	}
	if !f.IsBoolFlag() && f.PlaceHolder == "" && len(f.Default) == 0 {
		t.Errorf("%s: --%s=%s does not say what it takes", command, f.Name, f.FormatPlaceHolder())
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	for _, columns := range []string{"80", "120"} {
		t.Setenv("COLUMNS", columns)
		for _, c := range append(testProgram().app.Model().FlattenedCommands(), nil) {
			args := []string{"--help"}
			if c != nil {
				args = append(strings.Fields(c.FullCommand), args...)
			}
			var out, talk bytes.Buffer
			if code := run(t.Context(), args, streams{&out, &talk}); code != exitOK || talk.Len() > 0 {
				t.Errorf("%v: code %d, %s", args, code, &talk)
			}
			if n := strings.Count(out.String(), "usage: "); n != 1 {
				t.Errorf("%v: the help is there %d times", args, n)
			}
			checkWidth(t, args, out.String(), columns)
		}
	}
}

func checkWidth(t *testing.T, args []string, help, columns string) {
	t.Helper()
	limit := map[string]int{"80": 80, "120": 120}[columns]
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, " \n")
		if len([]rune(line)) > limit && !strings.Contains(line, "https://") { // an address cannot be broken
			t.Errorf("%v: more than %d columns: %s", args, limit, line)
		}
	}
}
