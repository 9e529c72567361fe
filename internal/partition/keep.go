package partition

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Keep is where the owner of a partition remembers what it must across a crash, beside the journal:
// its state (small, saved before every batch) and its last checkpoint. What was saved is read by
// whoever owns the partition next. A save by an owner that is one no more fails, and its runner stops.
type Keep interface {
	// LoadState and LoadCheckpoint return what was saved last, nil where nothing was.
	LoadState(ctx context.Context) ([]byte, error)
	LoadCheckpoint(ctx context.Context) ([]byte, error)
	// SaveState and SaveCheckpoint replace it durably and whole.
	SaveState(ctx context.Context, state []byte) error
	SaveCheckpoint(ctx context.Context, checkpoint []byte) error
}

// Files is the Keep of a partition that stays on one machine: two files in a folder.
type Files struct{ dir string }

const (
	stateFile      = "state.json"
	checkpointFile = "checkpoint"
)

// NewFiles returns the keep in folder dir, which is made with the first save.
func NewFiles(dir string) Files { return Files{dir} }

// LoadState implements Keep.
func (f Files) LoadState(context.Context) ([]byte, error) { return f.load(stateFile) }

// LoadCheckpoint implements Keep.
func (f Files) LoadCheckpoint(context.Context) ([]byte, error) { return f.load(checkpointFile) }

// SaveState implements Keep.
func (f Files) SaveState(_ context.Context, state []byte) error { return f.save(stateFile, state) }

// SaveCheckpoint implements Keep.
func (f Files) SaveCheckpoint(_ context.Context, checkpoint []byte) error {
	return f.save(checkpointFile, checkpoint)
}

func (f Files) load(name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// save replaces a file durably: a crash leaves the old content or the new.
func (f Files) save(name string, b []byte) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	next, err := os.CreateTemp(f.dir, name+".*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	_, err = next.Write(b)
	err = errors.Join(err, next.Sync(), next.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(next.Name(), filepath.Join(f.dir, name)); err != nil {
		return err
	}
	return syncDir(f.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
