package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

var (
	errNotFound = errors.New("no deliveries are taken here")
	errMethod   = errors.New("deliveries are sent with POST")
)

// errEncoding is a Content-Encoding that is not known.
type errEncoding string

func (e errEncoding) Error() string {
	return fmt.Sprintf("Content-Encoding %q is not supported; send gzip or none", string(e))
}

// errTooLarge is a body beyond the limit, sent or unpacked.
type errTooLarge int64

func (e errTooLarge) Error() string {
	return fmt.Sprintf("body is larger than %d bytes; send less at once (in Alertmanager: max_alerts, group_by) or raise the limit", int64(e))
}

// errBomb is a small body that unpacks to far more than any delivery.
var errBomb = fmt.Errorf("body unpacks to more than %d times what was sent; send less at once or without gzip", maxRatio)

// errGzip is a body that says gzip and is not.
type errGzip struct{ err error }

func (e errGzip) Error() string {
	return "Content-Encoding is gzip, but the body is not: " + e.err.Error()
}
func (e errGzip) Unwrap() error { return e.err }

// structured turns a CloudEvent in binary mode, attributes in headers, into one that is all body.
func structured(r *http.Request, rec *ingest.Record, s *share) error {
	if rec.Path != ingest.PathCloudEvents || r.Header.Get("Ce-Specversion") == "" {
		return nil
	}
	var headers []wire.Header
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		headers = append(headers, wire.Header{Name: name, Value: r.Header.Get(name)})
	}
	if err := s.grow(r.Context(), 2*int64(len(rec.Body))); err != nil {
		return err
	}
	rec.Body, _ = wire.Structured(headers, rec.Body)
	return nil
}

// body reads the whole body, unpacked. When unpacking fails it returns what was
// sent beside the error.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, s *share) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding != "" && encoding != "identity" && encoding != "gzip" {
		return nil, errEncoding(encoding)
	}
	in := reading{ctx: r.Context(), share: s, limit: h.opts.MaxBodyBytes}
	p := newPace(w, http.MaxBytesReader(w, r.Body, in.limit))
	sent, err := in.all(p, r.ContentLength)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, errTooLarge(in.limit)
	}
	if err != nil {
		return sent, err
	}
	p.end()
	if encoding == "gzip" {
		return in.unpack(sent)
	}
	return sent, nil
}

// reading takes bodies into memory within a share of the budget.
type reading struct {
	ctx   context.Context
	share *share
	limit int64
}

// Bodies are read into a buffer that begins at what the sender says, up to firstBytes, and doubles: who
// announces much and sends little holds little.
const (
	leastBytes = 4 << 10
	firstBytes = 64 << 10
)

// all reads all of r, limit bytes and one more at most.
func (in *reading) all(r io.Reader, length int64) ([]byte, error) {
	size := min(max(length+1, leastBytes), firstBytes) // one more, so that the end is seen without growing
	if err := in.share.grow(in.ctx, size); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, size)
	for {
		if len(buf) == cap(buf) {
			bigger, err := in.bigger(buf)
			if err != nil {
				return nil, err
			}
			buf = bigger
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil || int64(len(buf)) > in.limit:
			return buf, err
		}
	}
}

func (in *reading) bigger(buf []byte) ([]byte, error) {
	size := min(2*int64(cap(buf)), in.limit+1)
	if err := in.share.grow(in.ctx, size-int64(cap(buf))); err != nil {
		return nil, err
	}
	return append(make([]byte, 0, size), buf...), nil
}

// maxRatio is how much larger than what was sent a body may be, beyond the first megabyte:
// alerts that differ in a name alone do not come near it.
const maxRatio = 512

// unpack never holds more than the limit, whatever the body promises to become.
func (in *reading) unpack(sent []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(sent))
	if err != nil {
		return sent, errGzip{err}
	}
	bound := *in
	bound.limit = min(in.limit, max(1<<20, maxRatio*int64(len(sent))))
	body, err := bound.all(z, 4*int64(len(sent)))
	switch {
	case errors.Is(err, errBusy):
		return nil, err
	case int64(len(body)) > in.limit:
		return nil, errTooLarge(in.limit)
	case int64(len(body)) > bound.limit:
		return nil, errBomb
	case err != nil:
		return sent, errGzip{err}
	}
	return body, nil
}

// unread answers a request whose body could not be had.
func (h *Handler) unread(ctx context.Context, settings *inForce, rec ingest.Record, s *share, err error) answer {
	var (
		encoding errEncoding
		large    errTooLarge
		zipped   errGzip
	)
	switch {
	case errors.As(err, &encoding):
		return refuse(outcomeEncoding, err)
	case errors.As(err, &large), errors.Is(err, errBomb):
		return refuse(outcomeTooLarge, err)
	case errors.Is(err, errBusy):
		return refuse(outcomeBusy, err)
	case errors.As(err, &zipped):
		return h.packed(ctx, settings, rec, s, err)
	}
	// The client went away or was too slow. Whether it is there to read this or not,
	// the delivery is not: it should come again.
	return refuse(outcomeUnread, fmt.Errorf("read body: %w", err))
}

// packed refuses a body that cannot be unpacked as one that cannot be decoded: it is kept for the same tenant, or
// for none.
func (h *Handler) packed(ctx context.Context, settings *inForce, rec ingest.Record, s *share, why error) answer {
	if err := h.room(settings, rec.Tenant); err != nil {
		return unidentified(err)
	}
	if err := settings.sources.settle(&rec, &ingest.Decoded{}); err != nil {
		return unidentified(err)
	}
	return h.reject(ctx, rec, s, why)
}
