package partition

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/ingest"
)

// checkpointVersion changes when a checkpoint's meaning does. One of another
// version is not read: the journal is folded from its first record, and where it was trimmed
// reading it fails rather than that something is guessed.
const checkpointVersion = 1

var errCheckpointVersion = fmt.Errorf("the checkpoint is not of version %d, which this program reads", checkpointVersion)

// checkpoint is the whole state of a fold after Position.
type checkpoint struct {
	Version       int             `json:"version"`
	Position      uint64          `json:"position"`
	FoldTime      ingest.Millis   `json:"fold_time"`
	Configuration json.RawMessage `json:"configuration,omitempty"`
	Correlate     []byte          `json:"correlate"`
	Ledger        []byte          `json:"ledger"`
}

// Snapshot returns the whole state of the fold, compressed.
func (f *Fold) Snapshot() ([]byte, error) {
	c := checkpoint{Version: checkpointVersion, Position: f.position, FoldTime: f.now, Configuration: f.configuration}
	var err error
	if c.Correlate, err = f.incidents.Snapshot(); err != nil {
		return nil, err
	}
	if c.Ledger, err = f.ledger.Snapshot(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(b, nil), enc.Close()
}

// Restore replaces the state of the fold by a snapshot's and returns its position.
func (f *Fold) Restore(snapshot []byte) (uint64, error) {
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return 0, err
	}
	defer dec.Close()
	b, err := dec.DecodeAll(snapshot, nil)
	if err != nil {
		return 0, err
	}
	var c checkpoint
	if err := json.Unmarshal(b, &c); err != nil {
		return 0, err
	}
	if c.Version != checkpointVersion {
		return 0, errCheckpointVersion
	}
	if err := errors.Join(f.incidents.Restore(c.Correlate), f.ledger.Restore(c.Ledger)); err != nil {
		return 0, err
	}
	f.position, f.now, f.configuration = c.Position, c.FoldTime, c.Configuration
	return c.Position, nil
}

// restore loads the checkpoint, if there is one, and returns its position.
func (r *Runner) restore() (uint64, error) {
	name := filepath.Join(r.opts.Dir, checkpointFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	position, err := r.fold.Restore(b)
	if errors.Is(err, errCheckpointVersion) {
		r.opts.Logger.Warn("The journal is folded from its first record", "why", err, "checkpoint", name)
		r.fold = NewFold(r.opts.Partition)
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return position, nil
}
