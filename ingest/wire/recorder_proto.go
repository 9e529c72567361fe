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

// field is one field of a message: a message or text, or a number.
type field struct {
	message
	num    protowire.Number
	typ    protowire.Type
	number uint64
}

// each calls visit for every field. Its errors name the place.
func (m message) each(visit func(f field) error) error {
	for at := 0; at < len(m.in); {
		num, typ, n := protowire.ConsumeTag(m.in[at:])
		if n < 0 {
			return &syntaxError{m.at + at, "not protobuf: " + protowire.ParseError(n).Error()}
		}
		start := at + n
		f := field{num: num, typ: typ}
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
		stamp = stamp || f.num == 1 && f.typ == protowire.BytesType
		data = data || f.num == 3 && f.typ == protowire.BytesType
		return nil
	})
	return err == nil && stamp && data
}

func (r *reading) happeningProto(m message, h *happening) error {
	return m.each(func(f field) error {
		switch f.num {
		case 1:
			return r.timeProto("@timestamp", f, &h.at)
		case 3:
			return f.each(func(f field) error {
				name, known := happenings[int(f.num)]
				if !known {
					r.warn(place{field: "data"}, "event %d is not known, ignored", f.num)
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
		switch f.num {
		case 1:
			return r.seenProto(h, "alert", f)
		case 2:
			return r.groupProto(h, f)
		}
	case notified:
		switch f.num {
		case 1:
			h.met++
			return r.seenProto(h, "alerts["+strconv.Itoa(h.met-1)+"]", f)
		case 5:
			return r.groupProto(h, f)
		}
	case silenceCreated, silenceUpdated, silenceMuted:
		switch f.num {
		case 1:
			return f.each(func(f field) error { return r.silenceProto(&h.silence, f) })
		case 2:
			return r.mutedProto(h, f)
		}
	case inhibitionMuted:
		return r.inhibitedProto(h, f)
	}
	return nil
}

func (r *reading) inhibitedProto(h *happening, f field) error {
	switch f.num {
	case 1:
		return f.each(func(f field) error {
			if f.num == 4 && h.rule == "" {
				r.textProto("inhibitRules.name", f, &h.rule)
			}
			return nil
		})
	case 2:
		return r.mutedProto(h, f)
	case 3:
		return r.fingerprintsProto(h, f)
	}
	return nil
}

// fingerprintsProto takes one number, or several that stand together.
func (r *reading) fingerprintsProto(h *happening, f field) error {
	if f.typ == protowire.VarintType {
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
		if f.num == 2 {
			h.muted = ingest.FormatFingerprint(f.number)
		}
		return nil
	})
}

func (r *reading) groupProto(h *happening, f field) error {
	return f.each(func(f field) error {
		switch f.num {
		case 1:
			r.textProto("groupInfo.groupKey", f, &h.groupKey)
		case 4:
			r.textProto("groupInfo.receiverName", f, &h.receiver)
		}
		return nil
	})
}

func (r *reading) silenceProto(s *ingest.Silence, f field) error {
	switch f.num {
	case 1:
		r.textProto("silence.id", f, &s.ID)
	case 2:
		return f.each(func(f field) error {
			if f.num == 4 {
				s.Matchers = append(s.Matchers, "")
				r.textProto("silence.matchers", f, &s.Matchers[len(s.Matchers)-1])
			}
			return nil
		})
	case 4:
		return r.timeProto("silence.startsAt", f, &s.From)
	case 5:
		return r.timeProto("silence.endsAt", f, &s.To)
	case 7:
		r.textProto("silence.createdBy", f, &s.Author)
	case 8:
		r.textProto("silence.comment", f, &s.Comment)
	}
	return nil
}

// seenProto reads an alert (of a created event), or a reference to one that may have its details.
func (r *reading) seenProto(h *happening, item string, f field) error {
	var a recordedAlert
	end := r.at
	r.at = f.at + len(f.in)
	err := r.judge(item, f.at, func() error {
		if h.name == alertCreated {
			return f.each(func(f field) error { return r.detailProto(&a, f) })
		}
		return f.each(func(f field) error {
			if f.num != 2 {
				return nil
			}
			return f.each(func(f field) error { return r.detailProto(&a, f) })
		})
	}, func() {
		if seen := a.event(r); seen != nil && r.bad == "" {
			h.alerts = append(h.alerts, seen)
		}
	})
	r.at = end
	return err
}

func (r *reading) detailProto(a *recordedAlert, f field) error {
	a.details = true
	switch f.num {
	case 1:
		a.fingerprint = ingest.FormatFingerprint(f.number)
	case 3:
		return r.pairsProto("labels", f, &a.labels)
	case 4:
		return r.pairsProto("annotations", f, &a.annotations)
	case 5:
		return r.timeProto("startsAt", f, &a.starts)
	case 6:
		return r.timeProto("endsAt", f, &a.ends)
	case 7:
		a.resolved = f.number != 0
	}
	return nil
}

func (r *reading) pairsProto(name string, f field, to *ingest.Labels) error {
	var ls ingest.Labels
	err := f.each(func(f field) error {
		if f.num != 1 {
			return nil
		}
		var l ingest.Label
		err := f.each(func(f field) error {
			switch f.num {
			case 1:
				r.textProto(name, f, &l.Name)
			case 2:
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
		switch f.num {
		case 1:
			seconds = int64(f.number)
		case 2:
			nanos = int64(int32(f.number))
		}
		return nil
	})
	*to = r.plausible(at, time.Unix(seconds, nanos).UTC(), strconv.FormatInt(seconds, 10)+" s")
	return err
}
