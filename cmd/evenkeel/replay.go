package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/app"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// replayFlags say what is replayed and where the results go.
type replayFlags struct {
	deliveries, storage, config string
	catalogue                   []string
	assignments, incidents      string
}

func addReplay(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("replay", "Fold recorded deliveries as the service would, without a store.")
	var f replayFlags
	cmd.Flag("deliveries", "Recorded deliveries, one JSON object a line, plain or gzipped.").PlaceHolder("FILE").ExistingFileVar(&f.deliveries)
	cmd.Flag("storage.path", "Instead of --deliveries: the storage folder of a service that is stopped. Its journal holds its configurations.").PlaceHolder("DIR").ExistingDirVar(&f.storage)
	cmd.Flag("catalogue", "The services, in place of those that the configuration names. Repeatable.").PlaceHolder("FILE").ExistingFilesVar(&f.catalogue)
	cmd.Flag("config.file", "The root configuration. Default: an empty one. With --storage.path only for the address of ClickHouse, which has what the journal no longer has.").PlaceHolder("FILE").ExistingFileVar(&f.config)
	cmd.Flag("assignments", "Write which incident each episode is in, and why, to this file; - is stdout.").PlaceHolder("FILE").StringVar(&f.assignments)
	cmd.Flag("incidents", "Write the incidents to this file; - is stdout.").PlaceHolder("FILE").StringVar(&f.incidents)
	actions[cmd.FullCommand()] = f.run
}

func (f *replayFlags) run(ctx context.Context, std streams) error {
	var replay *partition.Replay
	var records int
	var err error
	switch {
	case (f.deliveries == "") == (f.storage == ""):
		return usageError("replay needs one of --deliveries and --storage.path")
	case f.storage != "" && len(f.catalogue) > 0:
		return usageError("--catalogue goes with --deliveries: a journal holds its own configurations")
	case f.deliveries != "":
		replay, records, err = f.replayDeliveries(std)
	default:
		replay, records, err = f.replayJournal(ctx, std)
	}
	if err != nil {
		return err
	}
	if records == 0 {
		return fmt.Errorf("%s holds no records", cmp.Or(f.deliveries, f.storage))
	}
	episodes, incidents := replay.Episodes(), live(replay.Incidents())
	for _, d := range replay.DeadLetters() {
		fmt.Fprintf(std.err, "not understood, received %s: %s\n", d.ReceivedAt, d.Reason)
	}
	fmt.Fprintf(std.err, "%s, %s, %s, %s\n", improve.Plural(records, "record"), improve.Plural(len(episodes), "episode"),
		improve.Plural(len(incidents), "incident"), improve.Plural(len(replay.DeadLetters()), "dead letter"))
	return errors.Join(
		writeTo(f.assignments, std, func(w io.Writer) error { return eval.WriteAssignments(w, episodes) }),
		writeTo(f.incidents, std, func(w io.Writer) error { return eval.WriteIncidents(w, incidents) }))
}

// replayJournal applies all that a service has received, its configurations included.
func (f *replayFlags) replayJournal(ctx context.Context, std streams) (*partition.Replay, int, error) {
	c, warnings, err := config.Load(f.config)
	warn(std.err, warnings)
	if err != nil {
		return nil, 0, err
	}
	history := app.History{Storage: f.storage, ClickHouse: c.ClickHouse}
	skips, err := history.Skips(ctx)
	if err != nil {
		return nil, 0, err
	}
	replay, records := partition.NewReplay(0, skips...), 0
	err = history.Each(ctx, func(rec ingest.Record) error {
		replay.Apply(rec)
		records++
		return nil
	})
	return replay, records, err
}

// replayDeliveries applies the configuration and then the recorded deliveries.
func (f *replayFlags) replayDeliveries(std streams) (*partition.Replay, int, error) {
	c, warnings, err := config.Load(f.config, f.catalogue...)
	warn(std.err, warnings)
	if err != nil {
		return nil, 0, err
	}
	first, err := c.Folding().Record()
	if err != nil {
		return nil, 0, err
	}
	file, err := os.Open(f.deliveries)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	replay, records := partition.NewReplay(0), 0
	for rec, err := range wire.Recorded(file) {
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", f.deliveries, err)
		}
		if records == 0 {
			first.ReceivedAt = rec.ReceivedAt
			replay.Apply(first)
			records++
		}
		replay.Apply(rec)
		records++
	}
	replay.Finish() // a journal is replayed to where its service stood: a file ends for good
	return replay, records, nil
}

// live leaves out incidents that live on in another one.
func live(all []correlate.Incident) []correlate.Incident {
	var kept []correlate.Incident
	for _, i := range all {
		if i.State != correlate.IncidentMerged {
			kept = append(kept, i)
		}
	}
	return kept
}

// writeTo writes to the named file; "" is nowhere and - is stdout.
func writeTo(name string, std streams, write func(io.Writer) error) error {
	switch name {
	case "":
		return nil
	case "-":
		return write(std.out)
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
