package main

import (
	"context"
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/evenkeel/evenkeel/internal/app"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
)

// storeFlags say which store a command reads.
type storeFlags struct{ config, storage string }

func addStoreFlags(cmd *kingpin.CmdClause) *storeFlags {
	f := &storeFlags{}
	cmd.Flag("config.file", "The root configuration, for the address of ClickHouse. Default: the embedded one.").PlaceHolder("FILE").StringVar(&f.config)
	cmd.Flag("storage.path", "The storage folder of `evenkeel serve`, running or not.").Default(defaultStorage).StringVar(&f.storage)
	return f
}

// read connects to the store, whose schema must be this program's, and calls use with it.
func (f *storeFlags) read(ctx context.Context, talk io.Writer, use func(*clickhouse.Conn) error) error {
	return f.open(ctx, talk, func(db *clickhouse.Conn) error {
		if err := app.CheckSchema(ctx, db); err != nil {
			return err
		}
		return use(db)
	})
}

// open connects to the store and calls use with it.
func (f *storeFlags) open(ctx context.Context, talk io.Writer, use func(*clickhouse.Conn) error) error {
	c, warnings, err := config.Load(f.config)
	warn(talk, warnings)
	if err != nil {
		return err
	}
	level := promslog.NewLevel()
	if err := level.Set("warn"); err != nil {
		return err
	}
	db, done, err := app.OpenStore(ctx, c.ClickHouse, f.storage, promslog.New(&promslog.Config{Writer: talk, Level: level}))
	if err != nil {
		return err
	}
	return errors.Join(use(db), done())
}
