package wire

import (
	"encoding/json"

	"github.com/evenkeel/evenkeel/ingest"
)

// ProgressOf returns the record that says of a source how far its stream was read.
func ProgressOf(tenant, source string, p ingest.Progress) (ingest.Record, error) {
	body, err := json.Marshal(p)
	return ingest.Record{
		Kind: ingest.KindDelivery, Tenant: tenant, Source: source, Path: ingest.PathProgress, Body: body,
	}, err
}

// progress reads how far a stream was read: one object.
func (r *reading) progress() error {
	return r.list("progress", "progress", func(item string) error {
		var stream, readTo string
		return r.each(item, func() error {
			return r.object(func(name string) error {
				at := place{field: name}
				switch name {
				case "stream":
					return r.str(at, &stream)
				case "read_to":
					return r.str(at, &readTo)
				}
				r.warn(place{field: short(name)}, "not a field of progress, ignored")
				return r.skip()
			})
		}, func() {
			p := &ingest.Progress{Stream: stream, ReadTo: r.instant("read_to", readTo)}
			switch {
			case p.Stream == "":
				r.wrong(place{field: "stream"}, "missing")
			case p.ReadTo == 0:
				r.wrong(place{field: "read_to"}, "missing")
			default:
				r.event(ingest.Event{Progress: p})
			}
		})
	})
}
