package endtoend

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const (
	mixedRecords = 10_000
	brokenOneIn  = 100
)

// mixed makes record n in one of all formats. It names its table, and what is unique of its row there.
func mixed(n int, at time.Time) (topic, line, table, name string) {
	when := at.Add(-time.Duration(n) * time.Millisecond).UTC().Format(time.RFC3339Nano)
	labels := fmt.Sprintf(`{"alertname":"Alert%d","service":"service-%d","n":"%d"}`, n%7, n%50, n)
	webhook := func(version string) string {
		return fmt.Sprintf(`{"version":%q,"receiver":"kafka","status":"firing","orgId":1,"alerts":[{"status":"firing","labels":%s,"startsAt":%q,"fingerprint":"%016x"}]}`, version, labels, when, n)
	}
	number := fmt.Sprint(n)
	switch n % 10 {
	case 0:
		return "mixed", webhook("4"), "events", number
	case 1:
		return "mixed", webhook("1"), "events", number
	case 2:
		return "mixed", fmt.Sprintf(`[{"labels":%s,"startsAt":%q}]`, labels, when), "events", number
	case 3:
		var pairs []string
		for _, l := range []string{"alertname", fmt.Sprintf("Alert%d", n%7), "service", fmt.Sprintf("service-%d", n%50), "n", number} {
			pairs = append(pairs, fmt.Sprintf("%q", l))
		}
		return "mixed", fmt.Sprintf(`{"@timestamp":%q,"data":{"alertCreated":{"alert":{"fingerprint":"%d","name":"A","labels":{"labels":[{"key":%s,"value":%s},{"key":%s,"value":%s},{"key":%s,"value":%s}]},"startsAt":%q}}}}`,
			when, n, pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5], when), "events", number
	case 4:
		return "mixed", fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/am","type":"alerts","datacontenttype":"application/json","data":%s}`, n, webhook("4")), "events", number
	case 5:
		return "mixed", fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/am","type":"alerts","data_base64":%q}`, n, base64.StdEncoding.EncodeToString([]byte(webhook("4")))), "events", number
	case 6:
		return "bridge", fmt.Sprintf(`{"check":{"id":%d,"name":"c","host":"h%d"},"state":"CRITICAL","since":%d}`, n, n, at.Unix()-int64(n%1000)), "events", fmt.Sprintf("h%d", n)
	case 7:
		return "mixed", fmt.Sprintf(`{"id":"deploy-%d","service":"service-%d","started_at":%q,"finished_at":%q}`, n, n%50, when, when), "changes", fmt.Sprintf("deploy-%d", n)
	case 8:
		return "mixed", fmt.Sprintf(`{"service":"service-%d","sli":"sli-%d","good":9,"total":10,"at":%q}`, n%50, n, when), "samples", fmt.Sprintf("sli-%d", n)
	}
	return "mixed", fmt.Sprintf(`{"kind":"maintenance","id":"window-%d","service":"service-%d","from":"2027-11-22T01:00:00Z","to":"2027-11-22T02:00:00Z"}`, n, n%50), "maintenance", fmt.Sprintf("window-%d", n)
}

// broken makes record n wrong in one of many ways. Each holds n, so that the dead letters tell them apart.
func broken(n int) string {
	ways := []string{
		`plain words %d`, `{"version":"4","alerts":[{"status":"firing" %d`, `{"n":%d}`, `<alert n="%d"/>`, `[%d]`, `%d`,
		`{"version":"9","alerts":[],"n":%d}`, `{"version":"4","alerts":{"n":%d}}`, `"%d"`, "\xff\xfe %d",
		`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"yesterday %d"}]}`,
		`[{"labels":{"alertname":"A"},"startsAt":"%d"}]`, `{"id":"%d","service":"s","started_at":"soon"}`,
		`{"service":"s","good":11,"total":10,"at":"2026-11-22T11:00:00Z","n":%d}`, `{"specversion":"0.1","id":"%d","source":"s","type":"t","data":{}}`,
	}
	return fmt.Sprintf(ways[n/brokenOneIn%len(ways)], n)
}

// kcat produces mixed records to a real broker. The good ones are all there exactly once, the broken
// ones all in the dead-letter topic and among the dead letters, and all offsets are committed.
func TestMixedRecordsOfKafkaAreAllThereOnce(t *testing.T) {
	k := rig.Kafka(t)
	for _, topic := range []string{"mixed", "bridge", "dead"} {
		k.CreateTopic(t, topic, 4)
	}
	config := writeFile(t, "evenkeel.yml", fmt.Sprintf(`
sources:
  - name: bridge
    mapping:
      event: alert
      time: unix
      fields:
        fingerprint: /check/id
        status: {from: /state, values: {CRITICAL: firing, OK: resolved}}
        starts_at: /since
        labels.alertname: /check/name
        labels.n: /check/host
streams:
  - name: everything
    brokers: [%s]
    group: evenkeel
    topics: [mixed, {name: bridge, format: mapped, source: bridge}]
    dead_letter_topic: dead
`, k.Addresses()[0]))
	s := serve(t, config, t.TempDir())

	input, want, wantDead := map[string]*strings.Builder{"mixed": {}, "bridge": {}}, map[string][]string{}, []string{}
	for n := range mixedRecords {
		topic, line, table, name := mixed(n, time.Now())
		if n%brokenOneIn == n/brokenOneIn { // one in each hundred, of every format in turn
			line = broken(n)
			wantDead = append(wantDead, line)
		} else {
			want[table] = append(want[table], name)
		}
		input[topic].WriteString(line + "\n")
	}
	began := time.Now()
	for topic, lines := range input {
		rig.Kcat(t, lines.String(), "-P", "-b", k.Addresses()[0], "-t", topic, "-X", "acks=all", "-X", "sticky.partitioning.linger.ms=0")
	}
	for _, topic := range []string{"mixed", "bridge"} {
		eventually(t, time.Minute, "all offsets of "+topic+" are committed", func() bool {
			return slices.Equal(k.Committed(t, "evenkeel", topic), k.Ends(t, topic))
		})
	}
	t.Logf("all offsets are committed after %s", time.Since(began).Round(time.Millisecond))
	waitAllStored(t, s)
	t.Logf("all rows are stored after %s", time.Since(began).Round(time.Millisecond))
	checkDeadTopic(t, k, wantDead, false)
	stopGracefully(t, s.Process)
	left := openLeftovers(t, s.storage)
	for table, column := range map[string]string{"events": "labels['n']", "changes": "id", "samples": "sli", "maintenance": "id"} {
		checkNames(t, left.db, table, column, want[table])
	}
	checkNames(t, left.db, "dead_letters", "body", wantDead)
	t.Logf("COUNTED: %d events, %d changes, %d samples, %d maintenance windows, each once; %d dead letters, each with its reason, once in the table and once in the topic",
		len(want["events"]), len(want["changes"]), len(want["samples"]), len(want["maintenance"]), len(wantDead))
}

// checkNames compares a column of a table with what is to be in it, each once.
func checkNames(t *testing.T, db clickhouse.Querier, table, column string, want []string) {
	t.Helper()
	var got []string
	query(t, db, "SELECT "+column+" FROM "+table, nil, func(rows clickhouse.Rows) error {
		var name string
		err := rows.Scan(&name)
		got = append(got, name)
		return err
	})
	if table == "dead_letters" { // of one in a list, the part that is wrong
		if len(got) != len(want) {
			t.Errorf("dead_letters: %d rows, want %d", len(got), len(want))
		}
		return
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s of %s: %d rows, want %d (-want +got):\n%.2000s", column, table, len(got), len(want), diff)
	}
}

// checkDeadTopic compares the dead-letter topic with the records that were broken. Where a reader was killed, one
// may be there again, under its key.
func checkDeadTopic(t *testing.T, k *rig.KafkaCluster, want []string, killed bool) {
	t.Helper()
	var got []string
	keys := map[string]bool{}
	for line := range strings.Lines(rig.Kcat(t, "", "-C", "-b", k.Addresses()[0], "-t", "dead", "-e", "-q", "-J")) {
		var l struct {
			Key, Payload string
			Headers      []string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if killed && keys[l.Key] {
			continue
		}
		keys[l.Key] = true
		got = append(got, l.Payload)
		if i := slices.Index(l.Headers, "evenkeel-reason"); i < 0 || l.Headers[i+1] == "" {
			t.Errorf("no reason: %s", line)
		}
	}
	for i := range want {
		want[i] = string([]rune(want[i])) // what is not UTF-8 is read from JSON like this
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%d records in the dead-letter topic, want %d (-want +got):\n%.4000s", len(got), len(want), diff)
	}
}

// The same alert comes by the webhook, by Alertmanager's API and by Kafka, from a stream that a reload
// brought: it is seen three times, and is one episode.
func TestTheSameAlertByThreeWaysIsOneEpisode(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "alerts", 1)
	config := writeFile(t, "evenkeel.yml", "zone: UTC\n")
	s := serve(t, config, t.TempDir())
	streams := fmt.Sprintf("zone: UTC\nstreams: [{name: alerts, brokers: [%s], group: evenkeel, topics: [alerts]}]\n", k.Addresses()[0])
	if err := os.WriteFile(config, []byte(streams), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, err := s.post(t.Context(), "/-/reload", nil); err != nil || status != http.StatusOK {
		t.Fatalf("reload: %d, %v", status, err)
	}
	alert := fmt.Sprintf(`"labels":{"alertname":"Threefold","service":"cart"},"startsAt":%q`, time.Now().UTC().Format(time.RFC3339Nano))
	for path, body := range map[string]string{
		"/api/v1/ingest/alertmanager": `{"version":"4","alerts":[{"status":"firing",` + alert + `}]}`,
		"/api/v2/alerts":              `[{` + alert + `}]`,
	} {
		if status, err := s.post(t.Context(), path, []byte(body)); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
	}
	rig.Kcat(t, `[{`+alert+`}]`+"\n", "-P", "-b", k.Addresses()[0], "-t", "alerts", "-X", "acks=all")
	eventually(t, time.Minute, "the record of Kafka is taken", func() bool { return slices.Equal(k.Committed(t, "evenkeel", "alerts"), k.Ends(t, "alerts")) })
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	left := openLeftovers(t, s.storage)
	if n := count(t, left.db, "SELECT toUInt64(100 * sum(alerts) + 10 * sum(repeats)) + (SELECT count() FROM events) FROM deliveries"); n != 321 {
		t.Errorf("%d: want 3 alerts seen, 2 of which repeat what the first said, and 1 event", n)
	}
	if n := count(t, left.db, "SELECT uniqExact(tenant, source, fingerprint, starts_at) FROM episodes"); n != 1 {
		t.Errorf("%d episodes, want 1", n)
	}
}
