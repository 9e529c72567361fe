package engine

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pinger asks the engine whether it serves.
type pinger struct {
	settings settings
	client   *http.Client
	dialer   net.Dialer
}

func newPinger(s settings) *pinger {
	return &pinger{
		settings: s,
		client:   &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		dialer:   net.Dialer{Timeout: 5 * time.Second},
	}
}

// ping returns nil if the service's user gets an answer over HTTP and the native port is open.
// Another program on the same port does not know the user.
func (p *pinger) ping(ctx context.Context) error {
	target := url.URL{Scheme: "http", Host: address(p.settings.HTTPPort), Path: "/"}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader("SELECT 1"))
	if err != nil {
		return err
	}
	req.Header.Set("X-ClickHouse-User", p.settings.User)
	req.Header.Set("X-ClickHouse-Key", p.settings.Password)
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the engine answers with HTTP status %d", resp.StatusCode)
	}
	// Read to the end: the engine logs a connection that is cut before.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	conn, err := p.dialer.DialContext(ctx, "tcp4", address(p.settings.TCPPort))
	if err != nil {
		return err
	}
	return conn.Close()
}
