package engine

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// errPortTaken says that the engine cannot listen.
var errPortTaken = errors.New("the engine's port is taken or not allowed")

// choosePorts returns the ports to listen on: those that are wanted, if they are free, and
// free ones for what is 0.
func choosePorts(tcp, http int) (int, int, error) {
	// Both are held until both are known, so that they differ.
	t, err := listen(tcp)
	if err != nil {
		return 0, 0, err
	}
	defer t.Close()
	h, err := listen(http)
	if err != nil {
		return 0, 0, err
	}
	defer h.Close()
	return portOf(t), portOf(h), nil
}

func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp4", address(port))
	if err != nil {
		return nil, fmt.Errorf("%w: %d: %w", errPortTaken, port, err)
	}
	return l, nil
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
