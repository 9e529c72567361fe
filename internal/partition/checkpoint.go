package partition

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// checkpointVersion changes when a checkpoint's meaning does. One of another
// version is not read: what is there is folded from its first record.
const checkpointVersion = 2

var errCheckpointVersion = fmt.Errorf("the checkpoint is not of version %d, which this program reads", checkpointVersion)

// checkpoint is the whole state of a fold after Position.
type checkpoint struct {
	Position      uint64
	FoldTime      ingest.Millis
	Configuration []byte
	Correlate     []byte
	Ledger        []byte
	Origins       []savedOrigins
}

// Snapshot returns the whole state of the fold, compressed.
func (f *Fold) Snapshot() ([]byte, error) {
	c := checkpoint{Position: f.position, FoldTime: f.now, Configuration: f.configuration, Origins: f.origins.save()}
	var err error
	if c.Correlate, err = f.incidents.Snapshot(); err != nil {
		return nil, err
	}
	if c.Ledger, err = f.ledger.Snapshot(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := gob.NewEncoder(&b)
	if err := errors.Join(e.Encode(checkpointVersion), e.Encode(c)); err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	return enc.EncodeAll(b.Bytes(), nil), enc.Close()
}

// Restore replaces the state of the fold by a snapshot's and returns its position. After an
// error the fold is not to be used.
func (f *Fold) Restore(snapshot []byte) (uint64, error) {
	c, err := unpackCheckpoint(snapshot)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(f.incidents.Restore(c.Correlate), f.ledger.Restore(c.Ledger)); err != nil {
		return 0, err
	}
	if len(c.Configuration) > 0 {
		configured, err := ParseConfiguration(c.Configuration)
		if err != nil {
			return 0, err
		}
		if err := f.decodeBy(configured.Decoding); err != nil {
			return 0, err
		}
		f.hash = Hash(c.Configuration)
	}
	f.origins = restoreOrigins(c.Origins)
	f.position, f.now, f.configuration = c.Position, c.FoldTime, c.Configuration
	return c.Position, nil
}

func unpackCheckpoint(snapshot []byte) (checkpoint, error) {
	var c checkpoint
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return c, err
	}
	defer dec.Close()
	b, err := dec.DecodeAll(snapshot, nil)
	if err != nil {
		return c, err
	}
	if bytes.HasPrefix(b, []byte("{")) { // it was JSON up to version 1
		return c, errCheckpointVersion
	}
	d, version := gob.NewDecoder(bytes.NewReader(b)), 0
	if err := d.Decode(&version); err != nil {
		return c, err
	}
	if version != checkpointVersion {
		return c, errCheckpointVersion
	}
	return c, d.Decode(&c)
}

// restore makes the fold what the checkpoint says, or a new one where there is none or
// one of another version.
func (r *Runner) restore(ctx context.Context) error {
	r.fold = r.newFold()
	b, err := r.opts.Keep.LoadCheckpoint(ctx)
	if err != nil {
		return err
	}
	if b != nil {
		_, err = r.fold.Restore(b)
		switch {
		case ofAnotherVersion(err):
			r.opts.Logger.Warn("The checkpoint is not used: what was received is folded again from its first record", "why", err)
			r.fold = r.newFold()
		case err != nil:
			return fmt.Errorf("the checkpoint of partition %d: %w", r.opts.Partition, err)
		}
	}
	r.next = r.fold.Position() + 1
	r.publish()
	return nil
}

// ofAnotherVersion tells whether a checkpoint, or a part of it, is in a form that this program does
// not read.
func ofAnotherVersion(err error) bool {
	return errors.Is(err, errCheckpointVersion) || errors.Is(err, correlate.ErrSnapshotFormat) || errors.Is(err, sla.ErrSnapshotVersion)
}

func (r *Runner) newFold() *Fold {
	f := NewFoldOf(sla.Share{Index: r.opts.Partition, Of: r.opts.Of}, r.skips...)
	f.fault = r.opts.fault
	return f
}
