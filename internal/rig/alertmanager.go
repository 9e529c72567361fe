package rig

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Alertmanager starts the Alertmanager of [parts.AlertmanagerVersion], alone (not
// in a cluster), with the configuration and further flags. Its page is a
// placeholder: it was built without the JavaScript of its user interface.
func Alertmanager(t testing.TB, config string, flags ...string) *Process {
	t.Helper()
	return alertmanager(t, parts.Alertmanager, config, flags)
}

// AlertmanagerOld starts Debian's Alertmanager, 0.25: the oldest that sites
// still run, with fewer fields in its webhook.
func AlertmanagerOld(t testing.TB, config string, flags ...string) *Process {
	t.Helper()
	return alertmanager(t, parts.AlertmanagerOld, config, flags)
}

func alertmanager(t testing.TB, rel, config string, flags []string) *Process {
	t.Helper()
	binary := part(t, rel)
	dir := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	args := append([]string{
		"--config.file=" + write(t, dir, "alertmanager.yml", config),
		"--storage.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address,
		"--cluster.listen-address=", // alone
	}, flags...)
	return Start(t, filepath.Base(binary), exec.Command(binary, args...), "http://"+address, "/-/ready")
}

// Amtool runs Debian's amtool and returns what it wrote to both outputs.
func Amtool(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return run(part(t, parts.Amtool), args...)
}
