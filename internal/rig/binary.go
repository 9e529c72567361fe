package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Binary builds cmd/evenkeel without cgo, once per test process, and returns
// its path. Go's build cache makes the second build a matter of a second.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := builtOnce(Root(t))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	buildOnce sync.Once
	builtPath string
	errBuild  error
)

func builtOnce(root string) (string, error) {
	buildOnce.Do(func() { builtPath, errBuild = build(root) })
	return builtPath, errBuild
}

// build writes the binary to the cache, and moves it to its name in one step:
// another test process may be running the one before.
func build(root string) (string, error) {
	folder, err := parts.Folder()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(folder, "build-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fresh := filepath.Join(dir, "evenkeel")
	cmd := exec.Command("go", "build", "-o", fresh, "./cmd/evenkeel")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cmd/evenkeel: %w\n%s", err, out)
	}
	path := filepath.Join(folder, "evenkeel-"+treeName(root))
	return path, os.Rename(fresh, path)
}

// treeName tells the working trees of one machine apart, so that none tests
// another's binary.
func treeName(root string) string {
	sum := sha256.Sum256([]byte(root))
	return hex.EncodeToString(sum[:6])
}
