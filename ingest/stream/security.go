package stream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/evenkeel/evenkeel/ingest"
)

// dialTimeout bounds how long one broker may keep a connection waiting.
const dialTimeout = 5 * time.Second

// wires are the two ways in which kafka-go reaches brokers: readers and groups dial, requests
// and writers go over a transport.
type wires struct {
	dialer    *kafka.Dialer
	transport *kafka.Transport
}

func newWires(c Config, clientID string) (wires, error) {
	secured, err := c.TLS.Config()
	if err != nil {
		return wires{}, fmt.Errorf("tls: %w", err)
	}
	w := wires{
		dialer:    &kafka.Dialer{ClientID: clientID, Timeout: dialTimeout, DualStack: true, TLS: secured},
		transport: &kafka.Transport{ClientID: clientID, DialTimeout: dialTimeout, TLS: secured},
	}
	login, err := c.SASL.Login()
	if err != nil {
		return wires{}, fmt.Errorf("sasl: %w", err)
	}
	w.dialer.SASLMechanism, w.transport.SASL = login, login
	return w, nil
}

// client asks for at most so long.
func (w wires) client(brokers []string, timeout time.Duration) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: timeout, Transport: w.transport}
}

// Config returns what t comes to, nil for a nil TLS. Certificates of this client are read at each handshake.
func (t *TLS) Config() (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		text, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: %s holds no certificate in PEM", t.CAFile)
		}
	}
	if t.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			return nil, fmt.Errorf("cert_file: %w", err)
		}
		// Read at each handshake, so that a renewed certificate is used.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &pair, err
		}
	}
	return c, nil
}

// Login returns how s logs in, nil for a nil SASL. A password that cannot be read now is an error; it is read
// again at each connection.
func (s *SASL) Login() (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil
	}
	if _, err := s.password(); err != nil {
		return nil, err
	}
	return login{*s}, nil
}

// login is a mechanism of SASL that reads the password when it is needed.
type login struct{ SASL }

// Name implements [sasl.Mechanism].
func (l login) Name() string { return l.Mechanism }

// Start implements [sasl.Mechanism].
func (l login) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	password, err := l.password()
	if err != nil {
		return nil, nil, err
	}
	if l.Mechanism == "PLAIN" {
		return plain.Mechanism{Username: l.Username, Password: password}.Start(ctx)
	}
	algorithm := scram.SHA256
	if l.Mechanism == "SCRAM-SHA-512" {
		algorithm = scram.SHA512
	}
	m, err := scram.Mechanism(algorithm, l.Username, password)
	if err != nil {
		return nil, nil, err
	}
	return m.Start(ctx)
}

// password reads the file of the password.
func (s SASL) password() (string, error) {
	text, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	return ingest.Password(text), nil
}
