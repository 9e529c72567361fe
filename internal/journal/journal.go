package journal

import (
	"context"
	"errors"

	"github.com/evenkeel/evenkeel/ingest"
)

// Journal is a sequence of records, durable and in order. All methods are safe
// for concurrent use.
type Journal interface {
	// Append writes the records behind the last one and returns the position of
	// the first of them, only when all are durable. A record without received_at
	// gets one; one that brings its own keeps it, and is refused with
	// [ErrBackwards] where time would go back. Position fields are ignored. The records are the
	// journal's from then on: who reads them may get the same memory.
	//
	// An error that wraps [ErrFull] or [ErrUnavailable] is the journal's trouble,
	// not the records'. When ctx ends first, the records may still land.
	Append(ctx context.Context, records []ingest.Record) (first uint64, err error)

	// Read returns records from position from on, in order without gaps: at
	// least one if there is one, at most limit, fewer when they are long. It
	// never waits: past the last record it returns none. A position before
	// First is [ErrTrimmed], one behind Last+1 is [ErrAhead].
	Read(ctx context.Context, from uint64, limit int) ([]ingest.Record, error)

	// Wait returns when a record with this position exists, or when ctx ends.
	Wait(ctx context.Context, position uint64) error

	// First is the oldest position that can be read, Last the newest. An
	// empty journal has First = Last + 1.
	First() uint64
	Last() uint64

	// LastReceivedAt is the received_at of the last record, 0 when there was none.
	LastReceivedAt() ingest.Millis

	// Commit says that records up to and including upTo are needed no more. What is
	// freed, and when, is the journal's affair: First tells.
	Commit(upTo uint64) error

	// Usage says how full the journal is.
	Usage() Usage

	// Health returns nil while deliveries can be taken, as far as the last writes
	// and the room that is left tell; otherwise why not: an error that wraps
	// [ErrFull], [ErrUnavailable] or [ErrClosed]. It waits for nothing.
	Health() error

	// Close writes what was accepted, then ends. Later calls give [ErrClosed].
	Close() error
}

// Usage says how full a journal is.
type Usage struct {
	Bytes    int64 // on disk now
	MaxBytes int64 // what it may use
}

// The errors of a journal, to be tested with errors.Is.
var (
	// ErrUnavailable: the journal cannot take records now; trying again may help.
	ErrUnavailable = errors.New("journal is unavailable")
	// ErrFull: the limit in bytes is reached, or the disk is full.
	ErrFull = errors.New("journal is full")
	// ErrTooLarge: one record is longer than this journal takes.
	ErrTooLarge = ingest.ErrTooLarge
	// ErrBackwards: a record brings a received_at before that of the last one.
	ErrBackwards = errors.New("received_at goes back")
	// ErrTrimmed: the position is older than the journal keeps.
	ErrTrimmed = errors.New("position is no longer in the journal")
	// ErrAhead: the position is behind the end: the journal is not the one that
	// this position came from, or it lost its end.
	ErrAhead = errors.New("position is behind the end of the journal")
	// ErrClosed: the journal was closed.
	ErrClosed = errors.New("journal is closed")
	// ErrLocked: another process has the folder open.
	ErrLocked = errors.New("journal is in use by another process")
)

// MaxRecordBytes is the longest that a record's texts and body may be together,
// MaxBodyBytes the longest that its body may be whatever its texts are.
const (
	MaxRecordBytes = 64 << 20
	MaxBodyBytes   = MaxRecordBytes - 1<<20
)
