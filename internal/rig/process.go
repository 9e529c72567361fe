package rig

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	readyWithin = 30 * time.Second // for a busy machine; each of them is ready in under one when idle
	stopWithin  = 10 * time.Second
)

// Process is a component that runs for one test.
type Process struct {
	// URL is where it listens: http://127.0.0.1:PORT, without a slash at the end.
	URL string

	name string
	cmd  *exec.Cmd
	log  LogBuffer
	done chan struct{} // closed when it has ended
	err  error         // how; read after done
}

// Start runs cmd until t ends, and returns when url + path answers 200. An empty path
// waits for nothing. The log is shown where t fails.
func Start(t testing.TB, name string, cmd *exec.Cmd, url, path string) *Process {
	t.Helper()
	p := &Process{URL: url, name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = p.Stop() // a component that is told to stop may end with any status
		if t.Failed() {
			t.Logf("log of %s:\n%s", name, p.log.tail(16<<10))
		}
	})
	if path != "" {
		p.waitReady(t, url+path)
	}
	return p
}

// run starts the process, waits for its end, and keeps its thread meanwhile: the
// signal that ends the child with its parent follows the thread that started it.
func (p *Process) run(started chan<- error) {
	unlock := dieWithParent(p.cmd)
	defer unlock()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
	}
	close(p.done)
}

// Log returns what the process has written so far.
func (p *Process) Log() string { return p.log.String() }

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends s to the process; SIGHUP makes Prometheus and Alertmanager reload.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %s: %v", p.name, err)
	}
}

// Stop ends the process, politely first, and returns how it ended. Stopping
// what has ended is nothing.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return p.err
}

// Kill ends the process at once, as a crash would, and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

func (p *Process) waitReady(t testing.TB, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
	defer cancel()
	for {
		status, err := get(ctx, url)
		if err == nil && status == http.StatusOK {
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended before it was ready: %v", p.name, p.err)
		case <-ctx.Done():
			t.Fatalf("%s is not ready after %s: GET %s: status %d, %v", p.name, readyWithin, url, status, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// LogBuffer is what something writes while the test reads it.
type LogBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements [io.Writer].
func (b *LogBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns all of it.
func (b *LogBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// tail returns the last n bytes, and says so when there are more.
func (b *LogBuffer) tail(n int) string {
	text := b.String()
	if len(text) <= n {
		return text
	}
	return fmt.Sprintf("… %d bytes before …\n%s", len(text)-n, text[len(text)-n:])
}
