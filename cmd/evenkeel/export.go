package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/partition"
)

func addExport(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("export", "Write what was received as recorded deliveries, for `replay`.")
	store := addStoreFlags(cmd)
	from := instantFlag(cmd.Flag("from", "Leave out what was received before. Default: the first that is kept."))
	to := instantFlag(cmd.Flag("to", "Leave out what was received then and later. Default: all that is stored."))
	tenant := cmd.Flag("tenant", "Of this tenant only. Default: all.").PlaceHolder("NAME").String()
	output := cmd.Flag("output", "Write to this file, compressed where its name ends in .gz; - is stdout.").PlaceHolder("FILE").Default("-").String()
	actions[cmd.FullCommand()] = func(ctx context.Context, std streams) error {
		if *to != 0 && *to <= *from {
			return usageError("--to must lie after --from")
		}
		q := partition.Received{Tenant: *tenant, From: *from, To: *to}
		return store.read(ctx, std.err, func(db *clickhouse.Conn) error {
			return writeTo(*output, std, func(w io.Writer) error {
				return compressed(w, strings.HasSuffix(*output, ".gz"), func(w io.Writer) error {
					n, err := export(ctx, w, db, q)
					fmt.Fprintf(std.err, "deliveries written: %d\n", n)
					return err
				})
			})
		})
	}
}

// compressed gives write a buffered writer to w, that compresses if it is asked to.
func compressed(w io.Writer, yes bool, write func(io.Writer) error) error {
	if yes {
		zipped := gzip.NewWriter(w)
		return errors.Join(compressed(zipped, false, write), zipped.Close())
	}
	buffered := bufio.NewWriter(w)
	return errors.Join(write(buffered), buffered.Flush())
}

// export writes the deliveries that q asks for, a line each, and returns how many.
func export(ctx context.Context, w io.Writer, db clickhouse.Querier, q partition.Received) (int, error) {
	n := 0
	var line []byte
	err := partition.NewArchive(db).EachReceived(ctx, q, func(rec ingest.Record) error {
		n++
		var err error
		if line, err = wire.AppendRecorded(line[:0], rec); err != nil {
			return err
		}
		_, err = w.Write(line)
		return err
	})
	return n, err
}
