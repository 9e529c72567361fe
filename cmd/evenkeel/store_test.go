package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// The stories of a real service with a real engine. They run the built program: a
// test binary with the race detector cannot be the engine's child.
func TestStoriesOfAStore(t *testing.T) {
	if _, err := engine.Path(); errors.Is(err, engine.ErrMissing) {
		rig.Missing(t, "%v", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	binary := rig.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/store",
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "journal": writeJournal, "await": await,
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", cache)
			setMonth(env, time.Now().UTC())
			env.Setenv("PORT", strconv.Itoa(rig.FreePort(t)))
			bin := filepath.Join(env.WorkDir, "bin")
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			return errors.Join(os.Mkdir(bin, 0o755), os.Symlink(binary, filepath.Join(bin, "evenkeel")))
		},
	})
}

// setMonth tells a story what last month is: what is received in a fixed one would some
// day be older than what is kept.
func setMonth(env *testscript.Env, now time.Time) {
	month := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
	env.Setenv("MONTH", month.Format("2006-01"))
	env.Setenv("DAY", month.AddDate(0, 0, 7).Format(time.DateOnly))
	env.Setenv("DAY2", month.AddDate(0, 0, 8).Format(time.DateOnly))
	env.Setenv("NEXT", month.AddDate(0, 1, 0).Format(time.DateOnly))
}

// writeJournal makes the journal of a service that received a recorded file in its time,
// with the configuration in force an hour before: journal FOLDER CONFIG FILE. Variables in
// the file are expanded.
func writeJournal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: journal FOLDER CONFIG FILE")
	}
	c, _, err := config.Load(ts.MkAbs(args[1]))
	ts.Check(err)
	first, err := c.Folding().Record()
	ts.Check(err)
	lines := os.Expand(ts.ReadFile(args[2]), ts.Getenv)
	records := []ingest.Record{first}
	for rec, err := range wire.Recorded(strings.NewReader(lines)) {
		ts.Check(err)
		records = append(records, rec)
	}
	records[0].ReceivedAt = records[1].ReceivedAt - ingest.Hour
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o700))
	j, err := journal.Open(journal.Options{Dir: filepath.Join(ts.MkAbs(args[0]), "journal")})
	ts.Check(err)
	_, err = j.Append(context.Background(), records)
	ts.Check(errors.Join(err, j.Close()))
}

// await returns when an address answers 200, and fails after a minute: await URL.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await URL")
	}
	last := "no answer"
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get(args[0])
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if last = resp.Status; resp.StatusCode == http.StatusOK {
			return
		}
	}
	ts.Fatalf("%s: %s", args[0], last)
}
