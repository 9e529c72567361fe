// Package parts says where the components that tests need are kept once they
// are fetched. Package rig runs them; the command fetch puts them there.
package parts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// AlertmanagerVersion is the release that tests build from source: the one in
// tools/alertmanager/go.mod.
const AlertmanagerVersion = "0.34.2"

// KafkaVersion is the release of the broker that tests run.
const KafkaVersion = "4.4.0"

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
	KafkaJars       = filepath.Join("kafka-"+KafkaVersion, "lib") // a folder: the class path is all of it
	Kcat            = filepath.Join("debian-kcat", KcatProgram)
	Alertmanager    = filepath.Join("alertmanager-"+AlertmanagerVersion, "alertmanager")
	AmtoolCurrent   = filepath.Join("amtool-"+AlertmanagerVersion, "amtool")
)

// Chromium lists the names that the browser has on the PATH of different
// systems, best first.
var Chromium = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"}

// KcatProgram is kcat below the folder of its package.
const KcatProgram = "usr/bin/kcat"

// KcatLibraries returns the folder of the libraries that came with kcat, as LD_LIBRARY_PATH
// takes it; "" where there is none. Debian names it after the machine.
func KcatLibraries(dir string) string {
	found, err := filepath.Glob(filepath.Join(dir, "usr", "lib", "*", "librdkafka.so.1"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[0])
}

// oldestJava is what the broker runs on.
const oldestJava = 17

var javaVersion = regexp.MustCompile(`version "(\d+)`)

// Java returns the path of a Java of at least version 17: that of JAVA_HOME, else the one on
// the PATH; "" where there is none.
func Java() string {
	for _, name := range []string{filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"), "java"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "-version").CombinedOutput()
		if err != nil {
			continue
		}
		if found := javaVersion.FindSubmatch(out); found != nil {
			if n, err := strconv.Atoi(string(found[1])); err == nil && n >= oldestJava {
				return path
			}
		}
	}
	return ""
}
