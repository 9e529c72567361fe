package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/ingest"
)

// Error says why a delivery could not be decoded at all, and where.
type Error struct {
	Offset int    // bytes before the place, 0 to the length
	Line   int    // from 1
	Column int    // in bytes, from 1
	Reason string // in words
}

// Error gives the reason with the place before it.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d (byte %d): %s", e.Line, e.Column, e.Offset, e.Reason)
}

// errorAt makes an Error for a place in body.
func errorAt(body []byte, offset int, reason string) *Error {
	before := body[:offset]
	return &Error{
		Offset: offset,
		Line:   bytes.Count(before, []byte{'\n'}) + 1,
		Column: offset - bytes.LastIndexByte(before, '\n'),
		Reason: reason,
	}
}

// located turns the scanner's error into one with a place.
func located(body []byte, err error) error {
	var s *syntaxError
	if errors.As(err, &s) {
		return errorAt(body, s.offset, s.reason)
	}
	return err
}

// Reject turns a record that could not be decoded into the one that says so: its reason,
// and the first 64 KiB of its body. It is how refused deliveries reach the dead letters.
func Reject(rec ingest.Record, err error) ingest.Record {
	rec.Kind, rec.Reason, rec.Body, rec.Reading = ingest.KindRejected, err.Error(), head(rec.Body), nil
	return rec
}

// DeadLetter is the dead letter of a whole record: one that was rejected, or one whose
// Decode gave err.
func DeadLetter(rec ingest.Record, err error) ingest.DeadLetter {
	d := ingest.DeadLetter{
		Tenant: tenant(rec), Source: source(rec), Path: rec.Path,
		ReceivedAt: rec.ReceivedAt, Reason: rec.Reason, Body: head(rec.Body),
	}
	if err != nil {
		d.Reason = err.Error()
	}
	return d
}

// Refused is the dead letter of an alert, a change or a window that was understood, and is not counted for a reason of the
// fold's.
func Refused(rec ingest.Record, e ingest.Event, reason string) ingest.DeadLetter {
	d := DeadLetter(rec, nil)
	d.Source, d.Reason = e.Source, reason
	var told any = e.Alert
	switch {
	case e.Maintenance != nil:
		told = e.Maintenance
	case e.Change != nil:
		told = e.Change
	}
	if body, err := json.Marshal(told); err == nil {
		d.Body = head(body)
	}
	return d
}

func head(body []byte) []byte { return body[:min(len(body), ingest.MaxDeadLetterBytes)] }

func tenant(rec ingest.Record) string {
	if rec.Tenant == "" {
		return ingest.DefaultTenant
	}
	return rec.Tenant
}

// source is the source of a record as a whole.
func source(rec ingest.Record) string {
	return cmp.Or(rec.Source, ingest.DefaultSource(rec.Path), ingest.SourceOfAlerts)
}
