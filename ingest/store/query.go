package store

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// The queries. Each stands in a file of its own, with what it answers.
var (
	//go:embed sql/changes.sql
	changesSQL string
	//go:embed sql/dead_letters.sql
	deadLettersSQL string
	//go:embed sql/history_from.sql
	historyFromSQL string
	//go:embed sql/intake.sql
	intakeSQL string
	//go:embed sql/records.sql
	recordsSQL string
)

// ArrivalsQuery asks for what arrived in [From, To) as recorded up to AsOf.
type ArrivalsQuery struct {
	Tenant   string // "" is the default tenant
	Service  string // "" is any; of changes only
	From, To ingest.Millis
	AsOf     ingest.Millis // required
	Limit    int           // 0 is DefaultLimit
}

// DefaultLimit is how many rows come when no limit is given.
const DefaultLimit = 1000

func (q ArrivalsQuery) check() error {
	switch {
	case q.To <= q.From:
		return fmt.Errorf("window %s to %s: the end must be after the start", q.From, q.To)
	case q.AsOf <= 0:
		return errors.New("as_of is missing: the instant that the answer speaks from")
	case q.Limit < 0:
		return fmt.Errorf("limit %d is negative", q.Limit)
	}
	return nil
}

func (q ArrivalsQuery) params() clickhouse.Params {
	return clickhouse.Params{
		"tenant":   cmp.Or(q.Tenant, ingest.DefaultTenant),
		"service":  q.Service,
		"from_ms":  strconv.FormatInt(int64(q.From), 10),
		"to_ms":    strconv.FormatInt(int64(q.To), 10),
		"as_of_ms": strconv.FormatInt(int64(q.AsOf), 10),
		"limit":    strconv.Itoa(cmp.Or(q.Limit, DefaultLimit)),
	}
}
