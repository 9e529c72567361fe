package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// packed returns a package as npm packs it, with the given files, and its integrity.
func packed(t *testing.T, files map[string]string) (content []byte, integrity string) {
	t.Helper()
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for name, text := range files {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(out.Bytes())
	return out.Bytes(), "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

// fakeNPM is a program that leaves content in its working folder when it is asked to pack.
func fakeNPM(t *testing.T, content []byte, wait string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "content")
	program := filepath.Join(folder, "npm")
	script := "#!/bin/sh\ntest \"$1 $2\" = 'pack --ignore-scripts' || { echo \"asked to $*\"; exit 1; }\n" +
		wait + "\ncp '" + file + "' lib.tgz\n"
	for path, text := range map[string][]byte{file: content, program: []byte(script)} {
		if err := os.WriteFile(path, text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return program
}

var goodPackage = map[string]string{
	"package/package.json":  "{}",
	"package/libchdb.so":    "the library",
	"package/evil.sh":       "echo evil",
	"../outside/libchdb.so": "not this one",
}

func newFetcher(t *testing.T, files map[string]string) (fetcher, *bytes.Buffer) {
	t.Helper()
	content, integrity := packed(t, files)
	var talk bytes.Buffer
	return fetcher{
		release: release{pkg: "@chdb/lib", integrity: integrity, packed: int64(len(content))},
		npm:     fakeNPM(t, content, ""),
		folder:  filepath.Join(t.TempDir(), "engine", Version),
		talk:    &talk,
	}, &talk
}

// below returns the names of all files and folders in a folder, hidden ones too.
func below(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFetchLeavesTheLibraryAndNothingElse(t *testing.T) {
	f, talk := newFetcher(t, goodPackage)
	if err := f.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(f.folder, libraryName))
	if err != nil || string(content) != "the library" {
		t.Errorf("the library holds %q, %v", content, err)
	}
	if names := below(t, f.folder); len(names) != 1 {
		t.Errorf("the folder holds %v", names)
	}
	if names := below(t, filepath.Dir(f.folder)); len(names) != 1 {
		t.Errorf("beside it there is %v", names)
	}
	for _, want := range []string{"Fetching", "@chdb/lib", "sha512", f.folder} {
		if !strings.Contains(talk.String(), want) {
			t.Errorf("the talk does not say %q: %s", want, talk)
		}
	}
}

func TestFetchThatFailsLeavesNothing(t *testing.T) {
	tests := map[string]struct {
		files  map[string]string
		change func(*testing.T, *fetcher)
		want   string
	}{
		"a checksum that is not the pinned one": {
			goodPackage, func(_ *testing.T, f *fetcher) { f.release.integrity = releases["linux/amd64"].integrity }, "is pinned: it is not used",
		},
		"no npm": {
			goodPackage, func(_ *testing.T, f *fetcher) { f.npm = "/nowhere/npm" }, "npm is needed",
		},
		"an npm that fails": {
			goodPackage, func(_ *testing.T, f *fetcher) { f.npm = "false" }, "npm pack @chdb/lib@" + Version,
		},
		"a package without the library": {
			map[string]string{"package/package.json": "{}"}, func(*testing.T, *fetcher) {}, "there is no libchdb.so",
		},
		"a file that is no package": {
			goodPackage, func(t *testing.T, f *fetcher) {
				sum := sha512.Sum512([]byte("rubbish"))
				f.release.integrity = "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
				f.npm = fakeNPM(t, []byte("rubbish"), "")
			}, "unpack lib.tgz",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, _ := newFetcher(t, test.files)
			test.change(t, &f)
			err := f.fetch(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
			if names := below(t, filepath.Dir(f.folder)); len(names) != 0 {
				t.Errorf("it left %v", names)
			}
		})
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	f, _ := newFetcher(t, goodPackage)
	content, _ := packed(t, goodPackage)
	f.npm = fakeNPM(t, content, "exec sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := f.fetch(ctx); err == nil {
		t.Error("it succeeded")
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestTwoFetchesAtOnceBothSucceed(t *testing.T) {
	f, _ := newFetcher(t, goodPackage)
	var wg sync.WaitGroup
	for range 4 {
		one := f
		one.talk = &bytes.Buffer{}
		wg.Go(func() {
			if err := one.fetch(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := os.Stat(filepath.Join(f.folder, libraryName)); err != nil {
		t.Error(err)
	}
	if names := below(t, filepath.Dir(f.folder)); len(names) != 1 {
		t.Errorf("beside it there is %v", names)
	}
}

func TestFetchThatWasCutShortIsRepaired(t *testing.T) {
	f, _ := newFetcher(t, goodPackage)
	if err := os.MkdirAll(filepath.Join(f.folder, "rest"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := below(t, f.folder); len(names) != 1 || names[0] != libraryName {
		t.Errorf("the folder holds %v", names)
	}
}

func TestPathIsInTheCacheFolderAndSaysWhatToRun(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	if _, err := Path(); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "run `evenkeel engine fetch`") {
		t.Errorf("got %v", err)
	}
	want := filepath.Join(cache, "evenkeel", "engine", Version, "libchdb.so")
	if err := os.MkdirAll(filepath.Dir(want), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(want, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Path(); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	var talk bytes.Buffer
	if got, err := Fetch(t.Context(), &talk); err != nil || got != want || talk.Len() != 0 {
		t.Errorf("a second fetch gave %s, %v and said %q", got, err, talk.String())
	}

	t.Setenv("XDG_CACHE_HOME", "relative") // to be ignored
	t.Setenv("HOME", cache)
	if got, err := cachedPath(); err != nil || got != filepath.Join(cache, ".cache", "evenkeel", "engine", Version, "libchdb.so") {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestPlatformWithoutEngineIsSaid(t *testing.T) {
	if _, err := releaseFor("plan9/amd64"); err == nil || !strings.Contains(err.Error(), "plan9/amd64") {
		t.Errorf("got %v", err)
	}
}
