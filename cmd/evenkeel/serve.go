package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/evenkeel/evenkeel/internal/app"
)

const (
	defaultAddress = "127.0.0.1:9095"
	defaultStorage = "data"
)

func addServe(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("serve", "Receive deliveries, keep incidents and levels, show pages and API.")
	var opts app.Options
	cmd.Flag("config.file", "The root configuration.").Default("evenkeel.yml").StringVar(&opts.ConfigFile)
	cmd.Flag("storage.path", "Folder of the journal, the checkpoint and the embedded ClickHouse.").Default(defaultStorage).StringVar(&opts.Storage)
	cmd.Flag("web.external-url", "Where people reach the pages. Default: what each request asks for.").PlaceHolder("URL").StringVar(&opts.ExternalURL)
	cmd.Flag("web.allow-unauthenticated", "Allow other addresses than the loopback without authentication.").BoolVar(&opts.AllowUnauthenticated)
	opts.Web = kingpinflag.AddFlags(cmd, defaultAddress)
	cmd.GetFlag("web.config.file").PlaceHolder("FILE")
	logging := &promslog.Config{}
	addLogFlags(cmd, logging)
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		logging.Writer = std.err
		opts.Logger = promslog.New(logging)
		collectLess()
		a, err := app.New(ctx, opts)
		if err != nil {
			return err
		}
		running, stop := context.WithCancel(ctx)
		defer stop()
		go reloadOnHangup(running, a, opts.Logger)
		return a.Run(ctx)
	}
}

// collectLess lets memory grow to three times what is in use before it is collected, where GOGC does not say
// otherwise. A flood of new alerts leaves all of them in use: at Go's two times, a quarter of the CPU went
// into looking at them again and again.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

// reloadOnHangup loads the configuration again at every SIGHUP, until ctx ends.
func reloadOnHangup(ctx context.Context, a *app.App, logger *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			if err := a.Reload(ctx); err != nil {
				logger.Error("The configuration was not loaded", "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// addLogFlags adds --log.level and --log.format to one subcommand.
func addLogFlags(cmd *kingpin.CmdClause, c *promslog.Config) {
	c.Level = promslog.NewLevel()
	c.Format = promslog.NewFormat()
	cmd.Flag(promslogflag.LevelFlagName, promslogflag.LevelFlagHelp).Default("info").SetValue(c.Level)
	cmd.Flag(promslogflag.FormatFlagName, promslogflag.FormatFlagHelp).Default("logfmt").SetValue(c.Format)
}
