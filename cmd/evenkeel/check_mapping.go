package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/config"
)

// mappingFlags say what is read by which source's mapping.
type mappingFlags struct {
	config, source, received string
	files                    []string
}

func addCheckMapping(check *kingpin.CmdClause, actions map[string]action) {
	var f mappingFlags
	cmd := check.Command("mapping", "Read samples by the mapping of a source, and print the events, one JSON object a line. Nothing is kept.")
	cmd.Flag("config.file", "The root configuration.").PlaceHolder("FILE").Required().ExistingFileVar(&f.config)
	cmd.Flag("source", "The source whose mapping reads the samples.").PlaceHolder("NAME").Required().StringVar(&f.source)
	cmd.Flag("received-at", "When the samples are taken to arrive. Default: now.").PlaceHolder("TIME").StringVar(&f.received)
	cmd.Arg("file", "The samples, each as the source sends it.").PlaceHolder("FILE").Required().StringsVar(&f.files)
	actions[cmd.FullCommand()] = f.run
}

func (f *mappingFlags) run(_ context.Context, std streams) error {
	received := ingest.MillisOf(time.Now())
	if f.received != "" {
		at, err := time.Parse(time.RFC3339, f.received)
		if err != nil {
			return usageError(fmt.Sprintf("--received-at: %q is not RFC 3339", f.received))
		}
		received = ingest.MillisOf(at)
	}
	decoder, err := f.decoder(std)
	if err != nil {
		return err
	}
	found := false
	for _, name := range f.files {
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		delivery, err := decoder.Read(ingest.Record{
			Kind: ingest.KindDelivery, Path: ingest.PathMapped, Source: f.source, ReceivedAt: received, Body: body,
		})
		if err != nil {
			delivery.Dead = []ingest.DeadLetter{{Reason: err.Error()}}
		}
		if err := show(name, delivery, std); err != nil {
			return err
		}
		found = found || len(delivery.Dead) > 0
	}
	if found {
		return errProblems
	}
	return nil
}

// decoder returns one that knows the source's mapping.
func (f *mappingFlags) decoder(std streams) (*wire.Decoder, error) {
	c, warnings, err := config.Load(f.config)
	warn(std.err, warnings)
	if err != nil {
		return nil, err
	}
	decoding := c.Decoding()
	if _, known := decoding.Mappings[f.source]; !known {
		return nil, fmt.Errorf("%s: the source %q has no mapping", f.config, f.source)
	}
	return wire.New(decoding)
}

// show prints the events to stdout, and to stderr what was not understood or not used.
func show(name string, d ingest.Decoded, std streams) error {
	lines := json.NewEncoder(std.out)
	lines.SetEscapeHTML(false)
	var errs []error
	for _, e := range d.Events {
		errs = append(errs, lines.Encode(e))
	}
	for _, w := range d.Warnings {
		fmt.Fprintf(std.err, "warning: %s: %s\n", name, w)
	}
	for _, dead := range d.Dead {
		fmt.Fprintf(std.err, "%s: %s\n", name, dead.Reason)
	}
	return errors.Join(errs...)
}
