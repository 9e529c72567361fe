package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/config"
)

func TestOnlyTheLoopbackIsServedWithoutAuthentication(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	users := file("users.yml", "basic_auth_users: {alice: $2y$10$hash}\n")
	tlsOnly := file("tls.yml", "tls_server_config: {cert_file: a, key_file: b}\n")
	certificates := file("certificates.yml", "tls_server_config: {client_auth_type: RequireAndVerifyClientCert}\n")
	for _, c := range []struct {
		name, address, web string
		allowed, ok        bool
	}{
		{"the loopback", "127.0.0.1:9095", "", false, true},
		{"the loopback by name", "localhost:9095", "", false, true},
		{"the loopback of IPv6", "[::1]:9095", "", false, true},
		{"every address", ":9095", "", false, false},
		{"every address, written out", "0.0.0.0:9095", "", false, false},
		{"an address of the network", "192.0.2.7:9095", "", false, false},
		{"a name that may be anything", "monitoring:9095", "", false, false},
		{"with passwords", ":9095", users, false, true},
		{"with client certificates", ":9095", certificates, false, true},
		{"with TLS that lets everybody in", ":9095", tlsOnly, false, false},
		{"where the operator says so", ":9095", "", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkExposure([]string{"127.0.0.1:1", c.address}, c.web, c.allowed)
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "--web.allow-unauthenticated") {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
	if err := checkExposure([]string{":9095"}, filepath.Join(dir, "missing.yml"), false); err == nil {
		t.Error("a web configuration that is not there was taken for authentication")
	}
}

func TestTheAddressOfAServerGetsItsDatabaseAndPassword(t *testing.T) {
	for _, c := range []struct{ dsn, password, want string }{
		{"clickhouse://ch:9000", "", "clickhouse://ch:9000/evenkeel"},
		{"clickhouse://ch:9000/mine", "", "clickhouse://ch:9000/mine"},
		{"clickhouse://alice@ch:9000", "p@ss", "clickhouse://alice:p%40ss@ch:9000/evenkeel"},
		{"https://ch:8443?secure=true", "x", "https://default:x@ch:8443/evenkeel?secure=true"},
	} {
		got, err := withCredentials(c.dsn, "evenkeel", c.password)
		if err != nil || got != c.want {
			t.Errorf("withCredentials(%q) = %q, %v; want %q", c.dsn, got, err, c.want)
		}
	}
}

func TestAPasswordFileMayComeFromAnyEditor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for _, text := range []string{"secret", "secret\n", "secret\r\n", "\ufeffsecret\r\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := externalDSN(config.ClickHouse{DSN: "clickhouse://ch:9000", Database: "evenkeel", PasswordFile: file})
		if want := "clickhouse://default:secret@ch:9000/evenkeel"; err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
}
