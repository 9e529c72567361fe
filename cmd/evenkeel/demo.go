package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/app"
)

func addDemo(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("demo", "Show everything: 90 days of a made-up shop, then a storm that arrives live.")
	var opts app.DemoOptions
	cmd.Flag("once", "End when the storm has arrived and the report is written.").BoolVar(&opts.Once)
	cmd.Flag("output", "Folder of the report; by default the demo's own folder in your cache.").StringVar(&opts.Output)
	cmd.Flag("seed", "The same seed and --now make the same history.").Default("1").Uint64Var(&opts.Seed)
	now := cmd.Flag("now", "When the history ends, RFC 3339; by default the last midnight in UTC.").String()
	opts.Web = kingpinflag.AddFlags(cmd, defaultAddress)
	logging := &promslog.Config{}
	addLogFlags(cmd, logging)
	cmd.GetFlag("log.level").Default("warn")
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		logging.Writer = std.err
		opts.Logger, opts.Talk = promslog.New(logging), std.err
		var err error
		if opts.Now, err = demoEnd(*now); err != nil {
			return fmt.Errorf("--now: %w", err)
		}
		done, err := demoFolders(&opts)
		if err != nil {
			return err
		}
		defer done()
		return app.Demo(ctx, opts)
	}
}

// demoEnd is when the history ends.
func demoEnd(now string) (ingest.Millis, error) {
	if now == "" {
		return ingest.MillisOf(time.Now().UTC().Truncate(24 * time.Hour)), nil
	}
	return parseInstant(now)
}

// demoFolders chooses where the data lie: one folder of the cache for each seed and end, so
// that the next start finds it again; with --once a temporary one.
func demoFolders(opts *app.DemoOptions) (done func(), err error) {
	if opts.Once {
		opts.Storage, err = os.MkdirTemp("", "evenkeel-demo-")
		if opts.Output == "" {
			opts.Output = "."
		}
		return func() { _ = os.RemoveAll(opts.Storage) }, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	opts.Storage = filepath.Join(cache, "evenkeel", "demo", fmt.Sprintf("%s-%d", opts.Now.Time().Format("20060102T150405Z"), opts.Seed))
	if opts.Output == "" {
		opts.Output = opts.Storage
	}
	return func() {}, nil
}
