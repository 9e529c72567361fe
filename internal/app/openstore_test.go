package app

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// A command that reads changes nothing in a server: where the schema is older it says what to do.
func TestACommandThatReadsMigratesNothing(t *testing.T) {
	c := config.ClickHouse{DSN: rig.Database(t)}
	db, done, err := OpenStore(t.Context(), c, t.TempDir(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckSchema(t.Context(), db); err == nil || !strings.Contains(err.Error(), "evenkeel migrate up") {
		t.Errorf("a server without the schema gives %v", err)
	}
	files, err := clickhouse.Status(t.Context(), db, deploy.ClickHouse())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Applied {
			t.Errorf("%s was applied", f.Name)
		}
	}
	if _, err := clickhouse.Migrate(t.Context(), db, deploy.ClickHouse()); err != nil {
		t.Fatal(err)
	}
	if err := CheckSchema(t.Context(), db); err != nil {
		t.Errorf("with the schema: %v", err)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
}

// A server that does not answer is said to be away after some seconds; nobody waits for ever.
func TestACommandEndsWhereNoStoreAnswers(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // connects, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, port := range map[string]string{
		"nobody listens":        fmt.Sprint(rig.FreePort(t)),
		"somebody says no word": silent.Addr().String()[len("127.0.0.1:"):],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, _, err := OpenStore(t.Context(), config.ClickHouse{DSN: "clickhouse://u:secret@127.0.0.1:" + port + "/evenkeel"}, t.TempDir(), quiet)
			if err == nil || !strings.Contains(err.Error(), "has not answered within 10s") {
				t.Errorf("it gives %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
			if took := time.Since(began); took > reachWithin+5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
