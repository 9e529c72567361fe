package app

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestConnectionsBeyondTheLimitWaitUntilOneIsClosed(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	all := newConnections(1, prometheus.NewRegistry())
	l := all.listener(inner)
	dial := func() {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	dial()
	dial()
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan net.Conn)
	go func() {
		if c, err := l.Accept(); err == nil {
			second <- c
		}
	}()
	select {
	case <-second:
		t.Fatal("a second connection was accepted beside the first")
	case <-time.After(20 * time.Millisecond):
	}
	if n := testutil.ToFloat64(all.open); n != 1 {
		t.Errorf("%g are open", n)
	}
	for range 2 { // closing twice makes room once
		_ = first.Close()
	}
	c := <-second
	stopped := make(chan error)
	go func() {
		_, err := l.Accept()
		stopped <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-stopped; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	_ = c.Close()
	if n := testutil.ToFloat64(all.open); n != 0 {
		t.Errorf("%g are open", n)
	}
}
