package main

import (
	"context"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/app"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
)

func addReport(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("report", "Write the report of a period.")
	store := addStoreFlags(cmd)
	period := cmd.Flag("period", "2026-10, 2026-Q4, 2026, 2026-W43 or 2026-10-05, cut in the root zone.").Required().String()
	format := cmd.Flag("format", "html, md or json.").Default("html").Enum("html", "md", "json")
	asOf := cmd.Flag("as-of", "Speak from this instant (RFC 3339): what was recorded later is left out. Default: the newest stored.").String()
	output := cmd.Flag("output", "Write to this file; - is stdout.").Default("-").String()
	links := cmd.Flag("web.external-url", "Where people reach the pages, for links to the evidence.").String()
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		f, err := report.ParseFormat(*format)
		if err != nil {
			return err
		}
		return store.open(ctx, std.err, func(db *clickhouse.Conn) error {
			made, err := makeReport(ctx, db, *period, *asOf, *links)
			if err != nil {
				return err
			}
			return writeTo(*output, std, func(w io.Writer) error { return report.Render(w, made, f) })
		})
	}
}

// makeReport composes the report of a period, cut in the zone that was in force then.
func makeReport(ctx context.Context, db clickhouse.Querier, period, asOf, links string) (*improve.Report, error) {
	at, err := instantOrNewest(ctx, db, asOf)
	if err != nil {
		return nil, err
	}
	c, err := partition.ConfigurationAt(ctx, db, at)
	if err != nil {
		return nil, err
	}
	p, err := improve.ParsePeriod(period, c.Levels.Zone)
	if err != nil {
		return nil, err
	}
	return app.NewReports(db, links).Report(ctx, p, at)
}

// instantOrNewest parses an instant; "" is the newest that is stored.
func instantOrNewest(ctx context.Context, db clickhouse.Querier, text string) (ingest.Millis, error) {
	if text == "" {
		return partition.NewestStored(ctx, db)
	}
	return parseInstant(text)
}

func parseInstant(text string) (ingest.Millis, error) {
	t, err := time.Parse(time.RFC3339, text)
	return ingest.MillisOf(t), err
}
