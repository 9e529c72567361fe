package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
)

// childPrefix marks the child's own words among those of the engine.
const childPrefix = "engine-child: "

// Command is the hidden subcommand by which the binary runs as the engine's child process.
const Command = "engine-child"

// Main runs the engine in this process: library and configuration file are its two
// arguments. It returns only when the engine ended by itself, which is always a failure: as
// long as standard input is open the engine serves, and when it closes the process ends
// with code 0.
func Main(args []string, stdin io.Reader, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintf(stderr, "usage: %s LIBRARY CONFIG (it is started by evenkeel itself)\n", Command)
		return 2
	}
	// A signal for the whole process group, such as Ctrl-C or systemd's stop, is for the parent:
	// it still needs the engine to store what it holds, and closes our standard input then.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go exitWith(stdin)
	fmt.Fprintln(stderr, childPrefix+serve(args[0], args[1]).Error())
	return 1
}

// RunIfChild runs [Main] and exits, if the process was started as an engine's child. A program
// that starts engines with its own executable calls it first thing in main (in a test binary, in
// TestMain).
func RunIfChild() {
	if len(os.Args) > 1 && os.Args[1] == Command {
		stdin, err := moveStdin()
		if err != nil {
			fmt.Fprintln(os.Stderr, childPrefix+err.Error())
			os.Exit(1)
		}
		os.Exit(Main(os.Args[2:], stdin, os.Stderr))
	}
}

// exitWith ends the process when r, the parent's pipe, closes. Nothing needs an orderly end: what
// was acknowledged is on disk. It is not os.Exit, which under the race detector runs the C library's exit
// handlers: they take the engine apart while its threads run, and it crashes.
func exitWith(r io.Reader) {
	_, _ = io.Copy(io.Discard, r)
	syscall.Exit(0)
}

// script starts both listeners and then runs a query that does not end: the library's call
// returns, and takes the engine down, when its last query is done. It wakes once in three
// seconds, the longest a row may sleep.
const script = `SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(3) FROM system.numbers SETTINGS max_block_size = 1, max_threads = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null`

// serve opens the library and does not return while the engine serves: it always returns an error.
func serve(library, config string) error {
	lib, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("open engine: %w", err)
	}
	var query func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	var queryError func(result unsafe.Pointer) string
	for name, fn := range map[string]any{"chdb_query_cmdline": &query, "chdb_result_error": &queryError} {
		symbol, err := purego.Dlsym(lib, name)
		if err != nil {
			return fmt.Errorf("open engine: %s has no %s: %w", library, name, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	if err := takeTerminal(lib); err != nil {
		return err
	}
	argv := cStrings("clickhouse", "--config-file="+config, "--log-level=warning", "--interactive", "--progress=off", "--query="+script)
	result := query(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if result == nil {
		return errors.New("the engine ended without a result")
	}
	if text := queryError(result); text != "" {
		return errors.New(firstLine(text))
	}
	return errors.New("the engine's last query came to an end")
}

// cStrings returns args as C wants them: terminated strings in a terminated array.
func cStrings(args ...string) []*byte {
	argv := make([]*byte, len(args)+1)
	for i, arg := range args {
		argv[i] = unsafe.StringData(arg + "\x00")
	}
	return argv
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
