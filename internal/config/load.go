package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Load reads the root configuration at path and the catalogue that it names.
// With path "" everything is as in an empty file. Where catalogue files are given,
// they stand in the place of all services and catalogue files that the root names.
//
// The error, if any, is of type [Errors].
func Load(path string, catalogue ...string) (*Config, Warnings, error) {
	l := loader{root: defaultRoot()}
	if path != "" {
		l.readRoot(path)
	}
	if len(catalogue) > 0 {
		l.root.Services, l.root.Catalogue = nil, nil
		for _, name := range catalogue {
			l.readCatalogue(name, Position{})
		}
	}
	l.readNamed(filepath.Dir(path))
	l.check()
	if len(l.errors) > 0 {
		inOrder(l.errors, l.files)
		return nil, nil, l.errors
	}
	inOrder(l.warnings, l.files)
	c := compose(l.root, l.files)
	// What the stages would refuse has been reported above with its place. Should
	// something slip through, it must stop here, not in the fold.
	if err := c.levels.Validate(); err != nil {
		return nil, nil, Errors{{Message: err.Error()}}
	}
	return c, l.warnings, nil
}

// LoadCatalogue reads catalogue files; the rest is as in an empty root configuration.
func LoadCatalogue(files ...string) (*Config, Warnings, error) {
	return Load("", files...)
}

// loader gathers the files of one configuration.
type loader struct {
	root     rootFile
	files    []string
	errors   Errors
	warnings Warnings
}

func (l *loader) readRoot(path string) {
	read(l, path, Position{}, rootKeys(), &l.root)
	if p := l.root.ClickHouse.PasswordFile; p != "" && !filepath.IsAbs(p) {
		l.root.ClickHouse.PasswordFile = filepath.Join(filepath.Dir(path), p)
	}
	l.root.placeSources(path)
	l.root.placeStreams(path)
	l.root.placeJournal(path)
}

// readNamed reads the catalogue files that the root names, each once.
func (l *loader) readNamed(dir string) {
	for _, pattern := range l.root.Catalogue {
		if pattern.Value == "" {
			continue // said when it was read
		}
		full := pattern.Value
		if !filepath.IsAbs(full) {
			full = filepath.Join(dir, full)
		}
		names, err := filepath.Glob(full)
		switch {
		case err != nil:
			l.errorf(pattern.At, "catalogue: %q is not a pattern of file names", pattern.Value)
		case len(names) == 0 && strings.ContainsAny(pattern.Value, "*?["):
			l.errorf(pattern.At, "catalogue: no file matches %s", full)
		case len(names) == 0:
			l.errorf(pattern.At, "catalogue: there is no file %s", full)
		}
		for _, name := range names {
			l.readCatalogue(name, pattern.At)
		}
	}
}

func (l *loader) readCatalogue(name string, named Position) {
	if slices.Contains(l.files, name) {
		return
	}
	var c catalogueFile
	read(l, name, named, catalogueKeys(), &c)
	l.root.Services = append(l.root.Services, c.Services...)
	l.root.Calendars = append(l.root.Calendars, c.Calendars...)
}

// read reads one file. named is where its name stands: what is said to be wrong if it cannot be read.
func read[T any](l *loader, name string, named Position, keys reader[T], into *T) {
	l.files = append(l.files, name)
	text, err := contents(name)
	if err != nil {
		if named.File == "" {
			l.errorf(Position{File: name}, "%v", err)
		} else {
			l.errorf(named, "%s: %v", name, err)
		}
		return
	}
	l.errors = append(l.errors, decode(name, text, keys, into)...)
}

// decode reads the text of one file.
func decode[T any](name string, text []byte, keys reader[T], into *T) Errors {
	d := decoder{file: name}
	if n := d.document(text); n != nil {
		keys.read(&d, n, "the file", into)
	}
	return d.errors
}

func contents(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, plain(err)
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("is larger than %d MiB", maxFileBytes>>20)
	}
	return text, nil
}

// plain takes the path off an error whose problem already names the file.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("cannot be read: %w", pe.Err)
	}
	return err
}

func (l *loader) errorf(at Position, format string, args ...any) {
	l.errors = append(l.errors, Problem{at, fmt.Sprintf(format, args...)})
}

func (l *loader) warnf(at Position, format string, args ...any) {
	l.warnings = append(l.warnings, Problem{at, fmt.Sprintf(format, args...)})
}
