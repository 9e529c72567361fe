package stream_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// fake starts a broker inside the test, with topics of three partitions.
func fake(t *testing.T, topics ...string) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond), kfake.SeedTopics(3, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// alive is a stream of a fake broker that is the heartbeat of the source bridge.
func alive(c *kfake.Cluster, topics ...string) stream.Config {
	s := stream.Config{
		Name: "bus", Brokers: c.ListenAddrs(), Group: "evenkeel", Format: "alertmanager", Source: "bridge",
		Heartbeats: []stream.Heartbeat{{Tenant: "shop", Source: "bridge", Every: 2 * time.Second}},
	}
	for _, topic := range topics {
		s.Topics = append(s.Topics, stream.Topic{Name: topic})
	}
	return s
}

// signs returns what a journal was told of how far the stream was read, by the place among all records.
func (m *memory) signs(t *testing.T) map[int]ingest.Progress {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	signs := map[int]ingest.Progress{}
	for i, rec := range m.records {
		if rec.Path != ingest.PathProgress {
			continue
		}
		rec.ReceivedAt = 1
		events, _, err := wire.Decode(rec)
		if err != nil || len(events) != 1 || events[0].Tenant != "shop" || events[0].Source != "bridge" || events[0].Progress.Stream != "bus" {
			t.Fatalf("%s: %+v, %v", rec.Body, events, err)
		}
		signs[i] = *events[0].Progress
	}
	return signs
}

// nextSign waits for a sign that the stream was read to an instant after now.
func (m *memory) nextSign(t *testing.T) {
	t.Helper()
	after := ingest.MillisOf(time.Now())
	eventually(t, time.Minute, func() (bool, string) {
		for _, p := range m.signs(t) {
			if p.ReadTo > after {
				return true, ""
			}
		}
		return false, "nothing says that the stream is read"
	})
}

// noSign fails where within a while something says that the stream was read to an instant after now.
func (m *memory) noSign(t *testing.T) {
	t.Helper()
	after := ingest.MillisOf(time.Now())
	time.Sleep(2 * time.Second)
	for _, p := range m.signs(t) {
		if p.ReadTo > after {
			t.Fatalf("the stream is said to be read to %s, after %s", p.ReadTo, after)
		}
	}
}

func producer(t *testing.T, c *kfake.Cluster) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func send(t *testing.T, to *kgo.Client, topic, line string) {
	t.Helper()
	if err := to.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(line)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestAQuietStreamShowsAgainAndAgainThatItIsRead(t *testing.T) {
	c := fake(t, "alerts", "more")
	j := &memory{}
	start(t, alive(c, "alerts", "more"), stream.Options{Journal: j})
	for range 3 {
		j.nextSign(t)
	}
	signs := j.signs(t)
	places := slices.Sorted(func(yield func(int) bool) {
		for i := range signs {
			if !yield(i) {
				return
			}
		}
	})
	for i, at := range places[1:] {
		if gap := signs[at].ReadTo - signs[places[i]].ReadTo; gap < ingest.Second/2 {
			t.Errorf("two signs are only %d ms apart: the journal gets too many", gap)
		}
	}
}

// picky is a journal that takes everything but what comes by the stream.
type picky struct {
	memory
	closed atomic.Bool
}

func (p *picky) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	if p.closed.Load() && records[0].Origin != nil {
		return 0, errors.New("full")
	}
	return p.memory.Append(ctx, records)
}

func TestAStreamThatWaitsForTheJournalIsNotReadToItsEnd(t *testing.T) {
	c := fake(t, "alerts")
	j := &picky{}
	start(t, alive(c, "alerts"), stream.Options{Journal: j})
	j.nextSign(t)
	j.closed.Store(true)
	j.nextSign(t) // nothing waits
	send(t, producer(t, c), "alerts", alert(1))
	j.noSign(t)
	j.closed.Store(false)
	j.nextSign(t)
}

func TestABrokerThatDoesNotAnswerGivesNoSign(t *testing.T) {
	for name, key := range map[string]kmsg.Key{"of where topics end": kmsg.ListOffsets, "of what is committed": kmsg.OffsetFetch} {
		t.Run(name, func(t *testing.T) {
			c := fake(t, "alerts")
			j := &memory{}
			start(t, alive(c, "alerts"), stream.Options{Journal: j})
			j.nextSign(t)
			var silent atomic.Bool
			silent.Store(true)
			c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				return nil, errors.New("gone"), silent.Load()
			})
			j.noSign(t)
			silent.Store(false)
			j.nextSign(t)
		})
	}
}

func TestATopicThatIsNotThereGivesNoSign(t *testing.T) {
	c := fake(t, "alerts")
	j := &memory{}
	start(t, alive(c, "alerts", "later"), stream.Options{Journal: j})
	client := producer(t, c)
	send(t, client, "alerts", alert(1))
	eventually(t, time.Minute, func() (bool, string) { return len(j.kept()) == 1, "the other topic is not read" })
	j.noSign(t)
	later := kmsg.NewCreateTopicsRequestTopic()
	later.Topic, later.NumPartitions, later.ReplicationFactor = "later", 1, 1
	req := kmsg.NewCreateTopicsRequest()
	req.Topics = append(req.Topics, later)
	if _, err := client.Request(t.Context(), &req); err != nil {
		t.Fatal(err)
	}
	j.nextSign(t) // as soon as that is noticed
}

// Only the topics count that can bring anything of the source.
func TestATopicOfAnotherSourceIsNotWaitedFor(t *testing.T) {
	c := fake(t, "alerts")
	s := alive(c, "alerts", "later")
	s.Topics[1].Source = "another"
	j := &memory{}
	start(t, s, stream.Options{Journal: j})
	j.nextSign(t)
}

// slow is a journal that takes its time, so that reading is behind now and then.
type slow struct{ memory }

func (s *slow) Append(ctx context.Context, records []ingest.Record) (uint64, error) {
	if records[0].Origin != nil {
		time.Sleep(100 * time.Millisecond)
	}
	return s.memory.Append(ctx, records)
}

// Whenever the journal is told that the stream was read to an instant, all that was acknowledged to producers before is
// there before it, whichever member read it. And one member speaks for all.
func TestWhatAStreamIsReadToIsInTheJournal(t *testing.T) {
	c := fake(t, "alerts", "more")
	j := &slow{}
	s := alive(c, "alerts", "more")
	s.Heartbeats[0].Every = time.Second
	for range 3 {
		start(t, s, stream.Options{Journal: j, SessionTimeout: time.Second})
	}
	client := producer(t, c)
	acknowledged := map[string]ingest.Millis{}
	for n, end := 0, time.Now().Add(10*time.Second); time.Now().Before(end); n++ {
		line := alert(n)
		send(t, client, []string{"alerts", "more"}[n%2], line)
		acknowledged[line] = ingest.MillisOf(time.Now()) + 1 // the rest of the millisecond
		if n == 200 {
			start(t, s, stream.Options{Journal: j, SessionTimeout: time.Second}) // shared out anew
		}
		time.Sleep(5 * time.Millisecond)
	}
	j.nextSign(t)
	signs := j.signs(t)
	place := map[string]int{}
	for i, rec := range slices.Backward(j.records) {
		place[string(rec.Body)] = i // the first
	}
	for at, p := range signs {
		for line, acked := range acknowledged {
			if i, there := place[line]; acked < p.ReadTo && (!there || i > at) {
				t.Fatalf("said to be read to %s at %d, and what was acknowledged at %s is at %d (%v)", p.ReadTo, at, acked, i, there)
			}
		}
	}
	t.Logf("COUNTED: %d records of %d, %d signs", len(acknowledged), len(j.records), len(signs))
	if len(signs) < 5 || len(signs) > 80 {
		t.Errorf("%d signs in about ten seconds, of four members with one voice", len(signs))
	}
}
