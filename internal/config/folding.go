package config

import "github.com/evenkeel/evenkeel/internal/partition"

// Folding returns all that the fold depends on: what becomes a record of the journal.
func (c *Config) Folding() partition.Configuration {
	return partition.Configuration{Decoding: c.Decoding(), Correlation: c.Correlation(), Levels: c.Levels()}
}
