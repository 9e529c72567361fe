package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// load reads the configuration; what is odd in it is logged, what is wrong is the error.
func (a *App) load() (*config.Config, error) {
	c, warnings, err := config.Load(a.opts.ConfigFile)
	for _, w := range warnings {
		a.logger.Warn("The configuration has something odd", "where", w.Position.String(), "what", w.Message)
	}
	if err != nil {
		a.reloads.success.Set(0)
		return nil, fmt.Errorf("the configuration is wrong:\n%w", err)
	}
	text, err := a.configText()
	if err != nil {
		return nil, err
	}
	a.text.Store(&text)
	a.reloads.success.Set(1)
	a.reloads.at.Set(float64(time.Now().Unix()))
	return c, nil
}

// configText returns the root file as it was written: secrets stand in files of their own.
func (a *App) configText() (string, error) {
	if a.opts.ConfigFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(a.opts.ConfigFile)
	return string(b), err
}

// Reload reads the configuration again and puts it in force. A wrong one changes
// nothing. What only a start can change (storage, ClickHouse, journal) is warned about.
func (a *App) Reload(ctx context.Context) error {
	a.reload.Lock()
	defer a.reload.Unlock()
	fresh, err := a.load()
	if err != nil {
		return err
	}
	old := a.config.Swap(fresh)
	if err := a.configure(ctx, 0); err != nil {
		a.config.Store(old)
		return err
	}
	if old.ClickHouse != fresh.ClickHouse || old.Journal != fresh.Journal || old.Ingest != fresh.Ingest {
		a.logger.Warn("clickhouse, journal and ingest settings changed: they take effect at the next start")
	}
	a.logger.Info("The configuration was loaded again")
	return nil
}
