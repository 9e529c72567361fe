package partition

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/ingest"
)

// bounds are the first and last position of a batch, both included.
type bounds struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// state is what a partition must remember across a crash beside its journal and
// its checkpoint. It is written before a batch is first sent and after it is stored.
type state struct {
	// Stored is the position up to which every row is in the store.
	Stored uint64 `json:"stored"`
	// StoredAt is fold time at Stored.
	StoredAt ingest.Millis `json:"stored_at"`
	// InFlight is the batch that may be in the store in part.
	InFlight *bounds `json:"in_flight,omitempty"`
	// Skips are the records that are not folded.
	Skips Skips `json:"skips,omitempty"`
}

const (
	stateFile      = "state.json"
	checkpointFile = "checkpoint"
)

// loadState reads the state below dir; where there is none yet it is zero.
func loadState(dir string) (state, error) {
	var s state
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

func (s state) save(dir string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, stateFile), b)
}

// writeFile replaces name durably: a crash leaves the old content or the new.
func writeFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
