package rig

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePort returns a TCP port of 127.0.0.1 on which nothing listens. It lies below the
// ports that systems give to outgoing connections, so that none of those takes
// it before the component that it is for listens.
func FreePort(t testing.TB) int {
	t.Helper()
	const first, last = 15_000, 32_000
	var listen net.ListenConfig
	for range 100 {
		port := first + rand.IntN(last-first)
		l, err := listen.Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return port
	}
	t.Fatalf("no free port between %d and %d in 100 tries", first, last)
	return 0
}
