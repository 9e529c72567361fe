package main

import (
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/ingest"
)

// instant is the value of a flag that takes an instant; 0 where it is not given.
type instant ingest.Millis

// instantFlag makes f a flag that takes an instant.
func instantFlag(f *kingpin.FlagClause) *ingest.Millis {
	var at ingest.Millis
	f.PlaceHolder("TIME").SetValue((*instant)(&at))
	return &at
}

// Set implements kingpin.Value.
func (i *instant) Set(text string) error {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("%q is not an instant; write it as 2026-10-01T00:00:00Z or 2026-10-01T02:00:00+02:00", text)
	}
	*i = instant(ingest.MillisOf(t))
	return nil
}

// String implements kingpin.Value.
func (i *instant) String() string {
	if *i == 0 {
		return ""
	}
	return ingest.Millis(*i).String()
}
