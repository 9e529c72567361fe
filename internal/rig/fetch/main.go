//go:build unix

// Command fetch gets the components that the tests run beside Evenkeel: the
// ClickHouse engine, Prometheus and an older Alertmanager out of Debian packages (which
// are unpacked, never installed: installing them would start daemons), a current
// Alertmanager and amtool built from their module, a Kafka broker by Maven with the Java that it runs on,
// kcat, Chromium, and a C compiler for the race detector.
//
// It does only what is not done yet, says what it does, and puts each
// component in place in one step, so that an interrupted run leaves nothing half done. Two runs
// at once wait for each other. What this machine cannot get is said
// with the tests that will not run; that is a failure only with EVENKEEL_REQUIRE=1.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// component is one thing that tests need.
type component struct {
	name    string
	present func() bool
	fetch   func() error
	without string // what does not run without it
}

func main() {
	if err := fetchAll(); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

func fetchAll() error {
	folder, err := parts.Folder()
	if err != nil {
		return err
	}
	unlock, err := lock(folder)
	if err != nil {
		return err
	}
	defer unlock()
	var missing int
	for _, c := range components(folder) {
		if !ensure(c) {
			missing++
		}
	}
	if missing > 0 && os.Getenv("EVENKEEL_REQUIRE") == "1" {
		return fmt.Errorf("%d components are missing, and EVENKEEL_REQUIRE=1 allows none", missing)
	}
	return nil
}

func components(folder string) []component {
	in := func(rel string) func() bool {
		return func() bool { _, err := os.Stat(filepath.Join(folder, rel)); return err == nil }
	}
	return []component{
		{
			name:    "C compiler",
			present: func() bool { return onPath("gcc", "cc", "clang") },
			fetch:   func() error { return install("gcc", "libc6-dev") },
			without: "the race detector: tests run without -race",
		}, {
			name:    "ClickHouse engine",
			present: func() bool { _, err := engine.Path(); return err == nil },
			fetch:   func() error { _, err := engine.Fetch(context.Background(), os.Stderr); return err },
			without: "everything that reads or writes ClickHouse",
		}, {
			name:    "Prometheus",
			present: in(parts.Prometheus),
			fetch:   func() error { return unpack(folder, nil, "prometheus") },
			without: "the end-to-end tests, and the check of the compose files",
		}, {
			name:    "old Alertmanager",
			present: in(parts.AlertmanagerOld),
			fetch:   func() error { return unpack(folder, relocateAlertmanager, "prometheus-alertmanager") },
			without: "the tests against an older Alertmanager, and those with amtool",
		}, {
			name:    "Alertmanager " + parts.AlertmanagerVersion,
			present: in(parts.Alertmanager),
			fetch:   func() error { return buildOfAlertmanager(folder, "alertmanager") },
			without: "the end-to-end tests",
		}, {
			name:    "amtool " + parts.AlertmanagerVersion,
			present: in(parts.AmtoolCurrent),
			fetch:   func() error { return buildOfAlertmanager(folder, "amtool") },
			without: "the tests with a current amtool",
		}, {
			name:    "Java",
			present: func() bool { return parts.Java() != "" },
			fetch:   installJava,
			without: "everything that reads or writes Kafka",
		}, {
			name:    "Kafka " + parts.KafkaVersion,
			present: in(parts.KafkaJars),
			fetch:   func() error { return copyKafka(folder) },
			without: "everything that reads or writes Kafka",
		}, {
			name:    "kcat",
			present: in(parts.Kcat),
			fetch:   func() error { return unpack(folder, runsHere, "kcat", "librdkafka1", "libyajl2", "libsasl2-2") },
			without: "the tests with kcat, a Kafka client that is not ours",
		}, {
			name:    "Chromium",
			present: func() bool { return onPath(parts.Chromium...) },
			fetch:   func() error { return install("chromium", "fonts-dejavu-core") },
			without: "the tests that look at pages in a browser",
		},
	}
}

// ensure fetches c where it is not there, and reports whether it is there at the end.
func ensure(c component) bool {
	if c.present() {
		return true
	}
	begun := time.Now()
	if err := c.fetch(); err != nil {
		fmt.Fprintf(os.Stderr, "fetch: NO %s: %v\n       This will not run: %s.\n", c.name, err, c.without)
		return false
	}
	if took := time.Since(begun); took > time.Second {
		fmt.Fprintf(os.Stderr, "fetch: %s is there after %s\n", c.name, took.Round(100*time.Millisecond))
	}
	return true
}

// lock makes this the only fetch into folder.
func lock(folder string) (unlock func(), err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(folder, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		say("another fetch is running: waiting for it")
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
	return func() { _ = f.Close() }, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "fetch: "+format+"\n", args...) }
