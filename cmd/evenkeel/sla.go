package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/sla"
	slastore "github.com/evenkeel/evenkeel/sla/store"
)

func addSLA(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("sla", "Service levels.").Command("get", "Print the availability of services in a window.")
	store := addStoreFlags(cmd)
	service := cmd.Flag("service", "The service. Default: all.").PlaceHolder("NAME").String()
	agreement := cmd.Flag("agreement", "The agreement. Default: the service itself and all its agreements.").PlaceHolder("NAME").Default(sla.EveryAgreement).String()
	from := instantFlag(cmd.Flag("from", "Begin of the window, such as 2026-10-01T00:00:00+02:00.").Required())
	to := instantFlag(cmd.Flag("to", "End of the window; it is not part of it.").Required())
	tenant := addTenant(cmd)
	asOf := addAsOf(cmd)
	output := cmd.Flag("output", "table or json.").Default("table").Enum("table", "json")
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		q := slastore.AvailabilityQuery{Tenant: *tenant, Agreement: *agreement, From: *from, To: *to}
		if *service != "" {
			q.Services = []string{*service}
		}
		if q.To <= q.From {
			return usageError("--to must lie after --from")
		}
		return store.read(ctx, std.err, func(db *clickhouse.Conn) error {
			levels, err := getLevels(ctx, db, q, *asOf)
			if err != nil {
				return err
			}
			return printLevels(std.out, levels, *output)
		})
	}
}

func getLevels(ctx context.Context, db clickhouse.Querier, q slastore.AvailabilityQuery, asOf ingest.Millis) ([]sla.Availability, error) {
	at, err := orNewest(ctx, db, asOf)
	if err != nil {
		return nil, err
	}
	c, err := partition.ConfigurationAt(ctx, db, at)
	if err != nil {
		return nil, err
	}
	q.AsOf, q.Config = at, c.Levels
	levels, err := slastore.NewReader(db).Availability(ctx, q)
	if err == nil && len(levels) == 0 && len(q.Services) > 0 {
		return nil, fmt.Errorf("neither the catalogue in force at %s nor the window has a service %q with an agreement %q", at, q.Services[0], q.Agreement)
	}
	return levels, err
}

func printLevels(w io.Writer, levels []sla.Availability, output string) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(levels)
	}
	if len(levels) == 0 {
		_, err := fmt.Fprintln(w, "no service has a row in this window")
		return err
	}
	first := levels[0]
	if first.Tenant != ingest.DefaultTenant {
		fmt.Fprintf(w, "tenant %s, ", first.Tenant)
	}
	fmt.Fprintf(w, "%s to %s, as of %s\n\n", first.From, first.To, first.AsOf)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "service\tagreement\tavailability\tobjective\tdowntime\tunknown\tcoverage\tpolicy\tzone")
	for i := range levels {
		printLevel(table, &levels[i])
	}
	return table.Flush()
}

func printLevel(w io.Writer, l *sla.Availability) {
	availability := l.Percent(4) + " %"
	if l.Ratio == nil {
		availability = "none: " + l.Reason
	}
	objective := "-"
	if l.Objective > 0 {
		objective = fmt.Sprintf("%g %%", l.Objective*100)
	}
	coverage := "-"
	if l.Coverage != nil {
		coverage = fmt.Sprintf("%.2f %%", *l.Coverage*100)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Service, l.Agreement, availability, objective,
		length(l.Downtime), length(l.Matrix.Unknown), coverage, l.Policy.Preset, l.Zone)
}

// length prints milliseconds as hours, minutes and seconds.
func length(ms int64) time.Duration { return ingest.Millis(ms).Duration() }
