package rig

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// devtools speaks the Chrome DevTools Protocol over two pipes: JSON messages
// that end in a zero byte, no port and no websocket.
type devtools struct {
	in, out   *os.File // to and from the browser
	theirs    []*os.File
	mu        sync.Mutex
	last      int
	waiting   map[int]chan message
	listeners map[string]func(method string, params json.RawMessage)
	expected  map[string]chan struct{}
	closed    chan struct{}
}

type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// newDevtools gives cmd, which is not started yet, the pipes as its descriptors 3 and 4.
func newDevtools(cmd *exec.Cmd) (*devtools, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), in.Close())
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	return &devtools{
		in: in, out: out, theirs: cmd.ExtraFiles,
		waiting:   map[int]chan message{},
		listeners: map[string]func(string, json.RawMessage){},
		expected:  map[string]chan struct{}{},
		closed:    make(chan struct{}),
	}, nil
}

// serve begins to read, once the browser runs.
func (d *devtools) serve() {
	for _, f := range d.theirs {
		_ = f.Close() // the browser has its own copies
	}
	go d.read()
}

// read hands every message to who waits for it, until the browser closes its end.
func (d *devtools) read() {
	defer close(d.closed)
	defer func() { _ = d.out.Close(); _ = d.in.Close() }()
	r := bufio.NewReader(d.out)
	for {
		line, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(line[:len(line)-1], &m) == nil {
			d.dispatch(m)
		}
	}
}

func (d *devtools) dispatch(m message) {
	d.mu.Lock()
	answer, listener := d.waiting[m.ID], d.listeners[m.SessionID]
	delete(d.waiting, m.ID)
	expected := d.expected[m.SessionID+m.Method]
	if m.Method != "" {
		delete(d.expected, m.SessionID+m.Method)
	}
	d.mu.Unlock()
	if m.Method == "" {
		if answer != nil {
			answer <- m
		}
		return
	}
	if listener != nil {
		listener(m.Method, m.Params)
	}
	if expected != nil {
		close(expected)
	}
}

// listen calls f with every event of the session, one after another.
func (d *devtools) listen(session string, f func(method string, params json.RawMessage)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listeners[session] = f
}

// expect returns a channel that closes at the session's next event of that name.
func (d *devtools) expect(session, method string) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan struct{})
	d.expected[session+method] = c
	return c
}

// call sends a command to the session, "" being the browser itself, waits for its
// answer and decodes it into result, which may be nil.
func (d *devtools) call(session, method string, params map[string]any, result any) error {
	answer, err := d.send(session, method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-d.closed:
		return fmt.Errorf("%s: the browser has ended", method)
	case <-time.After(readyWithin):
		return fmt.Errorf("%s: no answer after %s", method, readyWithin)
	}
}

func (d *devtools) send(session, method string, params map[string]any) (<-chan message, error) {
	body, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	if params == nil {
		body = []byte("{}")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	line, err := json.Marshal(message{ID: d.last, SessionID: session, Method: method, Params: body})
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	d.waiting[d.last] = answer
	_, err = d.in.Write(append(line, 0))
	return answer, err
}
