package wire

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// DefaultSLI is the indicator of a sample that names none.
const DefaultSLI = "availability"

// samples reads counts of good and of all requests: a list of them, or one.
func (r *reading) samples() error {
	r.of = ingest.SourceOfSamples
	return r.list("sample", "samples", func(item string) error {
		var s sample
		return r.each(item, func() error { return r.sample(&s) }, func() {
			if event := s.event(r); r.bad == "" {
				r.event(ingest.Event{Sample: event})
			}
		})
	})
}

// sample is one sample as sent.
type sample struct {
	service, sli, good, total, at string
}

func (r *reading) sample(s *sample) error {
	return r.object(func(name string) error {
		at := place{field: name}
		switch name {
		case "service":
			return r.str(at, &s.service)
		case "sli":
			return r.str(at, &s.sli)
		case "at":
			return r.str(at, &s.at)
		case "good":
			return r.numeral(at, &s.good)
		case "total":
			return r.numeral(at, &s.total)
		}
		r.warn(place{field: short(name)}, "not a field of a sample, ignored")
		return r.skip()
	})
}

// numeral takes the text of a number, quoted or not; null leaves it alone.
func (r *reading) numeral(at place, to *string) (err error) {
	if r.kind() == "number" {
		*to, err = r.number()
		return err
	}
	return r.str(at, to)
}

func (s *sample) event(r *reading) *ingest.Sample {
	e := &ingest.Sample{
		Service: s.service, SLI: s.sli, At: r.instant("at", s.at),
		Good: r.count("good", s.good), Total: r.count("total", s.total),
	}
	r.checkSample(e)
	return e
}

// parseNumber reads a decimal number; one that is too large is infinite. Go would take hexadecimal ones, too.
func parseNumber(text string) (n float64, isNumber bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(n) || strings.ContainsAny(text, "xX") {
		return 0, false
	}
	return n, true
}

// maxCount is where a count stops being plausible; nine million of them can still be summed.
const maxCount = 1e9

// count reads how many, to the nearest thousandth.
func (r *reading) count(field, text string) ingest.Count {
	n, isNumber := parseNumber(text)
	switch {
	case text == "":
		r.wrong(place{field: field}, "missing")
	case !isNumber:
		r.wrong(place{field: field}, "%q is not a number", short(text))
	case n < 0:
		r.wrong(place{field: field}, "%s is negative", short(text))
	case n > maxCount:
		r.wrong(place{field: field}, "%s is more than %d", short(text), int64(maxCount))
	default:
		return ingest.Count(math.Round(n * 1000))
	}
	return 0
}
