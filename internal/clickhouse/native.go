package clickhouse

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	native "github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
)

const (
	// pingTimeout bounds the question whether an idle connection still leads to a server. One that takes
	// longer is replaced.
	pingTimeout = 2 * time.Second
	// maxBuffer is the largest buffer that a connection keeps while it is idle.
	maxBuffer = 4 << 20
)

// inserts are the connections over which rows are sent by the native protocol. They are apart from those of
// queries, whose driver takes rows value by value: that costs several times as much as writing columns.
type inserts struct {
	options *ch.Options
	client  native.Options
	dialer  interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}
	pingTimeout time.Duration
	open        chan struct{} // holds something for each connection in use
	dialled     atomic.Uint64 // how often a connection was made

	mu     sync.Mutex
	idle   []*link // the one that was used last is the last
	closed bool
}

// newInserts returns connections as the options say, which are made when they are needed.
func newInserts(o *ch.Options) (*inserts, error) {
	compression, known := compressions[o.Compression.Method]
	if !known {
		return nil, fmt.Errorf("the native protocol has no compression %s", o.Compression.Method)
	}
	s := &inserts{
		options:     o,
		dialer:      new(net.Dialer),
		pingTimeout: pingTimeout,
		open:        make(chan struct{}, o.MaxOpenConns),
		client: native.Options{
			Database:         o.Auth.Database,
			User:             o.Auth.Username,
			Password:         o.Auth.Password,
			ClientName:       products(o.ClientInfo),
			Compression:      compression,
			CompressionLevel: native.CompressionLevel(o.Compression.Level),
			Settings:         nativeSettings(o.Settings),
			// An insert has one deadline, that of its context: its server may be silent for long.
			ReadTimeout:      native.NoTimeout,
			HandshakeTimeout: o.DialTimeout,
		},
	}
	if o.TLS != nil {
		s.dialer = &tls.Dialer{Config: o.TLS}
	}
	return s, nil
}

var compressions = map[ch.CompressionMethod]native.Compression{
	ch.CompressionNone:  native.CompressionDisabled,
	ch.CompressionLZ4:   native.CompressionLZ4,
	ch.CompressionLZ4HC: native.CompressionLZ4HC,
	ch.CompressionZSTD:  native.CompressionZSTD,
}

// products names what the address says that the client is, for the server's query log.
func products(info ch.ClientInfo) string {
	var names []string
	for _, p := range info.Products {
		names = append(names, strings.TrimSuffix(p.Name+"/"+p.Version, "/"))
	}
	return strings.Join(names, " ")
}

func nativeSettings(settings ch.Settings) []native.Setting {
	var all []native.Setting
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, native.Setting{Key: name, Value: fmt.Sprint(settings[name]), Important: true})
	}
	return all
}

// insert sends rows in one query. When ctx ends, so does the attempt, whatever it waits for.
func (s *inserts) insert(ctx context.Context, n insertion) error {
	select {
	case s.open <- struct{}{}:
		defer func() { <-s.open }()
	case <-ctx.Done():
		return wrap("connect", ctx.Err())
	}
	l, err := s.acquire(ctx)
	if err != nil {
		return wrap("connect", err)
	}
	if err := l.insert(ctx, n); err != nil {
		l.close()
		if errors.Is(err, ErrAway) {
			s.closeIdle() // they lead to the same server, and each would cost an attempt
		}
		return err
	}
	s.release(l)
	return nil
}

// acquire returns a connection that leads to a server: an idle one or a new one.
func (s *inserts) acquire(ctx context.Context) (*link, error) {
	l, err := s.takeIdle()
	if err != nil {
		return nil, err
	}
	if l != nil {
		if l.alive(ctx, s.pingTimeout) {
			return l, nil
		}
		l.close()
		s.closeIdle() // they have been idle for longer
	}
	return s.dial(ctx)
}

// takeIdle returns the connection that was used last, nil where none is idle.
func (s *inserts) takeIdle() (*link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ch.ErrConnectionClosed
	}
	s.idle = slices.DeleteFunc(s.idle, func(l *link) bool {
		old := time.Since(l.made) >= s.options.ConnMaxLifetime
		if old {
			l.close()
		}
		return old
	})
	if len(s.idle) == 0 {
		return nil, nil
	}
	l := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	return l, nil
}

// release keeps the connection for the next insert, unless its buffers have grown large.
func (s *inserts) release(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || cap(l.buffer.Buf) > maxBuffer {
		l.close()
		return
	}
	s.idle = append(s.idle, l)
}

// close closes the idle connections now, and the others when their inserts end.
func (s *inserts) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.closeIdle()
}

func (s *inserts) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.idle {
		l.close()
	}
	s.idle = nil
}

// dial connects to the first of the servers that can be reached, in the order that the address asks for.
func (s *inserts) dial(ctx context.Context) (*link, error) {
	addresses := s.options.Addr
	first := 0
	switch turn := s.dialled.Add(1); s.options.ConnOpenStrategy {
	case ch.ConnOpenRoundRobin:
		first = int(turn % uint64(len(addresses)))
	case ch.ConnOpenRandom:
		first = rand.IntN(len(addresses))
	}
	err := ch.ErrAcquireConnNoAddress
	for i := range addresses {
		var l *link
		if l, err = s.dialOne(ctx, addresses[(first+i)%len(addresses)]); err == nil {
			return l, nil
		}
	}
	return nil, err
}

func (s *inserts) dialOne(ctx context.Context, address string) (_ *link, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.DialTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", address, cmp.Or(ctx.Err(), err))
		}
	}()
	l := &link{buffer: new(proto.Buffer), made: time.Now()}
	conn, err := s.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l.raw = conn
	if secured, ok := conn.(*tls.Conn); ok {
		l.raw = secured.NetConn()
	}
	stop := context.AfterFunc(ctx, l.close) // the client looks at the context in some places only
	defer stop()
	if l.client, err = native.ConnectWithBuffer(ctx, conn, s.client, l.buffer); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}
