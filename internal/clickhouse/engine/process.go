package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is one child. Its standard input is the pipe that ends it.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	done  chan struct{} // closed when it has ended and all that it said was read
	err   error         // how it ended; read after done
	said  lastLines
}

func startProcess(opts Options, config string, log *slog.Logger) (*process, error) {
	args := append(append([]string{}, opts.Args...), opts.Library, config)
	cmd := exec.Command(opts.Executable, args...) //nolint:gosec // our own executable
	// A group of its own, so that Ctrl-C reaches the parent alone: it has rows to store first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start engine's process: %w", err)
	}
	p := &process{cmd: cmd, stdin: stdin, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.read(stderr, log)
		p.err = cmd.Wait()
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// read passes the engine's log on, line by line, and keeps the last lines for [process.failure].
func (p *process) read(r io.Reader, log *slog.Logger) {
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, isPrefix, err := lines.ReadLine()
		if err != nil {
			return
		}
		text := string(line)
		for isPrefix && err == nil { // what is longer than the buffer is not worth more
			_, isPrefix, err = lines.ReadLine()
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p.said.add(text)
		level, message := parseLine(text)
		log.Log(context.Background(), level, "Engine says", "message", message)
	}
}

// levels of the engine's log. Its errors are mostly those of queries, which whoever sent the
// query reports as well.
var levels = []struct {
	mark  string
	level slog.Level
}{
	{"<Fatal>", slog.LevelError},
	{"<Critical>", slog.LevelError},
	{"<Error>", slog.LevelWarn},
	{"<Warning>", slog.LevelWarn},
	{"<Information>", slog.LevelInfo},
}

// parseLine returns the level and the text of one line of the engine's log:
// "2026.11.22 18:32:19.916080 [ 1765 ] {query id} <Error> executeQuery: text". What has no
// level, such as the lines of a stack trace, is for debugging.
func parseLine(line string) (slog.Level, string) {
	for _, l := range levels {
		if _, message, ok := strings.Cut(line, l.mark); ok {
			return l.level, strings.TrimSpace(message)
		}
	}
	return slog.LevelDebug, line
}

// failure says why the process ended, as well as can be known. It is called after done.
func (p *process) failure() error {
	last := p.said.String()
	if strings.Contains(last, "Code: 76.") || strings.Contains(last, "Cannot lock file") {
		return fmt.Errorf("%w: is another evenkeel running with the same --storage.path? (%s)", ErrLocked, last)
	}
	err := p.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	if last == "" {
		return fmt.Errorf("the engine's process ended: %w", err)
	}
	return fmt.Errorf("the engine's process ended: %w: %s", err, last)
}

// stop closes the child's standard input, and kills it if it does not end then.
func (p *process) stop() {
	_ = p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// lastLines keeps the last line that names an error, or else the last line.
type lastLines struct {
	mu    sync.Mutex
	last  string
	error string
}

func (l *lastLines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = line
	if strings.Contains(line, "Code: ") || strings.Contains(line, "engine ended") || strings.Contains(line, "panic:") {
		l.error = line
	}
}

func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.error != "" {
		return l.error
	}
	return l.last
}
