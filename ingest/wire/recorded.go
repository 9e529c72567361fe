package wire

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/evenkeel/evenkeel/ingest"
)

// maxLine bounds a line of a recorded file: the largest record that a journal
// takes, in base64, and what stands around it.
const maxLine = 90 << 20

// recorded is a delivery as it stands in a file. Tenant and source are there only where
// they are not the default. Of a record of a stream the origin is there: when it was written counts.
type recorded struct {
	ReceivedAt ingest.Millis   `json:"received_at"`
	Path       string          `json:"path"`
	Tenant     string          `json:"tenant,omitempty"`
	Source     string          `json:"source,omitempty"`
	Origin     *ingest.Origin  `json:"origin,omitempty"`
	Body       json.RawMessage `json:"body,omitempty"`
	Bytes      []byte          `json:"body_base64,omitempty"` // instead of Body, where that is no JSON
}

// AppendRecorded appends a delivery to b as one JSON line, its body as sent except
// for space between tokens. A body that is no JSON, such as protobuf, is written in base64.
func AppendRecorded(b []byte, rec ingest.Record) ([]byte, error) {
	line := recorded{ReceivedAt: rec.ReceivedAt, Path: rec.Path, Origin: rec.Origin}
	if o := rec.Origin; o != nil && o.At.Time().Year() > 9999 { // no time that a text can hold, or that counts
		undated := *o
		undated.At = 0
		line.Origin = &undated
	}
	if wellFormed(rec.Body) {
		line.Body = rec.Body
	} else {
		line.Bytes = rec.Body
	}
	if t := tenant(rec); t != ingest.DefaultTenant {
		line.Tenant = t
	}
	if rec.Source != ingest.DefaultSource(rec.Path) {
		line.Source = rec.Source
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return b, fmt.Errorf("record %d: %w", rec.Position, err)
	}
	return append(b, out.Bytes()...), nil
}

// Recorded reads the deliveries of a recorded file, plain or gzipped, in their order.
// Positions are left to who takes them. After an error, which names the line, nothing more comes.
func Recorded(r io.Reader) iter.Seq2[ingest.Record, error] {
	return func(yield func(ingest.Record, error) bool) {
		line := 0
		fail := func(err error) { yield(ingest.Record{}, fmt.Errorf("line %d: %w", line, err)) }
		text, err := unzipped(r)
		if err != nil {
			line = 1
			fail(err)
			return
		}
		lines := bufio.NewScanner(text)
		lines.Buffer(make([]byte, 0, 64<<10), maxLine)
		for lines.Scan() {
			line++
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			rec, err := parseRecorded(bytes.Clone(lines.Bytes()))
			if err != nil {
				fail(err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			line++
			fail(err)
		}
	}
}

// unzipped looks at the first bytes, not at a name: a pipe has none.
func unzipped(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(2)
	if errors.Is(err, io.EOF) || err == nil && !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(buffered)
}

func parseRecorded(line []byte) (ingest.Record, error) {
	r := &reading{scanner: scanner{in: line}}
	rec := ingest.Record{Kind: ingest.KindDelivery}
	var at, encoded string
	var origin []byte
	err := r.object(func(name string) (err error) {
		switch name {
		case "received_at":
			return r.str(place{field: name}, &at)
		case "path":
			return r.str(place{field: name}, &rec.Path)
		case "tenant":
			return r.str(place{field: name}, &rec.Tenant)
		case "source":
			return r.str(place{field: name}, &rec.Source)
		case "origin":
			origin, err = r.raw()
			return err
		case "body":
			rec.Body, err = r.raw()
			return err
		case "body_base64":
			return r.str(place{field: name}, &encoded)
		}
		return r.skip()
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return rec, inLine(err)
	}
	if rec.ReceivedAt = r.instant("received_at", at); rec.ReceivedAt == 0 {
		r.wrong(place{field: "received_at"}, "missing")
	}
	if rec.Path == "" {
		r.wrong(place{field: "path"}, "missing")
	}
	if origin != nil {
		if err := json.Unmarshal(origin, &rec.Origin); err != nil {
			r.wrong(place{field: "origin"}, "%s", err)
		}
	}
	if rec.Body == nil && encoded != "" {
		if rec.Body, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			r.wrong(place{field: "body_base64"}, "%s", err)
		}
	}
	if rec.Body == nil {
		r.wrong(place{field: "body"}, "missing")
	}
	if r.bad != "" {
		return rec, errors.New(r.bad)
	}
	rec.Tenant, rec.Source = tenant(rec), cmp.Or(rec.Source, ingest.DefaultSource(rec.Path))
	return rec, nil
}

// inLine gives a syntax error its column; the caller knows the line.
func inLine(err error) error {
	var s *syntaxError
	if errors.As(err, &s) {
		return fmt.Errorf("column %d: %s", s.offset+1, s.reason)
	}
	return err
}
