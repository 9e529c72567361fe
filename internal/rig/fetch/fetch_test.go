//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAnInterruptedFetchLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	broken := errors.New("broken off")
	err := inPlace(folder, "part", func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o600), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAFetchReplacesWhatIsThereInOneStep(t *testing.T) {
	folder := t.TempDir()
	for _, content := range []string{"old", "new"} {
		err := inPlace(folder, "part", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(folder, "part", "file")); err != nil || string(got) != content {
			t.Errorf("the file holds %q, %v", got, err)
		}
	}
}

func TestWhatIsThereIsNotFetchedAgainAndWhatCannotBeFetchedIsReported(t *testing.T) {
	there := component{present: func() bool { return true }, fetch: func() error { t.Error("fetched again"); return nil }}
	if !ensure(there) {
		t.Error("what is there is called missing")
	}
	lost := component{name: "lost", present: func() bool { return false }, fetch: func() error { return errors.New("no network") }}
	if ensure(lost) {
		t.Error("what could not be fetched is called present")
	}
}

func TestDebiansAlertmanagerIsMadeToFindItsTemplates(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "usr", "bin", "prometheus-alertmanager")
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	for before, after := range map[string]string{
		"a/usr/share/prometheus/alertmanagerb": "ausr//share/prometheus/alertmanagerb",
		"no path":                              "no path",
	} {
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := relocateAlertmanager(dir); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != after {
			t.Errorf("%q became %q, %v", before, got, err)
		}
	}
}
