package app

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/webhook"
	"github.com/evenkeel/evenkeel/internal/config"
)

// reloadMetrics say whether the configuration on disk is the one in force.
type reloadMetrics struct{ success, at prometheus.Gauge }

func newReloadMetrics(reg prometheus.Registerer) *reloadMetrics {
	m := &reloadMetrics{
		success: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_config_last_reload_successful", Help: "Whether the last try to load the configuration succeeded.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_config_last_reload_success_timestamp_seconds", Help: "When the configuration in force was loaded.",
		}),
	}
	reg.MustRegister(m.success, m.at)
	return m
}

// load reads the configuration and the text of its root file, in which no secret
// stands. What is odd is logged, what is wrong is the error.
func (a *App) load() (*config.Config, string, error) {
	c, warnings, err := config.Load(a.opts.ConfigFile)
	for _, w := range warnings {
		a.logger.Warn("The configuration has something odd", "where", w.Position.String(), "what", w.Message)
	}
	if err != nil {
		return nil, "", fmt.Errorf("the configuration is wrong:\n%w", err)
	}
	if a.opts.ConfigFile == "" {
		return c, "", nil
	}
	text, err := os.ReadFile(a.opts.ConfigFile)
	return c, string(text), err
}

// show makes c what pages and API speak of.
func (a *App) show(c *config.Config, text string) {
	a.config.Store(c)
	a.text.Store(&text)
	files := contents(c)
	a.files.Store(&files)
	a.reloadFailure.Store(nil)
	a.reloads.success.Set(1)
	a.reloads.at.Set(float64(time.Now().Unix()))
}

// Reload reads the configuration again and puts it in force. A wrong one changes
// nothing. What only a start can change (storage, ClickHouse, journal) is warned about.
func (a *App) Reload(ctx context.Context) error {
	a.reload.Lock()
	defer a.reload.Unlock()
	next, err := a.prepare()
	if err == nil {
		err = a.configure(ctx, next.config, 0)
	}
	if err != nil {
		a.reloads.success.Set(0)
		why := err.Error()
		a.reloadFailure.Store(&why)
		return err
	}
	next.applyStreams()
	a.receiver.Configure(next.receiving)
	old, fresh := a.config.Load(), next.config
	a.show(fresh, next.text)
	if old.ClickHouse != fresh.ClickHouse || !reflect.DeepEqual(old.Journal, fresh.Journal) || old.Ingest != fresh.Ingest {
		a.logger.Warn("clickhouse and journal settings, or a max_ of ingest, changed: they take effect at the next start")
	}
	a.logger.Info("The configuration was loaded again")
	return nil
}

// prepared is a configuration with all that it needs: what can be wrong with it has been tried, and its files
// have been read. Once it is in the journal, folds use it, and there is no way back.
type prepared struct {
	config       *config.Config
	text         string
	receiving    webhook.Settings
	applyStreams func()
}

func (a *App) prepare() (p prepared, err error) {
	if p.config, p.text, err = a.load(); err != nil {
		return p, err
	}
	if p.receiving, err = receiving(p.config); err != nil {
		return p, err
	}
	p.applyStreams, err = a.prepareStreams(p.config)
	return p, err
}

// configureFirst writes the configuration of the start. A reload that comes meanwhile waits.
func (a *App) configureFirst(ctx context.Context) error {
	a.reload.Lock()
	defer a.reload.Unlock()
	return a.configure(ctx, a.config.Load(), a.configureAt)
}

// configure writes c to the journal, if it is not the last configuration there. A
// received_at of 0 is now.
func (a *App) configure(ctx context.Context, c *config.Config, at ingest.Millis) error {
	folding := c.Folding()
	hash, err := folding.Hash()
	if err != nil {
		return err
	}
	if err := a.folds.Configure(ctx, folding, at); err != nil {
		return err
	}
	a.wanted.Store(&hash)
	return nil
}
