package webhook

import (
	"io"
	"net/http"
	"time"
)

// A body comes at leastRate after a start of startGrace, and within bodyTimeout at all: who is
// slower holds a connection and memory for nothing.
const (
	startGrace  = 10 * time.Second
	leastRate   = 16 << 10 // bytes a second
	bodyTimeout = time.Minute
)

// pace sets the deadlines of the reads of one body. Where the server does not know
// deadlines (in some tests) it sets none.
type pace struct {
	control *http.ResponseController
	began   time.Time
	read    int64
	next    int64 // sets the next deadline from here on
	in      io.Reader
}

func newPace(w http.ResponseWriter, body io.Reader) *pace {
	return &pace{control: http.NewResponseController(w), began: time.Now(), in: body}
}

// Read implements [io.Reader].
func (p *pace) Read(b []byte) (int, error) {
	if p.read >= p.next {
		_ = p.control.SetReadDeadline(p.began.Add(min(startGrace+time.Duration(p.read)*time.Second/leastRate, bodyTimeout)))
		p.next = p.read + leastRate
	}
	n, err := p.in.Read(b)
	p.read += int64(n)
	return n, err
}

// end takes the deadline off a body that has come whole: from here on it is not the sender who is slow. Where
// it has not, the deadline ends what the server would still wait for.
func (p *pace) end() { _ = p.control.SetReadDeadline(time.Time{}) }
