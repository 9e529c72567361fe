package ingest

import "errors"

// ErrTooLarge is the error of a journal for a record that it will never take: sending it
// again does not help.
var ErrTooLarge = errors.New("record is too large for the journal")
