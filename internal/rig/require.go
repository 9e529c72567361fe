package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Missing ends t because something that it needs is not on this machine: as a skip, or
// as a failure where EVENKEEL_REQUIRE=1 says that nothing may be left out. The text
// says what is missing and how to get it.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	reason := fmt.Sprintf(format, args...)
	if os.Getenv("EVENKEEL_REQUIRE") == "1" {
		t.Fatalf("%s (EVENKEEL_REQUIRE=1 allows no skip)", reason)
	}
	recordSkip(t, reason)
	t.Skipf("DID NOT RUN: %s", reason)
}

// recordSkip adds a line to the list that `make test` shows at its end.
func recordSkip(t testing.TB, reason string) {
	t.Helper()
	list := os.Getenv("EVENKEEL_SKIPS")
	if list == "" {
		return
	}
	f, err := os.OpenFile(list, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Logf("the skip is not listed: %v", err)
		return
	}
	defer func() { _ = f.Close() }()
	if _, err := fmt.Fprintf(f, "%s: %s\n", t.Name(), reason); err != nil {
		t.Logf("the skip is not listed: %v", err)
	}
}

// Shared returns the path of rel below the folder of recorded deliveries and reference
// results that EVENKEEL_SHARED names. Such files are not part of the
// repository, so a test that reads them does not run without it.
func Shared(t testing.TB, rel string) string {
	t.Helper()
	folder := os.Getenv("EVENKEEL_SHARED")
	if folder == "" {
		Missing(t, "set EVENKEEL_SHARED to the folder that holds %s", rel)
	}
	path := filepath.Join(folder, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "EVENKEEL_SHARED: %v", err)
	}
	return path
}

// Root returns the folder of the repository: the nearest one above the
// test's that holds a go.mod.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			t.Fatal("no go.mod above the test's folder")
		}
		folder = parent
	}
}
