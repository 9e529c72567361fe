package main

import (
	"cmp"
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
	cmd.Flag("output", "Folder of the report. Default: the demo's own in your cache; with --once the current one.").PlaceHolder("DIR").StringVar(&opts.Output)
	cmd.Flag("seed", "The same --seed and --now make the same history and the same report.").Default("1").Uint64Var(&opts.Seed)
	now := instantFlag(cmd.Flag("now", "When the history ends. Default: the last midnight in UTC."))
	opts.Web = kingpinflag.AddFlags(cmd, defaultAddress)
	cmd.GetFlag("web.config.file").PlaceHolder("FILE")
	logging := &promslog.Config{}
	addLogFlags(cmd, logging)
	cmd.GetFlag("log.level").Default("error")
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		logging.Writer = std.err
		opts.Logger, opts.Talk = promslog.New(logging), std.err
		if opts.Now = *now; opts.Now == 0 {
			opts.Now = ingest.MillisOf(time.Now().UTC().Truncate(24 * time.Hour))
		}
		done, err := demoFolders(&opts)
		if err != nil {
			return err
		}
		defer done()
		return app.Demo(ctx, opts)
	}
}

// demoFolders chooses where the data lie: one folder of the cache for each seed and end, so
// that the next start finds it again; with --once a temporary one. A folder that cannot
// be written is known before the history is told, not after.
func demoFolders(opts *app.DemoOptions) (done func(), err error) {
	done = func() {}
	if opts.Once {
		if opts.Storage, err = os.MkdirTemp("", "evenkeel-demo-"); err != nil {
			return done, err
		}
		done = func() { _ = os.RemoveAll(opts.Storage) }
		opts.Output = cmp.Or(opts.Output, ".")
	} else {
		cache, err := os.UserCacheDir()
		if err != nil {
			return done, fmt.Errorf("find the cache folder: %w", err)
		}
		opts.Storage = filepath.Join(cache, "evenkeel", "demo", fmt.Sprintf("%s-%d", opts.Now.Time().Format("20060102T150405Z"), opts.Seed))
		if opts.Output == "" {
			opts.Output = opts.Storage
			return done, nil // the demo makes it, or says what else lies there
		}
	}
	if err := os.MkdirAll(opts.Output, 0o755); err != nil {
		done()
		return func() {}, fmt.Errorf("--output: %w", err)
	}
	return done, nil
}
