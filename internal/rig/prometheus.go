package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Prometheus starts Debian's Prometheus (2.42) with the configuration and, as rules.yml
// beside it, the rules; the configuration names that file where it wants it. An
// empty rules writes no file.
func Prometheus(t testing.TB, config, rules string, flags ...string) *Process {
	t.Helper()
	binary := part(t, parts.Prometheus)
	dir := t.TempDir()
	file := write(t, dir, "prometheus.yml", config)
	if rules != "" {
		write(t, dir, "rules.yml", rules)
	}
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	args := append([]string{
		"--config.file=" + file,
		"--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address,
		"--web.enable-lifecycle",
		// It knows its Alertmanagers only after 5 s; what fired before is sent again after this.
		"--rules.alert.resend-delay=1s",
	}, flags...)
	return Start(t, "prometheus", exec.Command(binary, args...), "http://"+address, "/-/ready")
}

// Promtool runs Debian's promtool and returns what it wrote to both outputs.
func Promtool(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return run(part(t, parts.Promtool), args...)
}

// part returns the path of a fetched program.
func part(t testing.TB, rel string) string {
	t.Helper()
	folder, err := parts.Folder()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, rel)
	if _, err := os.Stat(path); err != nil {
		Missing(t, "%s is not there: run make fetch", path)
	}
	return path
}

func run(binary string, args ...string) (string, error) {
	out, err := exec.Command(binary, args...).CombinedOutput()
	return string(out), err
}

func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
