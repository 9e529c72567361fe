package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/partition"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// memberVariable makes the test's own program a member of a group: a process that can be killed.
const memberVariable = "STREAM_TEST_MEMBER"

// member is what such a process is told.
type member struct {
	Config  stream.Config
	Journal string // URL of the test's journal
}

func TestMain(m *testing.M) {
	if text := os.Getenv(memberVariable); text != "" {
		if err := runMember(text); err != nil {
			slog.Error("member", "err", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runMember(text string) error {
	var m member
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return err
	}
	s, err := stream.New(m.Config, stream.Options{
		Journal: remote(m.Journal), SessionTimeout: 3 * time.Second, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	s.Run(context.Background())
	return nil
}

// remote is a journal in the test's process.
type remote string

func (r remote) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	body, err := json.Marshal(records)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(r), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return 0, errors.Join(err, resp.Body.Close())
}

// serveJournal lets members append to a real journal.
func serveJournal(t *testing.T, j journal.Journal) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var records []ingest.Record
		if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := j.Append(r.Context(), records); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func openJournal(t *testing.T) *journal.Local {
	t.Helper()
	j, err := journal.Open(journal.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// sink takes the lines of a load. finish returns when every one is acknowledged by the broker.
type sink struct {
	write  func(line string) error
	finish func() error
}

// toKcat is a sink that ends with its broker, as kcat does.
func toKcat(t *testing.T, k *rig.KafkaCluster, topic string) sink {
	t.Helper()
	cmd := rig.KcatCommand(t, "-P", "-b", strings.Join(k.Addresses(), ","), "-t", topic,
		"-X", "enable.idempotence=true", "-X", "acks=all", "-X", "partitioner=random", "-X", "linger.ms=5")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := rig.Start(t, "kcat", cmd, "", "")
	return sink{
		func(line string) error { _, err := io.WriteString(in, line+"\n"); return err },
		func() error {
			_ = in.Close() // its end is what tells kcat to write the rest
			select {
			case <-p.Done():
				return p.Stop()
			case <-time.After(time.Minute):
				return errors.New("kcat could not write all")
			}
		},
	}
}

// toFranz is a sink that writes each line exactly once, however often its broker goes away.
func toFranz(t *testing.T, k *rig.KafkaCluster, topic string) sink {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addresses()...), kgo.DefaultProduceTopic(topic), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	failed := make(chan error, 1)
	return sink{
		func(line string) error {
			client.Produce(t.Context(), kgo.StringRecord(line), func(_ *kgo.Record, err error) {
				if err == nil {
					return
				}
				select {
				case failed <- err:
				default: // there is one already
				}
			})
			return nil
		},
		func() error {
			err := client.Flush(t.Context())
			select {
			case first := <-failed:
				return errors.Join(err, first)
			default:
				return err
			}
		},
	}
}

// startLoad produces alerts with numbers from 0, one in a hundred broken, until it is stopped. Then
// it says how many there were of each.
func startLoad(t *testing.T, to sink) (stop func() (good, broken int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan [2]int, 1)
	go func() {
		var made [2]int
		for n := 0; ctx.Err() == nil; n++ {
			line, kind := alert(n), 0
			if n%100 == 99 {
				line, kind = "broken "+alert(n), 1
			}
			if err := to.write(line); err != nil {
				t.Errorf("the load: %v", err)
				break
			}
			made[kind]++
			time.Sleep(time.Millisecond)
		}
		done <- made
	}()
	return func() (int, int) {
		cancel()
		made := <-done
		if err := to.finish(); err != nil {
			t.Fatalf("the load: %v", err)
		}
		return made[0], made[1]
	}
}

// visible folds a journal and returns how often each alert is in the events, how many dead letters
// there are, and how many records were delivered more than once.
func visible(t *testing.T, j journal.Journal) (events map[string]int, dead, again int) {
	t.Helper()
	f := partition.NewFold(0)
	events = map[string]int{}
	seen := map[ingest.Origin]bool{}
	for from := j.First(); from <= j.Last(); {
		records, err := j.Read(t.Context(), from, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			if seen[*rec.Origin] {
				again++
			}
			seen[*rec.Origin] = true
			rows := f.Apply(rec)
			for _, e := range rows.Events {
				events[e.Labels.Get("n")]++
			}
			dead += len(rows.DeadLetters)
		}
		from += uint64(len(records))
	}
	return events, dead, again
}

// checkCounts compares what came in with what is there, to the last alert.
func checkCounts(t *testing.T, k *rig.KafkaCluster, j journal.Journal, good, broken int, deadTopic string) {
	t.Helper()
	events, dead, again := visible(t, j)
	twice := 0
	for _, n := range events {
		if n > 1 {
			twice++
		}
	}
	told := map[string]bool{}
	all := letters(t, k, deadTopic)
	for _, l := range all {
		told[l.Key] = true
	}
	t.Logf("COUNTED: %d alerts acknowledged, %d lost, %d visible twice; %d broken records, %d dead letters kept, %d in the topic (%d different); %d records delivered again",
		good, good-len(events), twice, broken, dead, len(all), len(told), again)
	if len(events) != good || twice > 0 || dead != broken || len(told) != broken {
		t.Error("the counts differ")
	}
}

func TestMembersThatAreKilledAndAddedAtRandomLoseAndDoubleNothing(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "storm", 6)
	k.CreateTopic(t, "storm-dead", 2)
	j := openJournal(t)
	c := config(k, "storm", "storm")
	c.DeadLetterTopic = "storm-dead"
	told, err := json.Marshal(member{c, serveJournal(t, j)})
	if err != nil {
		t.Fatal(err)
	}
	enter := func() *rig.Process {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), memberVariable+"="+string(told))
		return rig.Start(t, "member", cmd, "", "")
	}
	members := []*rig.Process{enter(), enter(), enter()}
	stop := startLoad(t, toKcat(t, k, "storm"))
	killed := 0
	for end := time.Now().Add(45 * time.Second); time.Now().Before(end); {
		time.Sleep(time.Duration(500+rand.IntN(4000)) * time.Millisecond)
		if i := rand.IntN(len(members) + 1); i < len(members) && len(members) > 1 {
			members[i].Kill()
			members = append(members[:i], members[i+1:]...)
			killed++
		} else if len(members) < 4 {
			members = append(members, enter())
		}
	}
	good, broken := stop()
	for len(members) < 3 {
		members = append(members, enter())
	}
	allCommitted(t, k, "storm", "storm", time.Minute)
	for _, m := range members {
		m.Kill()
	}
	t.Logf("%d members were killed", killed)
	checkCounts(t, k, j, good, broken, "storm-dead")
}

func TestABrokerThatIsKilledUnderLoadLosesAndDoublesNothing(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "storm", 4)
	k.CreateTopic(t, "storm-dead", 2)
	j := openJournal(t)
	c := config(k, "storm", "storm")
	c.DeadLetterTopic = "storm-dead"
	start(t, c, stream.Options{Journal: j, SessionTimeout: 3 * time.Second})
	stop := startLoad(t, toFranz(t, k, "storm"))
	for range 3 {
		time.Sleep(4 * time.Second)
		k.Kill(0)
		time.Sleep(2 * time.Second)
		k.Restart(t, 0)
	}
	time.Sleep(3 * time.Second)
	good, broken := stop()
	allCommitted(t, k, "storm", "storm", time.Minute)
	checkCounts(t, k, j, good, broken, "storm-dead")
}
