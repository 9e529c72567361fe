package app

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// Who changed a table is told at the start, not by the first batch that waits for it, and the service runs:
// it goes on accepting.
func TestATableThatTakesNoRowsIsSaidAtStart(t *testing.T) {
	dsn := rig.Database(t)
	conn, err := clickhouse.Open(clickhouse.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := clickhouse.Migrate(t.Context(), conn, deploy.ClickHouse()); err != nil {
		t.Fatal(err)
	}
	connected := func() string {
		t.Helper()
		var log rig.LogBuffer
		d := &database{
			config: config.ClickHouse{DSN: dsn}, storage: t.TempDir(), metrics: prometheus.NewRegistry(),
			logger: slog.New(slog.NewTextHandler(&log, nil)),
		}
		if err := d.connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
		return log.String()
	}
	if log := connected(); log != "" {
		t.Errorf("with the schema as it is to be: %s", log)
	}
	if err := conn.Exec(t.Context(), "ALTER TABLE deliveries ADD COLUMN note String, MODIFY COLUMN body FixedString(9)", nil); err != nil {
		t.Fatal(err)
	}
	log := connected()
	for _, part := range []string{"level=ERROR", "deliveries wait", "column body of table deliveries is of type FixedString(9), and is to be of type String"} {
		if !strings.Contains(log, part) {
			t.Errorf("%q is not in %s", part, log)
		}
	}
}
