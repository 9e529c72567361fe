package wire

import (
	"strconv"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/ingest"
)

// message is a protobuf message that stands at a place in the body.
type message struct {
	in []byte
	at int
}

// field is one field of a message: a message or text, or a number. Its tag tells which field and
// which of these: a field of another type than it should be is none that is known.
type field struct {
	message
	tag    uint64
	number uint64
}

// bytesOf and numberOf are the tags of a field by its number in the definition.
func bytesOf(num protowire.Number) uint64  { return protowire.EncodeTag(num, protowire.BytesType) }
func numberOf(num protowire.Number) uint64 { return protowire.EncodeTag(num, protowire.VarintType) }

// each calls visit for every field. Its errors name the place.
func (m message) each(visit func(f field) error) error {
	for at := 0; at < len(m.in); {
		num, typ, n := protowire.ConsumeTag(m.in[at:])
		if n < 0 {
			return &syntaxError{m.at + at, "not protobuf: " + protowire.ParseError(n).Error()}
		}
		start := at + n
		f := field{tag: protowire.EncodeTag(num, typ)}
		switch typ {
		case protowire.BytesType:
			f.in, n = protowire.ConsumeBytes(m.in[start:])
			f.at = m.at + start + n - len(f.in)
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(m.in[start:])
		default:
			n = protowire.ConsumeFieldValue(num, typ, m.in[start:])
		}
		if n < 0 {
			return &syntaxError{m.at + start, "not protobuf: " + protowire.ParseError(n).Error()}
		}
		if err := visit(f); err != nil {
			return err
		}
		at = start + n
	}
	return nil
}

// recordedProto reads events of the event recorder in protobuf: one message, as Alertmanager
// publishes it, or several, each with its length before it.
func (r *reading) recordedProto() error {
	whole := message{in: r.in}
	if isEvent(whole) {
		return r.recordedMessages([]message{whole}, func(int) string { return "event" })
	}
	var several []message
	for at := 0; at < len(r.in); {
		one, n := protowire.ConsumeBytes(r.in[at:])
		if n < 0 {
			return r.foreignBytes()
		}
		m := message{one, at + n - len(one)}
		if !isEvent(m) {
			return r.foreignBytes()
		}
		several, at = append(several, m), at+n
	}
	if len(several) == 0 {
		return r.foreignBytes()
	}
	return r.recordedMessages(several, func(i int) string { return "events[" + strconv.Itoa(i) + "]" })
}

func (r *reading) recordedMessages(all []message, item func(i int) string) error {
	for i, m := range all {
		var h happening
		r.at = m.at + len(m.in)
		if err := r.judge(item(i), m.at, func() error { return r.happeningProto(m, &h) }, func() { h.give(r) }); err != nil {
			return err
		}
	}
	if len(r.out.Events) == 0 && len(r.out.Dead) > 0 {
		return &syntaxError{r.badAt, r.out.Dead[0].Reason}
	}
	return nil
}

// isEvent says whether a message can be one of the event recorder's: it has a time and something
// happened. Many byte strings are protobuf of some kind.
func isEvent(m message) bool {
	var stamp, data bool
	err := m.each(func(f field) error {
		stamp = stamp || f.tag == bytesOf(1)
		data = data || f.tag == bytesOf(3)
		return nil
	})
	return err == nil && stamp && data
}

func (r *reading) happeningProto(m message, h *happening) error {
	return m.each(func(f field) error {
		switch f.tag {
		case bytesOf(1):
			return r.timeProto("@timestamp", f, &h.at)
		case bytesOf(3):
			return f.each(func(f field) error {
				num, typ := protowire.DecodeTag(f.tag)
				name, known := happenings[int(num)]
				if !known || typ != protowire.BytesType {
					r.warn(place{field: "data"}, "event %d is not known, ignored", num)
					return nil
				}
				h.name = name
				return f.each(func(f field) error { return r.whatProto(h, f) })
			})
		}
		return nil
	})
}

// whatProto reads one field of the event's own message: what each number means depends on
// the event.
func (r *reading) whatProto(h *happening, f field) error {
	switch h.name {
	case alertCreated, alertResolved, alertGrouped:
		switch f.tag {
		case bytesOf(1):
			return r.seenProto(h, "alert", f)
		case bytesOf(2):
			return r.groupProto(h, f)
		}
	case notified:
		switch f.tag {
		case bytesOf(1):
			return r.seenProto(h, "alerts["+strconv.Itoa(h.met)+"]", f)
		case bytesOf(5):
			return r.groupProto(h, f)
		}
	case silenceCreated, silenceUpdated, silenceMuted:
		switch f.tag {
		case bytesOf(1):
			return f.each(func(f field) error { return r.silenceProto(&h.silence, f) })
		case bytesOf(2):
			return r.mutedProto(h, f)
		}
	case inhibitionMuted:
		return r.inhibitedProto(h, f)
	}
	return nil
}

func (r *reading) inhibitedProto(h *happening, f field) error {
	switch f.tag {
	case bytesOf(1):
		return f.each(func(f field) error {
			if f.tag == bytesOf(4) && h.rule == "" {
				r.textProto("inhibitRules.name", f, &h.rule)
			}
			return nil
		})
	case bytesOf(2):
		return r.mutedProto(h, f)
	case bytesOf(3), numberOf(3):
		return r.fingerprintsProto(h, f)
	}
	return nil
}

// fingerprintsProto takes one number, or several that stand together.
func (r *reading) fingerprintsProto(h *happening, f field) error {
	if f.tag == numberOf(3) {
		h.causes = append(h.causes, ingest.FormatFingerprint(f.number))
		return nil
	}
	for at := 0; at < len(f.in); {
		v, n := protowire.ConsumeVarint(f.in[at:])
		if n < 0 {
			return &syntaxError{f.at + at, "not protobuf: " + protowire.ParseError(n).Error()}
		}
		h.causes, at = append(h.causes, ingest.FormatFingerprint(v)), at+n
	}
	return nil
}

func (r *reading) mutedProto(h *happening, f field) error {
	return f.each(func(f field) error {
		if f.tag == numberOf(2) {
			h.muted = ingest.FormatFingerprint(f.number)
		}
		return nil
	})
}

func (r *reading) groupProto(h *happening, f field) error {
	return f.each(func(f field) error {
		switch f.tag {
		case bytesOf(1):
			r.textProto("groupInfo.groupKey", f, &h.groupKey)
		case bytesOf(4):
			r.textProto("groupInfo.receiverName", f, &h.receiver)
		}
		return nil
	})
}

func (r *reading) silenceProto(s *ingest.Silence, f field) error {
	switch f.tag {
	case bytesOf(1):
		r.textProto("silence.id", f, &s.ID)
	case bytesOf(2):
		return f.each(func(f field) error {
			if f.tag == bytesOf(4) {
				s.Matchers = append(s.Matchers, "")
				r.textProto("silence.matchers", f, &s.Matchers[len(s.Matchers)-1])
			}
			return nil
		})
	case bytesOf(4):
		return r.timeProto("silence.startsAt", f, &s.From)
	case bytesOf(5):
		return r.timeProto("silence.endsAt", f, &s.To)
	case bytesOf(7):
		r.textProto("silence.createdBy", f, &s.Author)
	case bytesOf(8):
		r.textProto("silence.comment", f, &s.Comment)
	}
	return nil
}

// seenProto reads an alert (of a created event), or a reference to one that may have its details.
func (r *reading) seenProto(h *happening, item string, f field) error {
	a := recordedAlert{details: h.name == alertCreated}
	h.met++
	detail := func(f field) error { return r.detailProto(&a, f) }
	read := func() error { return f.each(detail) }
	if !a.details {
		read = func() error {
			return f.each(func(f field) error {
				if f.tag != bytesOf(2) {
					return nil
				}
				a.details = true
				return f.each(detail)
			})
		}
	}
	end := r.at
	r.at = f.at + len(f.in)
	err := r.judge(item, f.at, read, func() { h.see(r, &a) })
	r.at = end
	return err
}

func (r *reading) detailProto(a *recordedAlert, f field) error {
	switch f.tag {
	case numberOf(1):
		a.fingerprint = ingest.FormatFingerprint(f.number)
	case bytesOf(3):
		return r.pairsProto("labels", f, &a.labels)
	case bytesOf(4):
		return r.pairsProto("annotations", f, &a.annotations)
	case bytesOf(5):
		return r.timeProto("startsAt", f, &a.starts)
	case bytesOf(6):
		return r.timeProto("endsAt", f, &a.ends)
	case numberOf(7):
		a.resolved = f.number != 0
	}
	return nil
}

func (r *reading) pairsProto(name string, f field, to *ingest.Labels) error {
	var ls ingest.Labels
	err := f.each(func(f field) error {
		if f.tag != bytesOf(1) {
			return nil
		}
		var l ingest.Label
		err := f.each(func(f field) error {
			switch f.tag {
			case bytesOf(1):
				r.textProto(name, f, &l.Name)
			case bytesOf(2):
				r.textProto(name, f, &l.Value)
			}
			return nil
		})
		if l.Name == "" {
			r.wrong(place{field: name}, "a name is empty")
		}
		ls = append(ls, l)
		return err
	})
	*to = sorted(ls)
	return err
}

func (r *reading) textProto(at string, f field, to *string) {
	if !utf8.Valid(f.in) {
		r.wrong(place{field: at}, "not valid UTF-8")
		return
	}
	*to = string(f.in)
}

// timeProto takes a google.protobuf.Timestamp: seconds and nanoseconds since 1970.
func (r *reading) timeProto(at string, f field, to *ingest.Millis) error {
	var seconds, nanos int64
	err := f.each(func(f field) error {
		switch f.tag {
		case numberOf(1):
			seconds = int64(f.number)
		case numberOf(2):
			nanos = int64(int32(f.number))
		}
		return nil
	})
	*to = r.plausible(at, time.Unix(seconds, nanos).UTC(), strconv.FormatInt(seconds, 10)+" s")
	return err
}
