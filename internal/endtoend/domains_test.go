package endtoend

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
)

const (
	domains       = 6   // clusters that alerts come from
	domainRecords = 900 // each with alerts of three of them
)

// Records of a stream whose alerts are of several clusters come to a clustered journal, while one of the two replicas
// that read it is killed and comes back: each alert is there once, all of a cluster is in one partition,
// and no incident is of two partitions.
func TestAStreamIsSplitByDomainsAndEachIsKeptTogether(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "alerts", 4)
	k.CreateTopic(t, "dead", 1)
	dsn := rig.Database(t)
	config := clusterConfig(t, k, dsn, writeFile(t, "catalogue.yml", "services: [{name: cart, owner: team-cart}]\n"))
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	of := strings.Replace(string(text), "session_timeout: 6s", "session_timeout: 6s, domain_label: cluster", 1) +
		fmt.Sprintf("streams:\n  - {name: alerts, brokers: [%s], group: readers, topics: [alerts], dead_letter_topic: dead}\n", k.Addresses()[0])
	config = writeFile(t, "evenkeel.yml", of)
	ports, storages := []int{rig.FreePort(t), rig.FreePort(t)}, []string{t.TempDir(), t.TempDir()}
	replicas := []*server{serveOn(t, config, storages[0], ports[0]), serveOn(t, config, storages[1], ports[1])}

	var want, wantDead []string
	produce := func(from, to int) {
		var lines strings.Builder
		for n := from; n < to; n++ {
			if n%brokenOneIn == n/brokenOneIn {
				wantDead = append(wantDead, broken(n))
				lines.WriteString(broken(n) + "\n")
				continue
			}
			var alerts []string
			for i := range 3 {
				name := fmt.Sprintf("%d-%d", n, i)
				alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"Alert%d","service":"cart","cluster":"c%d","n":%q},"startsAt":%q}`,
					n%7, (n+i*(1+n%2))%domains, name, time.Now().UTC().Format(time.RFC3339Nano)))
				want = append(want, name)
			}
			lines.WriteString(`{"version":"4","alerts":[` + strings.Join(alerts, ",") + "]}\n")
		}
		rig.Kcat(t, lines.String(), "-P", "-b", k.Addresses()[0], "-t", "alerts", "-X", "acks=all", "-X", "sticky.partitioning.linger.ms=0")
	}
	produce(0, domainRecords/3)
	eventually(t, time.Minute, "the stream is read", func() bool {
		return slices.ContainsFunc(k.Committed(t, "readers", "alerts"), func(offset int64) bool { return offset > 0 })
	})
	produce(domainRecords/3, 2*domainRecords/3)
	victim := newDice(t).IntN(2)
	replicas[victim].Kill()
	produce(2*domainRecords/3, domainRecords)
	begin(t, config, storages[victim], ports[victim])
	eventually(t, 90*time.Second, "all offsets are committed", func() bool {
		return slices.Equal(k.Committed(t, "readers", "alerts"), k.Ends(t, "alerts"))
	})
	conn := connect(t, dsn)
	waitSettled(t, conn)

	checkNames(t, conn, "events", "labels['n']", want)
	checkNames(t, conn, "dead_letters", "body", wantDead)
	checkDeadTopic(t, k, wantDead, true)
	checkAddresses(t, conn)
	owners := ownersOf(t, conn, "labels['cluster']", "episodes")
	used := map[uint32]bool{}
	for cluster, in := range owners {
		if len(in) != 1 {
			t.Errorf("the alerts of %s are in partitions %v", cluster, in)
		}
		used[in[0]] = true
	}
	if len(owners) != domains || len(used) < 2 {
		t.Errorf("%d domains in %d partitions", len(owners), len(used))
	}
	const across = "SELECT countIf(partitions != 1) FROM (SELECT uniqExact(partition) AS partitions FROM episodes GROUP BY incident)"
	if n := count(t, conn, across); n > 0 {
		t.Errorf("%d incidents are of several partitions", n)
	}
	t.Logf("COUNTED: %d alerts of %d clusters, each once, in %d partitions; %d dead letters", len(want), domains, len(used), len(wantDead))
}
