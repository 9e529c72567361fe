package endtoend

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// One of two servers of a ClickHouse cluster is killed in the middle of a storm, and comes back: deliveries are
// accepted meanwhile, and then every row is there once, on one server or the other, and all is as if one fold had
// seen the same deliveries alone. What the rows are read by is asked of both servers.
func TestAKilledServerOfAClickHouseClusterLosesAndDoublesNothing(t *testing.T) {
	broker := rig.Kafka(t)
	shards := rig.ClickHouseShards(t, 2)
	conn := shards.Database(t)
	dsn := shards.DSN(conn.Database())
	config := clusterConfig(t, broker, dsn, rig.Shared(t, "data/storms/busy/catalogue.yml"), "cluster: "+rig.ClusterName)
	records := recorded(t, "data/storms/busy/deliveries.jsonl.gz")[:150] // the whole storm would take two minutes
	replicas := []*server{serveOn(t, config, t.TempDir(), rig.FreePort(t)), serveOn(t, config, t.TempDir(), rig.FreePort(t))}

	tenants := []string{"blue", "green"}
	progress, sent := postStorm(t, replicas, tenants, records)
	third := len(tenants) * len(records) / 3
	for range third {
		<-progress
	}
	shards.Kill(t, 0) // the one that is asked first
	begun := time.Now()
	for range third {
		<-progress // nobody waits for it
	}
	time.Sleep(2 * time.Second) // for the folds to have something to store meanwhile
	down := time.Since(begun)
	if status, body := getAs(t, replicas[0].url+"/api/v1/incidents", tenants[0]); status != http.StatusServiceUnavailable {
		t.Errorf("while a shard is down its incidents read as status %d: %s", status, body)
	}
	shards.Restart(t, 0)
	sent()
	t.Logf("a ClickHouse server was down for %s; at least %d deliveries were accepted meanwhile", down, third)
	checkStorm(t, conn, tenants, records)
	t.Logf("stored and compared after %s", time.Since(begun))

	for i := range 2 {
		t.Logf("server %d has %d of the events", i, count(t, shards.Open(t, conn.Database(), i), "SELECT count() FROM events_local"))
	}
	readEveryIncident(t, conn, replicas[0].url, tenants[0])
}

// readEveryIncident asks the API for every incident of a tenant, and its alerts.
func readEveryIncident(t *testing.T, db clickhouse.Querier, url, tenant string) {
	t.Helper()
	var ids []string
	query(t, db, "SELECT DISTINCT id FROM incidents WHERE tenant = {tenant:String}", clickhouse.Params{"tenant": tenant}, func(rows clickhouse.Rows) error {
		ids = append(ids, "")
		return rows.Scan(&ids[len(ids)-1])
	})
	for _, id := range ids {
		for _, path := range []string{"/api/v1/incidents/" + id, "/api/v1/alerts?incident=" + id, "/incidents/" + id} {
			if status, body := getAs(t, url+path, tenant); status != http.StatusOK {
				t.Errorf("%s: status %d: %s", path, status, body)
			}
		}
	}
	t.Logf("tenant %s: %d incidents were read", tenant, len(ids))
}

func getAs(t *testing.T, url, tenant string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Scope-OrgID", tenant)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Sprint(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Sprint(err)
	}
	return resp.StatusCode, string(text)
}
