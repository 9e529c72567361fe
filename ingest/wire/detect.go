package wire

import (
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// traits are the names that tell the formats apart.
type traits uint32

const (
	hasAlerts traits = 1 << iota
	hasStamp
	hasData
	hasSpecVersion
	hasLabels
	hasInstant // of API v2's alerts
	hasGood
	hasTotal
	hasID
	hasService
	hasStart // of a change or a window
)

var traitOf = map[string]traits{
	"alerts": hasAlerts, "@timestamp": hasStamp, "data": hasData, "specversion": hasSpecVersion,
	"labels": hasLabels, "startsAt": hasInstant, "endsAt": hasInstant, "generatorURL": hasInstant, "annotations": hasInstant,
	"good": hasGood, "total": hasTotal, "id": hasID, "service": hasService, "started_at": hasStart, "from": hasStart,
}

func (t traits) all(of traits) bool { return t&of == of }

// traits looks at the names of the object that is next, or of the first object in the list
// that is next, and leaves the place where it is. Where the text breaks off it says what it saw.
func (s *scanner) traits() (t traits) {
	ahead := *s
	object := func() error {
		return ahead.object(func(name string) error {
			t |= traitOf[name]
			return ahead.skip()
		})
	}
	switch ahead.kind() {
	case "object":
		_ = object() // whoever reads the format says what is wrong with it
	case "array":
		_ = ahead.array(func(int) error {
			if ahead.kind() != "object" {
				return ahead.skip()
			}
			_ = object()
			return errSeen
		})
	}
	return t
}

// errSeen ends a look ahead.
var errSeen = &syntaxError{}

// alertmanager reads what comes by the path of Alertmanager: a webhook, or events of the event recorder.
func (r *reading) alertmanager() error {
	switch kind := r.kind(); {
	case kind == "array":
		if t := r.traits(); t.all(hasLabels|hasInstant) && t&(hasStamp|hasData) == 0 {
			return r.fail("neither a webhook nor events of the event recorder: alerts without them belong to %s, and what is to be told by content to %s",
				ingest.PathAlerts, ingest.PathDetect)
		}
		return r.recorderEvents()
	case kind == "object" && !r.beginsAsWebhook() && r.traits().all(hasStamp|hasData):
		return r.recorderEvents()
	}
	return r.webhook()
}

// beginsAsWebhook spares real webhooks the look ahead: Alertmanager and Grafana begin with the receiver.
func (r *reading) beginsAsWebhook() bool {
	ahead := r.scanner
	ahead.at++ // the brace
	ahead.space()
	const first = `"receiver"`
	return len(ahead.in)-ahead.at >= len(first) && string(ahead.in[ahead.at:ahead.at+len(first)]) == first
}

// detect reads any format, told by what is in it: names that only this format has. What has none of
// them is read by the mapping of the source, where it has one.
func (r *reading) detect() error {
	kind := r.kind()
	if kind != "object" && kind != "array" {
		return r.binary()
	}
	switch t := r.traits(); {
	case t.all(hasSpecVersion):
		return r.cloudEvents()
	case t.all(hasStamp | hasData):
		return r.recorderEvents()
	case t.all(hasAlerts) && kind == "object":
		return r.webhook()
	case t.all(hasGood | hasTotal):
		return r.samples()
	case t.all(hasLabels | hasInstant):
		return r.alertsPosted()
	case t.all(hasStart) && t&(hasID|hasService) != 0:
		return r.changes()
	}
	if _, known := r.config.mappings[source(r.rec)]; known {
		return r.mapped()
	}
	return r.unknown()
}

// formats says what was tried, by the names that would have told.
const formats = "an Alertmanager or Grafana webhook (alerts), alerts of API v2 (labels and startsAt, endsAt, annotations or generatorURL), " +
	"the event recorder (@timestamp and data), a CloudEvent (specversion), a change (id or service, and started_at), maintenance (id or service, and from), " +
	"a sample (good and total)"

// unknown is the error for JSON of no known format, unless it is no JSON at all or an empty list.
func (r *reading) unknown() error {
	start := r.at
	if err := r.skip(); err != nil {
		return err
	}
	if strings.Trim(string(r.in[start:r.at]), "[] \t\r\n") == "" && r.in[start] == '[' {
		return r.end()
	}
	if err := r.end(); err != nil {
		return err
	}
	return &syntaxError{start, "not of a known format, tried: " + formats + "; and the source " + strconv.Quote(short(source(r.rec))) + " has no mapping"}
}

// binary reads what cannot be JSON.
func (r *reading) binary() error {
	if len(r.in) == 0 {
		return r.unexpected("a delivery")
	}
	return r.recordedProto()
}

// foreignBytes is the error for what is neither JSON nor the event recorder's protobuf.
func (r *reading) foreignBytes() error {
	r.at = 0
	r.space()
	return r.unexpected("JSON of a known format, or protobuf of Alertmanager's event recorder,")
}
