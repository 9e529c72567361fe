package stream_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

const soon = 30 * time.Second

func TestStreamsOnARealBroker(t *testing.T) {
	k := rig.Kafka(t)
	for name, test := range map[string]func(*testing.T, *rig.KafkaCluster){
		"offsets are committed once the journal has the records":          committedWhenKept,
		"a broken record is told of and stops nothing":                    brokenRecords,
		"what was told of is not told again":                              deadLettersOnce,
		"what is too long for the dead-letter topic is cut":               longDeadLetters,
		"a long record is a dead letter as a whole":                       wholeDeadLetters,
		"reading begins where the configuration says":                     starts,
		"reading pauses while the journal refuses and goes on after":      pauses,
		"nothing is skipped while there is no topic for dead letters":     noDeadLetterTopic,
		"a topic that comes later is read, and one that is missing waits": topicComesLater,
		"headers name tenant, source and a CloudEvent":                    headers,
		"what the journal never holds does not stop its partition":        neverHeld,
		"a set restarts only what changed":                                sets,
		"lag is what the broker says":                                     lag,
		"what expired is counted, and what follows is read":               expired,
		"what a transaction aborted is left out, and its markers":         transactions,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, k) })
	}
}

func committedWhenKept(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "kept-a", 3)
	k.CreateTopic(t, "kept-b", 1)
	produce(t, k, "kept-a", alerts(0, 2000), "-z", "zstd")
	produce(t, k, "kept-b", alerts(2000, 2010))
	journal := &memory{}
	start(t, config(k, "kept", "kept-a", "kept-b"), stream.Options{Journal: journal})
	allCommitted(t, k, "kept", "kept-a", soon)
	allCommitted(t, k, "kept", "kept-b", soon)
	if got := journal.kept(); len(got) != 2010 || len(got) != len(journal.records) {
		t.Errorf("the journal has %d records, %d of them different", len(journal.records), len(got))
	}
}

// letter is a record of the dead-letter topic as kcat -J shows it.
type letter struct {
	Key     string
	Payload string
	Headers []string // name, value, name, value
}

func (l letter) header(name string) string {
	for i := 0; i+1 < len(l.Headers); i += 2 {
		if l.Headers[i] == name {
			return l.Headers[i+1]
		}
	}
	return ""
}

func letters(t *testing.T, k *rig.KafkaCluster, topic string) []letter {
	t.Helper()
	var all []letter
	for line := range strings.Lines(rig.Kcat(t, "", "-C", "-b", k.Addresses()[0], "-t", topic, "-e", "-q", "-J")) {
		var l letter
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b letter) int { return strings.Compare(a.Key, b.Key) })
	return all
}

func brokenRecords(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "broken", 1)
	k.CreateTopic(t, "broken-dead", 2)
	partly := `{"version":"4","alerts":[{"status":"firing","fingerprint":"00000000000000aa","startsAt":"2026-11-22T11:00:00Z","labels":{"alertname":"A"}},{"status":"odd"}]}`
	produce(t, k, "broken", alert(1)+"\nnot JSON\n"+partly+"\n"+alert(2)+"\n", "-H", "trace=7", "-k", "the key")
	c := config(k, "broken", "broken")
	c.DeadLetterTopic = "broken-dead"
	journal := &memory{}
	s := start(t, c, stream.Options{Journal: journal})
	allCommitted(t, k, "broken", "broken", soon)

	var kinds []ingest.RecordKind
	for _, r := range journal.kept() {
		kinds = append(kinds, r.Kind)
	}
	want := []ingest.RecordKind{ingest.KindDelivery, ingest.KindRejected, ingest.KindDelivery, ingest.KindDelivery}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("kinds of records (-want +got):\n%s", diff)
	}
	dead := letters(t, k, "broken-dead")
	if len(dead) != 2 {
		t.Fatalf("dead letters: %+v", dead)
	}
	for i, want := range []struct{ key, payload, reason, result string }{
		{"broken/0/1", "not JSON", "line 1, column 1", "undecodable"},
		{"broken/0/2", partly, "alerts[1]", "partly"},
	} {
		got := dead[i]
		if got.Key != want.key || got.Payload != want.payload || !strings.Contains(got.header(stream.HeaderReason), want.reason) || got.header(stream.HeaderResult) != want.result {
			t.Errorf("dead letter %d: %+v", i, got)
		}
		source := []string{got.header(stream.HeaderStream), got.header(stream.HeaderTopic), got.header(stream.HeaderPartition), got.header(stream.HeaderOffset), got.header(stream.HeaderKey), got.header("trace")}
		if diff := cmp.Diff([]string{"broken", "broken", "0", fmt.Sprint(i + 1), "the key", "7"}, source); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	}
	counted := []float64{s.metric(t, "evenkeel_stream_records_total", "accepted"), s.metric(t, "evenkeel_stream_records_total", "partly"), s.metric(t, "evenkeel_stream_records_total", "undecodable"), s.metric(t, "evenkeel_stream_dead_letters_sent_total")}
	if diff := cmp.Diff([]float64{2, 1, 1, 2}, counted); diff != "" {
		t.Errorf("accepted, partly, undecodable, sent (-want +got):\n%s", diff)
	}
}

func deadLettersOnce(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "once", 2)
	k.CreateTopic(t, "once-dead", 3)
	produce(t, k, "once", strings.Repeat("broken\n", 200))
	for _, group := range []string{"once-1", "once-2"} { // the second begins anew, as after a crash before the first commit
		c := config(k, "once", "once")
		c.Group, c.DeadLetterTopic = group, "once-dead"
		s := start(t, c, stream.Options{Journal: &memory{}})
		allCommitted(t, k, group, "once", soon)
		s.stop()
	}
	if n := len(letters(t, k, "once-dead")); n != 200 {
		t.Errorf("%d dead letters of 200 broken records", n)
	}
}

func longDeadLetters(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "long", 1)
	k.CreateTopic(t, "long-dead", 1, "max.message.bytes", "20000")
	produce(t, k, "long", strings.Repeat("x", 500_000)+"\nshort\n"+strings.Repeat("y", 15_000)+"\n")
	produce(t, k, "long", strings.Repeat("z", 99)+"\n", "-H", "long="+strings.Repeat("h", 30_000), "-H", "evenkeel-reason=of another")
	c := config(k, "long", "long")
	c.DeadLetterTopic = "long-dead"
	start(t, c, stream.Options{Journal: &memory{}})
	allCommitted(t, k, "long", "long", soon)
	var lengths []string
	for _, l := range letters(t, k, "long-dead") {
		lengths = append(lengths, fmt.Sprint(len(l.Payload), " ", l.header(stream.HeaderTruncated), " ", l.header(stream.HeaderDropped)))
	}
	if diff := cmp.Diff([]string{"4096 500000 ", "5  ", "15000  ", "0 99 2"}, lengths); diff != "" {
		t.Errorf("lengths (-want +got):\n%s", diff)
	}
}

func wholeDeadLetters(t *testing.T, k *rig.KafkaCluster) {
	const limit = 3_000_000
	k.CreateTopic(t, "whole", 1, "max.message.bytes", "10000000")
	k.CreateTopic(t, "whole-dead", 1, "max.message.bytes", "10000000")
	for _, length := range []int{2_000_000, limit, 600_000, limit + 1_500_000} {
		produce(t, k, "whole", strings.Repeat("x", length)+"\n", "-X", "message.max.bytes=9000000", "-H", "long="+strings.Repeat("h", 20_000))
	}
	c := config(k, "whole", "whole")
	c.DeadLetterTopic = "whole-dead"
	start(t, c, stream.Options{Journal: &memory{}, MaxBodyBytes: limit})
	allCommitted(t, k, "whole", "whole", soon)
	var lengths []string
	for _, l := range letters(t, k, "whole-dead") {
		lengths = append(lengths, fmt.Sprint(len(l.Payload), " ", l.header(stream.HeaderTruncated)))
	}
	if diff := cmp.Diff([]string{"2000000 ", "3000000 ", "600000 ", "65536 4500000"}, lengths); diff != "" {
		t.Errorf("lengths (-want +got):\n%s", diff)
	}
}

func starts(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "starts", 1)
	produce(t, k, "starts", alert(1)+"\n")
	time.Sleep(1100 * time.Millisecond)
	between := time.Now().Truncate(time.Second)
	produce(t, k, "starts", alert(2)+"\n")
	want := map[string]string{
		"earliest": "[1 2 3]", "latest": "[3]", between.UTC().Format(time.RFC3339): "[2 3]", "2035-01-01T00:00:00Z": "[3]",
	}
	journals := map[string]*memory{}
	run := func(begin string) (s started, group string) {
		c := config(k, "starts-"+strings.NewReplacer(":", "", "-", "").Replace(begin), "starts")
		var err error
		if c.Start, err = stream.ParseStart(begin); err != nil {
			t.Fatal(err)
		}
		return start(t, c, stream.Options{Journal: journals[begin]}), c.Group
	}
	for begin := range want {
		journals[begin] = &memory{}
		s, group := run(begin)
		eventually(t, soon, func() (bool, string) { return k.Committed(t, group, "starts")[0] >= 0, "nothing is committed" })
		s.stop()
	}
	// What comes while nobody reads is not judged by start again.
	produce(t, k, "starts", alert(3)+"\n")
	for begin := range want {
		_, group := run(begin)
		allCommitted(t, k, group, "starts", soon)
		if got := fmt.Sprint(numbers(journals[begin].kept())); got != want[begin] {
			t.Errorf("from %s it read %s, want %s", begin, got, want[begin])
		}
	}
}

func numbers(records []ingest.Record) []int {
	var all []int
	for _, r := range records {
		var n int
		if _, err := fmt.Sscanf(string(r.Body[strings.LastIndex(string(r.Body), `"n":`):]), `"n":"%d"`, &n); err == nil {
			all = append(all, n)
		}
	}
	return all
}

func pauses(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "pauses", 2)
	produce(t, k, "pauses", alerts(0, 2500), "-p", "0")
	produce(t, k, "pauses", alerts(2500, 5000), "-p", "1")
	journal := &memory{refuse: errors.New("journal is full")}
	s := start(t, config(k, "pauses", "pauses"), stream.Options{Journal: journal, SessionTimeout: 6 * time.Second})
	eventually(t, soon, func() (bool, string) {
		return s.metric(t, "evenkeel_stream_paused_partitions") == 2, "it is not paused"
	})
	time.Sleep(8 * time.Second) // longer than the group waits for silent members
	if n := s.metric(t, "evenkeel_stream_rebalances_total"); n != 1 {
		t.Errorf("%v rebalances: a member that is paused stays", n)
	}
	if committed := k.Committed(t, "pauses", "pauses"); slices.Max(committed) > 0 {
		t.Errorf("committed %v without a journal", committed)
	}
	journal.refusing(nil)
	allCommitted(t, k, "pauses", "pauses", soon)
	if n := len(journal.kept()); n != 5000 {
		t.Errorf("%d of 5000 records were kept", n)
	}
	if n := s.metric(t, "evenkeel_stream_paused_partitions"); n != 0 {
		t.Errorf("%v partitions are paused still", n)
	}
}

func noDeadLetterTopic(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "nodead", 1)
	produce(t, k, "nodead", "broken\n"+alert(1)+"\n")
	c := config(k, "nodead", "nodead")
	c.DeadLetterTopic = "nodead-dead"
	s := start(t, c, stream.Options{Journal: &memory{}})
	eventually(t, soon, func() (bool, string) {
		return s.metric(t, "evenkeel_stream_paused_partitions") == 1, "it is not paused"
	})
	if committed := k.Committed(t, "nodead", "nodead"); committed[0] > 0 {
		t.Errorf("committed %v before the dead letter is anywhere", committed)
	}
	k.CreateTopic(t, "nodead-dead", 1)
	allCommitted(t, k, "nodead", "nodead", time.Minute)
	if n := len(letters(t, k, "nodead-dead")); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

func topicComesLater(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "early", 1)
	produce(t, k, "early", alert(1)+"\n")
	start(t, config(k, "later", "early", "late"), stream.Options{Journal: &memory{}})
	allCommitted(t, k, "later", "early", soon)
	k.CreateTopic(t, "late", 1)
	produce(t, k, "late", alert(2)+"\n")
	allCommitted(t, k, "later", "late", time.Minute)
}

func headers(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "headers", 1)
	produce(t, k, "headers", alert(1)+"\n", "-H", "x-scope-orgid=blue", "-H", "X-Evenkeel-Source=dc1")
	produce(t, k, "headers", alert(2)+"\n", "-H", "X-Scope-OrgID=a/../b c")
	produce(t, k, "headers", alert(3)+"\n")
	produce(t, k, "headers", `{"id":"1","service":"checkout","started_at":"2026-11-22T11:00:00Z"}`+"\n",
		"-H", "ce_specversion=1.0", "-H", "ce_id=1", "-H", "ce_source=/ci", "-H", "ce_type=io.evenkeel.change", "-H", "content-type=application/json")
	journal := &memory{}
	start(t, config(k, "headers", "headers"), stream.Options{Journal: journal})
	allCommitted(t, k, "headers", "headers", soon)
	var got []string
	for _, r := range journal.kept() {
		got = append(got, strings.Join([]string{r.Kind.String(), r.Tenant, r.Source, r.Path}, " "))
	}
	want := []string{
		"delivery blue dc1 " + ingest.PathAlertmanager,
		"rejected default alertmanager " + ingest.PathAlertmanager,
		"delivery default alertmanager " + ingest.PathAlertmanager,
		"delivery default  " + ingest.PathCloudEvents,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	configured := config(k, "configured", "headers")
	configured.Tenant = "red"
	journal = &memory{}
	start(t, configured, stream.Options{Journal: journal})
	allCommitted(t, k, "configured", "headers", soon)
	if got := journal.kept()[0].Tenant; got != "red" {
		t.Errorf("tenant %q: a header is not above the configuration", got)
	}
}

var errNever = errors.New("too large for this journal")

// choosy is a journal that takes no record with this text.
type choosy struct{ memory }

func neverHeld(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "never", 1)
	produce(t, k, "never", alerts(0, 10)+strings.Replace(alert(10), `"A"`, `"huge"`, 1)+"\n"+alerts(11, 20))
	journal := &choosy{}
	start(t, config(k, "never", "never"), stream.Options{Journal: journal, NeverHolds: func(err error) bool { return errors.Is(err, errNever) }})
	allCommitted(t, k, "never", "never", soon)
	got := journal.kept()
	if len(got) != 20 || got[10].Kind != ingest.KindRejected || got[11].Kind != ingest.KindDelivery {
		t.Errorf("%d records were kept", len(got))
	}
}

func sets(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "set-a", 1)
	k.CreateTopic(t, "set-b", 1)
	produce(t, k, "set-a", alert(1)+"\n")
	produce(t, k, "set-b", alert(2)+"\n")
	journal := &memory{}
	set, stop := runSet(t, journal)
	a, b := config(k, "set-a", "set-a"), config(k, "set-b", "set-b")
	if err := set.Apply([]stream.Config{a}); err != nil {
		t.Fatal(err)
	}
	allCommitted(t, k, "set-a", "set-a", soon)
	if err := set.Apply([]stream.Config{a, {Name: "wrong"}}); err == nil {
		t.Error("a wrong configuration was applied")
	}
	b.Tenant = "blue"
	if err := set.Apply([]stream.Config{b}); err != nil {
		t.Fatal(err)
	}
	allCommitted(t, k, "set-b", "set-b", soon)
	produce(t, k, "set-a", alert(3)+"\n")
	b.Tenant = "red"
	if err := set.Apply([]stream.Config{a, b}); err != nil {
		t.Fatal(err)
	}
	produce(t, k, "set-b", alert(4)+"\n")
	allCommitted(t, k, "set-a", "set-a", soon)
	allCommitted(t, k, "set-b", "set-b", soon)
	stop()
	tenants := map[int]string{}
	for _, r := range journal.kept() {
		tenants[numbers([]ingest.Record{r})[0]] = r.Tenant
	}
	if diff := cmp.Diff(map[int]string{1: "default", 2: "blue", 3: "default", 4: "red"}, tenants); diff != "" {
		t.Errorf("tenants by alert (-want +got):\n%s", diff)
	}
}

func lag(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "lag", 1)
	produce(t, k, "lag", alerts(0, 300))
	journal := &memory{refuse: errors.New("no")}
	s := start(t, config(k, "lag", "lag"), stream.Options{Journal: journal})
	measure := func() float64 { return s.metric(t, "evenkeel_stream_lag_records", "0", "lag") }
	eventually(t, soon, func() (bool, string) { return measure() == 300, fmt.Sprint("lag ", measure()) })
	journal.refusing(nil)
	eventually(t, soon, func() (bool, string) { return measure() == 0, fmt.Sprint("lag ", measure()) })
	s.stop()
	if n := measure(); n != -1 {
		t.Errorf("lag %v of a stream that does not run", n)
	}
}
