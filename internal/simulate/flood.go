package simulate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Flood posts alerts as Prometheus does (API v2), by default as fast as they are taken: what benchmarks load
// a service with. It costs as little as it can, so that the service has the machine.
type Flood struct {
	Address     string // host:port
	Path        string
	Connections int
	Batch       int // alerts in a request
	// Open is how many alerts there are, and Distinct makes every one a new one instead. An alert
	// that is sent again says the same but for its end, which Prometheus puts off each time.
	Open     int
	Distinct bool
	Rate     float64 // alerts a second, from all connections together; 0 is as many as are taken
	Most     int     // alerts; 0 is until the context ends
}

// FloodServices is of how many services the alerts of a flood are.
const FloodServices = 32

// FloodService is the name of one of them.
func FloodService(n int) string { return fmt.Sprintf("service-%02d", n%FloodServices) }

// Flooded is what a flood found.
type Flooded struct {
	Requests  int
	Alerts    int
	Refused   int // requests that were not answered 200
	Took      time.Duration
	Latencies []time.Duration // of each request, ascending
}

// Quantile returns the latency that a share q of the requests did not exceed.
func (f Flooded) Quantile(q float64) time.Duration {
	if len(f.Latencies) == 0 {
		return 0
	}
	return f.Latencies[min(int(q*float64(len(f.Latencies))), len(f.Latencies)-1)]
}

// Run posts until ctx ends, or all is posted.
func (f Flood) Run(ctx context.Context) (Flooded, error) {
	began := time.Now()
	parts, errs := make([]Flooded, f.Connections), make([]error, f.Connections)
	var senders sync.WaitGroup
	for i := range f.Connections {
		senders.Go(func() { parts[i], errs[i] = f.sender(i).run(ctx) })
	}
	senders.Wait()
	all := Flooded{Took: time.Since(began)}
	for _, p := range parts {
		all.Requests += p.Requests
		all.Alerts += p.Alerts
		all.Refused += p.Refused
		all.Latencies = append(all.Latencies, p.Latencies...)
	}
	slices.Sort(all.Latencies)
	return all, errors.Join(errs...)
}

// The digits of an alert's number and of its end are written over in place.
const (
	floodNumber = "000000000000"
	floodEnd    = "2006-01-02T15:04:05.000Z"
)

// floodSender is one connection with its requests, ready made.
type floodSender struct {
	flood    Flood
	number   int
	requests []floodRequest
}

// floodRequest is a request as it goes over the wire, and where in it what changes stands.
type floodRequest struct {
	bytes         []byte
	numbers, ends []int
}

func (f Flood) sender(connection int) *floodSender {
	s := &floodSender{flood: f, number: connection}
	sets := 1
	if !f.Distinct {
		sets = max(1, f.Open/f.Connections/f.Batch)
	}
	for range sets {
		r := f.request()
		s.renumber(r)
		s.requests = append(s.requests, r)
	}
	return s
}

// renumber makes the request's alerts other alerts.
func (s *floodSender) renumber(r floodRequest) {
	for _, at := range r.numbers {
		s.number += s.flood.Connections
		n := s.number
		for i := len(floodNumber) - 1; i >= 0; i-- {
			r.bytes[at+i] = byte('0' + n%10)
			n /= 10
		}
	}
}

func (f Flood) request() floodRequest {
	var body bytes.Buffer
	var r floodRequest
	body.WriteByte('[')
	for i := range f.Batch {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`{"annotations":{"description":"Error rate of cart is above 5 percent since ten minutes, and has been rising since the last deployment","runbook_url":"https://runbooks.example.org/HighErrorRate","summary":"High error rate"},"endsAt":"`)
		r.ends = append(r.ends, body.Len())
		body.WriteString(floodEnd + `","startsAt":"2026-11-22T11:54:21.366Z","generatorURL":"http://prometheus.example.org:9090/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+0.05\u0026g0.tab=1","labels":{"alertname":"HighErrorRate","cluster":"prod-eu-1","instance":"10-0-`)
		r.numbers = append(r.numbers, body.Len())
		fmt.Fprintf(&body, `%s:9100","job":"node","namespace":"shop","pod":"cart-%x","service":"%s","severity":"critical","team":"payments"}}`, floodNumber, i*7919, FloodService(i))
	}
	body.WriteByte(']')
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", f.Path, f.Address, body.Len())
	r.bytes = append([]byte(head), body.Bytes()...)
	for i := range r.ends {
		r.ends[i] += len(head)
		r.numbers[i] += len(head)
	}
	return r
}

func (s *floodSender) run(ctx context.Context) (Flooded, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.flood.Address)
	if err != nil {
		return Flooded{}, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	var f Flooded
	opened := time.Now()
	for s.flood.Most == 0 || f.Alerts < s.flood.Most/s.flood.Connections {
		if s.flood.Rate > 0 {
			due := float64(f.Requests*s.flood.Batch*s.flood.Connections) / s.flood.Rate
			time.Sleep(time.Until(opened.Add(time.Duration(due * float64(time.Second)))))
		}
		if ctx.Err() != nil {
			return f, nil
		}
		r := s.requests[f.Requests%len(s.requests)]
		if s.flood.Distinct {
			s.renumber(r)
		}
		end := time.Now().Add(4 * time.Minute).UTC().Format(floodEnd)
		for _, at := range r.ends {
			copy(r.bytes[at:], end)
		}
		began := time.Now()
		status, err := exchange(conn, answers, r.bytes)
		if err != nil {
			return f, err
		}
		f.Latencies = append(f.Latencies, time.Since(began))
		f.Requests++
		if status == http.StatusOK {
			f.Alerts += s.flood.Batch
		} else {
			f.Refused++
		}
	}
	return f, nil
}

func exchange(conn net.Conn, answers *bufio.Reader, request []byte) (status int, err error) {
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}
