package partition

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/sla"
)

// Configuration is all that the fold depends on beside deliveries. It is written
// to the journal, and the fold uses it from that record on.
type Configuration struct {
	Decoding    wire.Config      `json:"decoding"`
	Correlation correlate.Config `json:"correlation"`
	Levels      sla.Config       `json:"levels"`
}

// Check says what in c the fold would refuse.
func (c Configuration) Check() error {
	_, err := wire.New(c.Decoding)
	return errors.Join(err, correlate.New(0).Configure(c.Correlation), c.Levels.Validate())
}

// Record returns the journal record that switches the fold to c.
func (c Configuration) Record() (ingest.Record, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return ingest.Record{}, fmt.Errorf("encode the configuration: %w", err)
	}
	return ingest.Record{Kind: ingest.KindConfiguration, Tenant: ingest.DefaultTenant, Source: "evenkeel", Body: body}, nil
}

// Hash tells c apart from other configurations: it is that of its record's body.
func (c Configuration) Hash() (string, error) {
	rec, err := c.Record()
	return Hash(rec.Body), err
}

// Hash returns the SHA-256 of a configuration record's body, in hex: what tells
// two configurations apart.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// ParseConfiguration reads the body of a configuration record.
func ParseConfiguration(body []byte) (Configuration, error) {
	var c Configuration
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("decode the configuration: %w", err)
	}
	return c, nil
}
