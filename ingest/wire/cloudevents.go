package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// cloudEvents reads CloudEvents in JSON, one or a batch, whose data is of any other format. A
// delivery's name, id and source, is not needed: copies change nothing.
func (r *reading) cloudEvents() error {
	if r.nested {
		return r.fail("a CloudEvent inside of a CloudEvent")
	}
	return r.list("event", "events", func(item string) error {
		var e cloudEvent
		return r.each(item, func() error { return r.cloudEvent(&e) }, func() { e.open(r) })
	})
}

// cloudEvent is one event as sent. Its data stays as it is until all else is known.
type cloudEvent struct {
	specVersion, id, source, kind, schema string
	data                                  []byte
	dataAt                                int // where data begins in the body
	base64                                string
}

func (r *reading) cloudEvent(e *cloudEvent) error {
	fields := map[string]*string{
		"specversion": &e.specVersion, "id": &e.id, "source": &e.source, "type": &e.kind, "dataschema": &e.schema, "data_base64": &e.base64,
	}
	return r.object(func(name string) (err error) {
		if to, known := fields[name]; known {
			return r.str(place{field: name}, to)
		}
		if name == "data" {
			r.space()
			e.dataAt = r.at
			e.data, err = r.raw()
			return err
		}
		return r.skip()
	})
}

// open reads the data. What cannot be decoded at all is wrong with this event only.
func (e *cloudEvent) open(r *reading) {
	r.present(sent{"id", e.id}, sent{"source", e.source}, sent{"type", e.kind}, sent{"specversion", e.specVersion})
	if e.specVersion != "1.0" && !strings.HasPrefix(e.specVersion, "1.") {
		r.wrong(place{field: "specversion"}, "%q is not supported; CloudEvents are read of version 1.0", short(e.specVersion))
	}
	data, field := e.payload(r)
	if r.bad != "" {
		return
	}
	inner := &reading{scanner: scanner{in: data, depth: r.depth}, rec: r.rec, config: r.config, when: r.when, item: r.item + "." + field, nested: true}
	inner.before = len(r.out.Events) + len(r.out.Dead)
	if err := inner.format(e.path()); errors.Is(err, errTooMany) {
		r.full = true
		return
	} else if err != nil {
		r.wrong(place{field: field}, "%s", located(data, err))
		return
	}
	r.out.Events = append(r.out.Events, inner.out.Events...)
	r.warnAlso(inner.out)
	r.out.Truncated += inner.out.Truncated
	if len(r.out.Dead) == 0 {
		r.badAt = e.dataAt
	}
	r.out.Dead = append(r.out.Dead, inner.out.Dead...)
}

// payload returns the data and the name of the field that holds it.
func (e *cloudEvent) payload(r *reading) ([]byte, string) {
	switch {
	case e.base64 != "" && e.data != nil:
		r.wrong(place{field: "data"}, "data_base64 is there, too")
	case e.base64 != "":
		data, err := base64.StdEncoding.DecodeString(e.base64)
		if err != nil {
			r.wrong(place{field: "data_base64"}, "%s", err)
		}
		return data, "data_base64"
	case e.data == nil:
		r.wrong(place{field: "data"}, "missing")
	case e.data[0] == '"': // a text that holds JSON, as some bridges write it
		text, valid := unquote(e.data[1 : len(e.data)-1])
		if !valid {
			r.wrong(place{field: "data"}, "not valid UTF-8")
		}
		return []byte(text), "data"
	}
	return e.data, "data"
}

// cloudTypes are the types that name a format. Any other is told by its content.
var cloudTypes = map[string]string{
	"evenkeel.alertmanager": ingest.PathAlertmanager,
	"evenkeel.alerts":       ingest.PathAlerts,
	"evenkeel.changes":      ingest.PathChanges,
	"evenkeel.samples":      ingest.PathSamples,
	"evenkeel.mapped":       ingest.PathMapped,
}

func (e *cloudEvent) path() string {
	for _, name := range []string{e.kind, e.schema} {
		if path, known := cloudTypes[name]; known {
			return path
		}
	}
	return ingest.PathDetect
}

// Header is one header of a request or of a Kafka record.
type Header struct{ Name, Value string }

// Structured returns the structured form of a CloudEvent that came in binary mode: attributes in
// headers, ce-type over HTTP and ce_type in Kafka, and its data as the body. Where no header is
// an attribute it returns the body as it is, and false.
func Structured(headers []Header, body []byte) (structured []byte, binary bool) {
	out := []byte{'{'}
	contentType := ""
	for _, h := range headers {
		name := strings.ToLower(h.Name)
		value := h.Value
		switch {
		case name == "content-type":
			contentType = strings.ToLower(value)
			continue
		case strings.HasPrefix(name, "ce-"):
			value = unescapePercent(value)
		case !strings.HasPrefix(name, "ce_"):
			continue
		}
		binary = binary || name[3:] == "specversion"
		if name[3:] != "data" && name[3:] != "data_base64" {
			out = append(appendQuoted(append(appendQuoted(out, name[3:]), ':'), value), ',')
		}
	}
	if !binary {
		return body, false
	}
	if isJSON(contentType) && wellFormed(body) {
		return append(append(append(out, `"data":`...), body...), '}'), true
	}
	out = append(out, `"data_base64":"`...)
	out = base64.StdEncoding.AppendEncode(out, body)
	return append(out, `"}`...), true
}

// appendQuoted appends a text as JSON. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(to []byte, text string) []byte {
	quoted, _ := json.Marshal(text) // a text can always be written
	return append(to, quoted...)
}

// isJSON says whether a content type is JSON's. Without one it is.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.HasSuffix(kind, "/json") || strings.HasSuffix(kind, "+json")
}

// wellFormed says whether a body is one JSON value. One that is not would make the whole event
// unreadable.
func wellFormed(body []byte) bool {
	s := scanner{in: body}
	return s.skip() == nil && s.end() == nil
}

// unescapePercent takes off the escapes that CloudEvents puts on header values of HTTP. What is no
// escape stays.
func unescapePercent(value string) string {
	if !strings.Contains(value, "%") {
		return value
	}
	out := make([]byte, 0, len(value))
	for i := 0; i < len(value); i++ {
		if value[i] == '%' && i+2 < len(value) && isHex(value[i+1:i+3]) {
			n, _ := strconv.ParseUint(value[i+1:i+3], 16, 8)
			out, i = append(out, byte(n)), i+2
			continue
		}
		out = append(out, value[i])
	}
	return string(out)
}
