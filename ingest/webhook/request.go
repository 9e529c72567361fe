package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// TenantHeader names the tenant, as in Mimir, Loki and Cortex.
const TenantHeader = "X-Scope-OrgID"

// SourceParameter of the query names the sending system where there is more than one: alerts
// of two sources are never the same alert.
const SourceParameter = "source"

const (
	maxTenantBytes = 150
	maxSourceBytes = 150
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

// errGzip is a body that says gzip and is not.
type errGzip struct{ err error }

func (e errGzip) Error() string {
	return "Content-Encoding is gzip, but the body is not: " + e.err.Error()
}
func (e errGzip) Unwrap() error { return e.err }

// identify makes the record without its body.
func identify(r *http.Request) (ingest.Record, error) {
	rec := ingest.Record{
		Kind: ingest.KindDelivery, Path: r.URL.Path,
		Tenant: ingest.DefaultTenant, Source: ingest.DefaultSource(r.URL.Path),
	}
	if tenant := r.Header.Get(TenantHeader); tenant != "" {
		if err := checkTenant(tenant); err != nil {
			return rec, err
		}
		rec.Tenant = tenant
	}
	if source := r.URL.Query().Get(SourceParameter); source != "" {
		if err := checkSource(source); err != nil {
			return rec, err
		}
		rec.Source = source
	}
	return rec, nil
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

	tenantCharacters = letters + "!-_.*'()"
	sourceCharacters = letters + "-_.:/@"
)

// checkTenant takes what Mimir takes, so that one header serves both.
func checkTenant(tenant string) error {
	if tenant == "." || tenant == ".." {
		return fmt.Errorf("%s: %q is not a tenant", TenantHeader, tenant)
	}
	return checkName(TenantHeader, tenant, maxTenantBytes, tenantCharacters)
}

func checkSource(source string) error {
	return checkName(SourceParameter, source, maxSourceBytes, sourceCharacters)
}

func checkName(what, name string, limit int, characters string) error {
	if len(name) > limit {
		return fmt.Errorf("%s: %d bytes, at most %d", what, len(name), limit)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune(characters, r) }); i >= 0 {
		return fmt.Errorf("%s: %q has a character other than letters, digits and %s", what, name, characters[len(letters):])
	}
	return nil
}

// body reads the whole body, unpacked. When unpacking fails it returns what was
// sent beside the error.
func (h *Handler) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if encoding != "" && encoding != "identity" && encoding != "gzip" {
		return nil, errEncoding(encoding)
	}
	sent, err := read(http.MaxBytesReader(w, r.Body, h.opts.MaxBodyBytes), r.ContentLength, h.opts.MaxBodyBytes)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, errTooLarge(h.opts.MaxBodyBytes)
	}
	if err != nil || encoding != "gzip" {
		return sent, err
	}
	return gunzip(sent, h.opts.MaxBodyBytes)
}

// read reads all of r; length, where it is known and plausible, saves growing.
func read(r io.Reader, length, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	if length > 0 && length <= limit {
		buf.Grow(int(min(length, 1<<20)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(r)
	return buf.Bytes(), err
}

// gunzip never holds more than limit, whatever the body promises to become.
func gunzip(sent []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(sent))
	if err != nil {
		return sent, errGzip{err}
	}
	body, err := io.ReadAll(io.LimitReader(z, limit+1))
	if int64(len(body)) > limit {
		return nil, errTooLarge(limit)
	}
	if err != nil {
		return sent, errGzip{err}
	}
	return body, nil
}

// unread answers a request whose body could not be had.
func (h *Handler) unread(ctx context.Context, rec ingest.Record, err error) answer {
	var (
		encoding errEncoding
		large    errTooLarge
		zipped   errGzip
	)
	switch {
	case errors.As(err, &encoding):
		return refuse(outcomeEncoding, err)
	case errors.As(err, &large):
		return refuse(outcomeTooLarge, err)
	case errors.As(err, &zipped):
		return h.reject(ctx, rec, err)
	}
	// The client went away or was too slow. Whether it is there to read this or not,
	// the delivery is not: it should come again.
	return refuse(outcomeUnread, fmt.Errorf("read body: %w", err))
}
