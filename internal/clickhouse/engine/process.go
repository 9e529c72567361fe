package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is one child. Its standard input is the pipe that ends it.
type process struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	done   chan struct{} // closed when it has ended and all that it said was read
	err    error         // how it ended; read after done
	reason string        // what it said of that; read after done
}

func startProcess(opts Options, config string, log *slog.Logger) (*process, error) {
	args := append(append([]string{}, opts.Args...), opts.Library, config)
	cmd := exec.Command(opts.Executable, args...)
	// A group of its own, so that Ctrl-C reaches the parent alone: it has rows to store first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "TZ=UTC")
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

// read passes the engine's log on, line by line, and keeps what [process.failure] tells.
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
		level, message := parseLine(text)
		if isReason(text) && (p.reason == "" || !strings.Contains(text, childPrefix)) {
			p.reason = message // ours is less than the engine's own
		}
		log.Log(context.Background(), level, "Engine says", "message", message)
	}
}

// isReason says whether a line tells why the process ends: it is ours, the engine's last word
// (without date and level), or that of a Go program that crashes.
func isReason(line string) bool {
	if strings.HasPrefix(line, "Code: ") {
		return true
	}
	for _, mark := range []string{childPrefix, "<Fatal>", "panic: ", "fatal error: "} {
		if strings.Contains(line, mark) {
			return true
		}
	}
	return false
}

// levels of the engine's log. Its errors are mostly those of queries, which whoever sent the
// query reports as well.
var levels = []struct {
	mark  string
	level slog.Level
}{
	{childPrefix, slog.LevelError},
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
	reason := p.reason
	if strings.Contains(reason, "Code: 76.") || strings.Contains(reason, "Cannot lock file") {
		return fmt.Errorf("%w: %s (%s)", ErrLocked, anotherHint, reason)
	}
	if strings.Contains(reason, "Address already in use") {
		return fmt.Errorf("%w: %s", errPortTaken, reason)
	}
	err := p.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	if reason == "" {
		return fmt.Errorf("the engine's process ended: %w", err)
	}
	return fmt.Errorf("the engine's process ended: %w: %s", err, reason)
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
