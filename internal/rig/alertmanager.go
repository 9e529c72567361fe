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
	return alertmanager(t, exec.Command(part(t, parts.Alertmanager)), config, flags)
}

// AlertmanagerOld starts Debian's Alertmanager, 0.25: the oldest that sites
// still run, with fewer fields in its webhook.
func AlertmanagerOld(t testing.TB, config string, flags ...string) *Process {
	t.Helper()
	cmd := exec.Command(part(t, parts.AlertmanagerOld))
	cmd.Dir = filepath.Join(filepath.Dir(cmd.Path), "..", "..") // the package's: its templates are found from there
	return alertmanager(t, cmd, config, flags)
}

func alertmanager(t testing.TB, cmd *exec.Cmd, config string, flags []string) *Process {
	t.Helper()
	dir := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	cmd.Args = append(cmd.Args,
		"--config.file="+write(t, dir, "alertmanager.yml", config),
		"--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address,
		"--cluster.listen-address=", // alone
	)
	cmd.Args = append(cmd.Args, flags...)
	return Start(t, filepath.Base(cmd.Path), cmd, "http://"+address, "/-/ready")
}

// Amtool runs Debian's amtool and returns what it wrote to both outputs.
func Amtool(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return run(part(t, parts.Amtool), args...)
}

// AmtoolCurrent runs the amtool of [parts.AlertmanagerVersion] and returns what it wrote to both outputs.
func AmtoolCurrent(t testing.TB, args ...string) (string, error) {
	t.Helper()
	return run(part(t, parts.AmtoolCurrent), args...)
}
