package rig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/deploy"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

// ClickHouseCluster is a cluster of ClickHouse servers, each a shard of its own. The servers are engines
// of ours. These have Distributed tables and ask each other, but no port at which a replica gets parts from
// another, and no ON CLUSTER: so no shard has replicas, tables are not Replicated ones, and the
// schema is made on one server after the other.
type ClickHouseCluster struct {
	library, child string
	password       string
	nodes          []*clickHouseNode
}

// clickHouseNode is one server: its folder and ports outlive its process.
type clickHouseNode struct {
	folder    string
	tcp, http int
	log       LogBuffer
	engine    *engine.Engine
}

// The names of a [ClickHouseCluster] in the configuration of its servers: as it is, and as if all of them were replicas
// of one shard. They are not, but are asked as such ones are.
const (
	ClusterName = "rig"
	OneShard    = "rig_one_shard"
)

const clusterUser = "rig"

// ClickHouseShards starts a cluster of n shards with data in t's temporary folder. The cluster ends with t.
func ClickHouseShards(t testing.TB, n int) *ClickHouseCluster {
	t.Helper()
	c := newCluster(t, t.TempDir(), n)
	t.Cleanup(func() {
		for i, node := range c.nodes {
			node.engine.Stop()
			if t.Failed() {
				t.Logf("log of ClickHouse server %d:\n%s", i, node.log.tail(4<<10))
			}
		}
	})
	if err := c.startAll(); err != nil {
		t.Fatal(err)
	}
	return c
}

func newCluster(t testing.TB, folder string, n int) *ClickHouseCluster {
	t.Helper()
	c := &ClickHouseCluster{password: rand.Text()}
	c.library, c.child = engineParts(t)
	for i := range n {
		c.nodes = append(c.nodes, &clickHouseNode{folder: filepath.Join(folder, strconv.Itoa(i)), tcp: FreePort(t), http: FreePort(t)})
	}
	return c
}

var (
	shardsOnce sync.Once
	theShards  *ClickHouseCluster
	errShards  error
)

// sharedShards starts a cluster of two shards at the first call. It ends with this process, as the shared engine does.
func sharedShards(t testing.TB) *ClickHouseCluster {
	t.Helper()
	shardsOnce.Do(func() {
		folder, err := enginesFolder()
		if err != nil {
			errShards = err
			return
		}
		theShards = newCluster(t, folder, 2)
		errShards = theShards.startAll()
	})
	if errShards != nil {
		t.Fatal(errShards)
	}
	return theShards
}

func (c *ClickHouseCluster) startAll() error {
	for i, n := range c.nodes {
		if err := errors.Join(c.configure(n), c.start(n)); err != nil {
			return fmt.Errorf("start ClickHouse server %d: %w\n%s", i, err, n.log.tail(16<<10))
		}
	}
	return nil
}

// configure adds what makes a cluster of the servers: the engine reads these folders beside its own two files.
func (c *ClickHouseCluster) configure(n *clickHouseNode) error {
	var replicas []string
	for _, n := range c.nodes {
		replicas = append(replicas, fmt.Sprintf("<replica><host>127.0.0.1</host><port>%d</port></replica>", n.tcp))
	}
	for name, text := range map[string]string{
		"config.d/cluster.xml": fmt.Sprintf("<clickhouse><remote_servers><%[1]s><secret>%[3]s</secret><shard>%[4]s</shard></%[1]s>"+
			"<%[2]s><secret>%[3]s</secret><shard>%[5]s</shard></%[2]s></remote_servers></clickhouse>",
			ClusterName, OneShard, c.password, strings.Join(replicas, "</shard><shard>"), strings.Join(replicas, "")),
		// A user whose password outlives the engine, unlike that of the engine's own.
		"users.d/user.xml": fmt.Sprintf("<clickhouse><users><%s><password>%s</password><networks><ip>127.0.0.1</ip></networks>"+
			"<profile>default</profile><quota>default</quota><access_management>1</access_management></%[1]s></users></clickhouse>", clusterUser, c.password),
	} {
		file := filepath.Join(n.folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *ClickHouseCluster) start(n *clickHouseNode) (err error) {
	n.engine, err = startEngineIn(engine.Options{
		Folder: n.folder, Library: c.library, Executable: c.child, TCPPort: n.tcp, HTTPPort: n.http, MaxMemoryBytes: 1 << 30, CacheBytes: 32 << 20,
	}, &n.log)
	return err
}

// Kill ends server i, from 0, at once, as a crash would.
func (c *ClickHouseCluster) Kill(t testing.TB, i int) {
	t.Helper()
	if err := syscall.Kill(c.nodes[i].engine.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.nodes[i].engine.Stop() // or it would be started again at once
}

// Restart starts server i again, with its data, on its ports.
func (c *ClickHouseCluster) Restart(t testing.TB, i int) {
	t.Helper()
	if err := c.start(c.nodes[i]); err != nil {
		t.Fatal(err)
	}
}

// DSN returns the address of a database, by way of the servers i in their order, all where none is named.
func (c *ClickHouseCluster) DSN(database string, i ...int) string {
	var hosts []string
	for _, i := range i {
		hosts = append(hosts, loopback(c.nodes[i].tcp))
	}
	if len(i) == 0 {
		for _, n := range c.nodes {
			hosts = append(hosts, loopback(n.tcp))
		}
	}
	u := url.URL{Scheme: "clickhouse", User: url.UserPassword(clusterUser, c.password), Host: strings.Join(hosts, ","), Path: "/" + database}
	return u.String()
}

// Open returns a connection to a database of the cluster by way of the servers i, as [ClickHouseCluster.DSN] takes them.
func (c *ClickHouseCluster) Open(t testing.TB, database string, i ...int) *clickhouse.Conn {
	t.Helper()
	return openCluster(t, c.DSN(database, i...), ClusterName)
}

// OpenAs is [ClickHouseCluster.Open] by way of all servers under one of the names of the cluster. Settings are
// added to the address, such as "?insert_quorum=2".
func (c *ClickHouseCluster) OpenAs(t testing.TB, database, name, settings string) *clickhouse.Conn {
	t.Helper()
	return openCluster(t, c.DSN(database)+settings, name)
}

func openCluster(t testing.TB, dsn, name string) *clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(clickhouse.Options{DSN: dsn, Cluster: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Database returns a connection to a database of its own with the whole schema, by way of the first server. The
// database is dropped when t ends.
func (c *ClickHouseCluster) Database(t testing.TB) *clickhouse.Conn {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	t.Cleanup(func() {
		for i := range c.nodes {
			if err := drop(c.DSN("default", i), name); err != nil && !errors.Is(err, clickhouse.ErrAway) {
				t.Errorf("drop %s on server %d: %v", name, i, err)
			}
		}
	})
	for i := range c.nodes {
		if err := c.migrate(t.Context(), i, name); err != nil {
			t.Fatal(err)
		}
	}
	return c.Open(t, name, 0)
}

var (
	onClusterRE  = regexp.MustCompile(" ON CLUSTER `[^`]*`")
	replicatedRE = regexp.MustCompile(`Replicated(\w*MergeTree)\('[^']*', '[^']*'(, )?`)
)

// migrate makes the schema of a cluster on one server, as ON CLUSTER would, but for replicas.
func (c *ClickHouseCluster) migrate(ctx context.Context, i int, database string) error {
	if err := statement(ctx, c.DSN("default", i), "CREATE DATABASE "+database); err != nil {
		return err
	}
	conn, err := clickhouse.Open(clickhouse.Options{DSN: c.DSN(database, i), Cluster: ClusterName})
	if err != nil {
		return err
	}
	defer conn.Close()
	files, err := clickhouse.Status(ctx, conn, deploy.ClickHouse())
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := fs.ReadFile(deploy.ClickHouse(), f.Name)
		if err != nil {
			return err
		}
		statements, err := clickhouse.Schema{Database: database, Cluster: ClusterName}.Render(f.Name, string(text))
		if err != nil {
			return err
		}
		for _, sql := range statements {
			sql = replicatedRE.ReplaceAllString(onClusterRE.ReplaceAllString(sql, ""), "$1(")
			if err := conn.Exec(ctx, sql, nil); err != nil {
				return fmt.Errorf("apply %s: %w", f.Name, err)
			}
		}
		if i > 0 {
			continue // one shard has what was applied
		}
		err = conn.Exec(ctx, "INSERT INTO schema_migrations_local SELECT {version:UInt32}, {name:String}, {checksum:String}, toDateTime64('2026-01-01 00:00:00', 3, 'UTC')",
			clickhouse.Params{"version": strconv.FormatUint(uint64(f.Version), 10), "name": f.Name, "checksum": f.Checksum})
		if err != nil {
			return err
		}
	}
	return nil
}
