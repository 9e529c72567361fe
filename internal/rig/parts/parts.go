// Package parts says where the components that tests need are kept once they
// are fetched. Package rig runs them; the command fetch puts them there.
package parts

import (
	"os"
	"path/filepath"
)

// AlertmanagerVersion is the release that tests build from source: the one in
// tools/alertmanager/go.mod.
const AlertmanagerVersion = "0.34.2"

// Folder returns the folder of all components: evenkeel/parts in the user's cache
// folder, which is $XDG_CACHE_HOME, else what the system names.
func Folder() (string, error) {
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "evenkeel", "parts"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".cache", "evenkeel", "parts"), nil
}

// The programs, as paths below [Folder]. What comes out of a Debian package keeps its
// paths below one folder for the package.
var (
	Prometheus      = filepath.Join("debian-prometheus", "usr", "bin", "prometheus")
	Promtool        = filepath.Join("debian-prometheus", "usr", "bin", "promtool")
	AlertmanagerOld = filepath.Join("debian-prometheus-alertmanager", "usr", "bin", "prometheus-alertmanager")
	Amtool          = filepath.Join("debian-prometheus-alertmanager", "usr", "bin", "amtool")
	Alertmanager    = filepath.Join("alertmanager-"+AlertmanagerVersion, "alertmanager")
)

// Chromium lists the names that the browser has on the PATH of different
// systems, best first.
var Chromium = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}
