package engine

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing is returned by [Path] when the engine has not been fetched yet.
var ErrMissing = errors.New("the embedded ClickHouse engine is missing: run `evenkeel engine fetch`")

// libraryName is what the file is called in the package and in the cache.
const libraryName = "libchdb.so"

// Path returns the engine's library in the user's cache, or [ErrMissing].
func Path() (string, error) {
	path, err := cachedPath()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w (looked for %s)", ErrMissing, path)
	}
	return path, nil
}

// Fetch makes sure that the engine's library is in the user's cache and returns its path.
// It is fetched by `npm pack`, which runs no script of the package, and is unpacked
// only if its sha512 is the pinned one. What happens is said on talk. A library that is
// there already is returned at once.
func Fetch(ctx context.Context, talk io.Writer) (string, error) {
	path, err := cachedPath()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	r, err := releaseFor(platform())
	if err != nil {
		return "", err
	}
	f := fetcher{release: r, npm: "npm", folder: filepath.Dir(path), talk: talk}
	if err := f.fetch(ctx); err != nil {
		return "", fmt.Errorf("fetch engine %s: %w", Version, err)
	}
	return path, nil
}

// cachedPath is where the library is, or will be.
func cachedPath() (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if !filepath.IsAbs(cache) { // as the XDG specification asks: a relative path is ignored
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the cache folder: %w", err)
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "evenkeel", "engine", Version, libraryName), nil
}

// fetcher gets one release into one folder.
type fetcher struct {
	release release
	npm     string
	folder  string // appears whole or not at all
	talk    io.Writer
}

func (f fetcher) fetch(ctx context.Context) error {
	begun := time.Now()
	parent := filepath.Dir(f.folder)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(parent, ".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)

	fmt.Fprintf(f.talk, "Fetching the ClickHouse engine %s (%s, %d MB) by npm pack ...\n", Version, f.release.pkg, f.release.packed/1e6)
	packed, err := f.pack(ctx, work)
	if err != nil {
		return err
	}
	if err := verify(packed, f.release.integrity); err != nil {
		return err
	}
	fmt.Fprintf(f.talk, "Its sha512 is the pinned one. Unpacking ...\n")
	unpacked := filepath.Join(work, "unpacked")
	if err := unpack(ctx, packed, unpacked); err != nil {
		return err
	}
	if err := publish(unpacked, f.folder); err != nil {
		return err
	}
	fmt.Fprintf(f.talk, "The engine is in %s (%.1f s).\n", f.folder, time.Since(begun).Seconds())
	return nil
}

// pack runs `npm pack` in work and returns the file that it left there. It runs in a folder
// of its own, so that no project's .npmrc has a say.
func (f fetcher) pack(ctx context.Context, work string) (string, error) {
	npm, err := exec.LookPath(f.npm)
	if err != nil {
		return "", fmt.Errorf("npm is needed to fetch the engine and was not found: install npm (it comes with Node.js), or give your own ClickHouse by its address: %w", err)
	}
	cmd := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--silent", f.release.pkg+"@"+Version)
	cmd.Dir = work
	cmd.WaitDelay = 5 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s@%s: %w\n%s", f.release.pkg, Version, err, strings.TrimSpace(string(out)))
	}
	files, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("npm pack left %d packed files, wanted one", len(files))
	}
	return files[0], nil
}

// verify compares the sha512 of the file at path with integrity ("sha512-" and base64).
func verify(path, integrity string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha512.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != integrity {
		return fmt.Errorf("%s has %s, but %s is pinned: it is not used", filepath.Base(path), got, integrity)
	}
	return nil
}

// unpack writes the library out of the packed file into a new folder, and nothing else of it.
func unpack(ctx context.Context, packed, folder string) error {
	file, err := os.Open(packed)
	if err != nil {
		return err
	}
	defer file.Close()
	zr, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(packed), err)
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for tr := tar.NewReader(zr); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("unpack %s: there is no %s in it", filepath.Base(packed), libraryName)
		}
		if err != nil {
			return fmt.Errorf("unpack %s: %w", filepath.Base(packed), err)
		}
		if isLibrary(header) {
			return writeFile(ctx, filepath.Join(folder, libraryName), tr)
		}
	}
}

func isLibrary(h *tar.Header) bool {
	return h.Typeflag == tar.TypeReg && (h.Name == "package/libchdb.so" || h.Name == "package/libchdb.dylib")
}

// writeFile copies r to a new file and has it on disk before it returns: a library that is half
// there after a power cut would never be fetched again.
func writeFile(ctx context.Context, path string, r io.Reader) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := io.Copy(file, contextReader{ctx, r}); err != nil {
		return err
	}
	return file.Sync()
}

// publish gives the unpacked folder its final name. Where another process was faster, its copy
// stays.
func publish(unpacked, folder string) error {
	err := os.Rename(unpacked, folder)
	if err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, statErr := os.Stat(filepath.Join(folder, libraryName)); statErr == nil {
		return nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.Rename(unpacked, folder)
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
