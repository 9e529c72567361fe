package partition

import (
	"context"
	_ "embed" // the queries
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

var (
	//go:embed sql/configuration_place.sql
	configurationPlaceSQL string
	//go:embed sql/configuration_body.sql
	configurationBodySQL string
)

// Configurations reads which configuration was in force at an instant. A record never
// changes, so each is read and decoded once; which one it is, is asked every time. It
// may be used by many goroutines at once.
type Configurations struct {
	db clickhouse.Querier

	mu    sync.Mutex
	known map[place]Configuration
}

// place is where a configuration record stands.
type place struct {
	partition uint32
	position  uint64
}

// maxKnown bounds the configurations that are kept decoded: a catalogue may be large, and
// most answers speak of the newest one.
const maxKnown = 16

// NewConfigurations returns what reads configurations from db.
func NewConfigurations(db clickhouse.Querier) *Configurations {
	return &Configurations{db: db, known: map[place]Configuration{}}
}

// At returns the configuration that was in force at asOf, which is to be read only. Before the
// first one it is an error that wraps [ErrEmpty].
func (c *Configurations) At(ctx context.Context, asOf ingest.Millis) (Configuration, error) {
	var at place
	err := one(ctx, c.db, configurationPlaceSQL, clickhouse.Params{
		"tenant": ingest.DefaultTenant, "as_of_ms": strconv.FormatInt(int64(asOf), 10),
	}, &at.partition, &at.position)
	if errors.Is(err, ErrEmpty) {
		return Configuration{}, fmt.Errorf("no configuration was in force at %s: %w", asOf, err)
	}
	if err != nil {
		return Configuration{}, err
	}
	if known, ok := c.lookUp(at); ok {
		return known, nil
	}
	return c.read(ctx, at)
}

func (c *Configurations) lookUp(at place) (Configuration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[at]
	return known, ok
}

func (c *Configurations) read(ctx context.Context, at place) (Configuration, error) {
	var body string
	err := one(ctx, c.db, configurationBodySQL, clickhouse.Params{
		"tenant":    ingest.DefaultTenant,
		"partition": strconv.FormatUint(uint64(at.partition), 10), "position": strconv.FormatUint(at.position, 10),
	}, &body)
	if err != nil {
		return Configuration{}, fmt.Errorf("read the configuration at position %d: %w", at.position, err)
	}
	parsed, err := ParseConfiguration([]byte(body))
	if err != nil {
		return Configuration{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[at] = parsed
	return parsed, nil
}
