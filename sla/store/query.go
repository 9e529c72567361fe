package store

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/sla"
)

// The queries. Each stands in a file of its own, with what it answers.
var (
	//go:embed sql/availability.sql
	availabilitySQL string
	//go:embed sql/segments.sql
	segmentsSQL string
	//go:embed sql/stretches.sql
	stretchesSQL string
	//go:embed sql/partitions.sql
	partitionsSQL string
	//go:embed sql/counts.sql
	countsSQL string
	//go:embed sql/gaps.sql
	gapsSQL string
	//go:embed sql/overlaps.sql
	overlapsSQL string
	//go:embed sql/sums.sql
	sumsSQL string
	//go:embed sql/windows.sql
	windowsSQL string
)

// scope is what every query is limited to. Parameters that a query does not name do no harm.
type scope struct {
	tenant   string
	services []string
	from, to ingest.Millis
	asOf     ingest.Millis
}

// check says what is wrong with s before anything is asked.
func (s scope) check() error {
	switch {
	case s.to <= s.from:
		return fmt.Errorf("window %s to %s: end must be after start", s.from, s.to)
	case s.asOf <= 0:
		return errors.New("as_of is missing: the instant that the answer speaks from")
	}
	return nil
}

// past returns the part of the window that had passed at as_of; it may be empty.
func (s scope) past() sla.Interval { return sla.Interval{From: s.from, To: min(s.to, s.asOf)} }

// open says whether a row that ends at to goes on at as_of, seen from a window
// that reaches as_of.
func (s scope) open(to ingest.Millis) bool { return s.to >= s.asOf && to > s.asOf }

func (s scope) params() clickhouse.Params {
	past := s.past()
	return clickhouse.Params{
		"tenant":        cmp.Or(s.tenant, ingest.DefaultTenant),
		"from_ms":       number(past.From),
		"to_ms":         number(past.To),
		"as_of_ms":      number(s.asOf),
		"max_length_ms": number(sla.MaxSegment),
		"every_service": flag(len(s.services) == 0),
		"services":      clickhouse.Strings(s.services),
	}
}

func number(m ingest.Millis) string { return strconv.FormatInt(int64(m), 10) }

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
