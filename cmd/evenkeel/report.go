package main

import (
	"context"
	"io"

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
	var period periodName
	cmd.Flag("period", "A month, quarter, year, week or day: 2026-10, 2026-Q4, 2026, 2026-W43, 2026-10-05. Cut in the root zone.").Required().PlaceHolder("PERIOD").SetValue(&period)
	format := cmd.Flag("format", "html, md or json.").Default("html").Enum("html", "md", "json")
	tenant := addTenant(cmd)
	asOf := addAsOf(cmd)
	output := cmd.Flag("output", "Write to this file; - is stdout.").Default("-").String()
	links := cmd.Flag("web.external-url", "Where people reach the pages, for links to the evidence. Default: no links.").PlaceHolder("URL").String()
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		f, err := report.ParseFormat(*format)
		if err != nil {
			return err
		}
		return store.read(ctx, std.err, func(db *clickhouse.Conn) error {
			made, err := makeReport(ctx, db, *tenant, string(period), *asOf, *links)
			if err != nil {
				return err
			}
			return writeTo(*output, std, func(w io.Writer) error { return report.Render(w, made, f) })
		})
	}
}

// makeReport composes a tenant's report of a period, cut in the zone that was in force then.
func makeReport(ctx context.Context, db clickhouse.Querier, tenant, period string, asOf ingest.Millis, links string) (*improve.Report, error) {
	at, err := orNewest(ctx, db, asOf)
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
	return app.NewReports(db, links).Report(ctx, tenant, p, at)
}

// addAsOf adds the flag that says from when an answer speaks.
func addAsOf(cmd *kingpin.CmdClause) *ingest.Millis {
	return instantFlag(cmd.Flag("as-of", "Speak from this instant: what was recorded later is left out. Default: the newest that is stored."))
}

// orNewest returns at, or the newest instant that is stored where it is not given.
func orNewest(ctx context.Context, db clickhouse.Querier, at ingest.Millis) (ingest.Millis, error) {
	if at != 0 {
		return at, nil
	}
	return partition.NewestStored(ctx, db)
}

// periodName is the value of --period.
type periodName string

// Set implements kingpin.Value. The zone that the period is cut in is known later.
func (p *periodName) Set(text string) error {
	_, err := improve.ParsePeriod(text, "")
	*p = periodName(text)
	return err
}

// String implements kingpin.Value.
func (p *periodName) String() string { return string(*p) }
