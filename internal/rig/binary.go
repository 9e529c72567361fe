package rig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Binary builds cmd/evenkeel without cgo, once per test process, and returns
// its path. Go's build cache makes the second build a matter of a second.
func Binary(t testing.TB) string {
	t.Helper()
	return evenkeel.path(t)
}

// program is a command of this module, built at most once per test process.
type program struct {
	folder string // of its main package

	once  sync.Once
	built string
	err   error
}

var (
	evenkeel    = program{folder: "cmd/evenkeel"}
	engineChild = program{folder: "internal/clickhouse/engine/enginechild"}
)

func (p *program) path(t testing.TB) string {
	t.Helper()
	root := Root(t)
	p.once.Do(func() { p.built, p.err = build(root, p.folder) })
	if p.err != nil {
		t.Fatal(p.err)
	}
	return p.built
}

// build writes the binary to the cache, and moves it to its name in one step:
// another test process may be running the one before.
func build(root, pkg string) (string, error) {
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
	name := filepath.Base(pkg)
	fresh := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-o", fresh, "./"+pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	path := filepath.Join(folder, name+"-"+treeName(root))
	return path, os.Rename(fresh, path)
}

// treeName tells the working trees of one machine apart, so that none tests
// another's binary.
func treeName(root string) string {
	sum := sha256.Sum256([]byte(root))
	return hex.EncodeToString(sum[:6])
}

// Help returns what `evenkeel COMMAND --help` prints.
func Help(t testing.TB, command ...string) string {
	t.Helper()
	out, err := run(Binary(t), append(command, "--help")...)
	if err != nil {
		t.Fatalf("evenkeel %s --help: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}
