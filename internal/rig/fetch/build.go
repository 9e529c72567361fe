//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// buildOfAlertmanager builds a program of Alertmanager from the module that go.mod pins, in a copy: it
// embeds a user interface that the module does not carry, files of the module cache
// cannot be overlaid, and its programs need modules that are not ours.
func buildOfAlertmanager(folder, program string) error {
	source, err := alertmanagerSource()
	if err != nil {
		return err
	}
	return inPlace(folder, program+"-"+parts.AlertmanagerVersion, func(dir string) error {
		say("building %s %s from its module, about a minute", program, parts.AlertmanagerVersion)
		tree, err := os.MkdirTemp("", "evenkeel-alertmanager-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(tree) }()
		if err := copyWithPage(source, tree); err != nil {
			return err
		}
		version := "-s -w -X github.com/prometheus/common/version.Version=" + parts.AlertmanagerVersion
		return command(tree, "go", "build", "-trimpath", "-ldflags="+version, "-o", dir, "./cmd/"+program)
	})
}

// alertmanagerSource returns the folder of the module, fetched and checked
// against go.sum by the go command.
func alertmanagerSource() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/prometheus/alertmanager@v"+parts.AlertmanagerVersion)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w\n%s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	return module.Dir, nil
}

// copyWithPage copies the module and adds a placeholder for its page.
func copyWithPage(source, tree string) error {
	if err := os.CopyFS(tree, os.DirFS(source)); err != nil {
		return err
	}
	dist := filepath.Join(tree, "ui", "app", "dist")
	if err := os.Mkdir(dist, 0o755); err != nil {
		return err
	}
	page := []byte("<!doctype html><title>Alertmanager</title>Built for tests, without its user interface.\n")
	return os.WriteFile(filepath.Join(dist, "index.html"), page, 0o644)
}
