package app

import (
	"fmt"
	"net"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkExposure refuses to listen where others can reach us unless they must
// authenticate, or the operator said that they need not.
func checkExposure(addresses []string, webConfigFile string, allowed bool) error {
	if allowed {
		return nil
	}
	authenticated, err := authenticates(webConfigFile)
	if err != nil || authenticated {
		return err
	}
	for _, address := range addresses {
		if !onLoopback(address) {
			return fmt.Errorf("refusing to listen on %q without authentication: give --web.config.file with basic_auth_users "+
				"or client certificates, listen on 127.0.0.1, or say --web.allow-unauthenticated", address)
		}
	}
	return nil
}

// authenticates tells whether the exporter-toolkit file asks for a password or a
// client certificate.
func authenticates(file string) (bool, error) {
	if file == "" {
		return false, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var web struct {
		Users map[string]string `yaml:"basic_auth_users"`
		TLS   struct {
			ClientAuth string `yaml:"client_auth_type"`
		} `yaml:"tls_server_config"`
	}
	if err := yaml.Unmarshal(b, &web); err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	certificate := web.TLS.ClientAuth == "RequireAndVerifyClientCert" || web.TLS.ClientAuth == "RequireAnyClientCert"
	return len(web.Users) > 0 || certificate, nil
}

// onLoopback tells whether only this machine can connect to address.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(strings.TrimPrefix(address, "tcp://"))
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
