package kafka_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
)

// failProduce has the brokers answer the next writes with an error.
func failProduce(c *kfake.Cluster, times int32, code int16) {
	var n atomic.Int32
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if n.Add(1) > times {
			return nil, nil, false
		}
		c.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic = t.Topic
			for _, p := range t.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, code
				topic.Partitions = append(topic.Partitions, part)
			}
			res.Topics = append(res.Topics, topic)
		}
		return res, nil, true
	})
}

func TestAnAppendIsTriedAgainWhileItsCallerWaits(t *testing.T) {
	brokers := fake(t, 1)
	c := open(t, options(brokers.ListenAddrs()))
	failProduce(brokers, 3, kerr.NotEnoughReplicas.Code)
	if _, err := c.Append(context.Background(), []ingest.Record{delivery("x")}); err != nil {
		t.Fatal(err)
	}
	if n := len(journaltest.All(t, c.Partition(0))); n != 1 {
		t.Errorf("%d records", n)
	}
	if err := c.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
}

func TestAnAppendThatIsNotAcknowledgedIsUnavailableAndHealthSaysSo(t *testing.T) {
	brokers := fake(t, 1)
	o := options(brokers.ListenAddrs())
	reg := prometheus.NewRegistry()
	o.Registerer = reg
	c := open(t, o)
	failProduce(brokers, 1000, kerr.NotEnoughReplicas.Code)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Append(ctx, []ingest.Record{delivery("x")})
	if !errors.Is(err, journal.ErrUnavailable) || !strings.Contains(err.Error(), "may still land") {
		t.Error(err)
	}
	eventually(t, "ill", func() bool { err = c.Health(); return err != nil })
	if !errors.Is(err, journal.ErrUnavailable) || !strings.Contains(err.Error(), "min.insync.replicas") {
		t.Errorf("health: %v", err)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP evenkeel_journal_append_failures_total Appends that were not acknowledged, by reason.
# TYPE evenkeel_journal_append_failures_total counter
evenkeel_journal_append_failures_total{reason="backwards"} 0
evenkeel_journal_append_failures_total{reason="canceled"} 0
evenkeel_journal_append_failures_total{reason="closed"} 0
evenkeel_journal_append_failures_total{reason="full"} 0
evenkeel_journal_append_failures_total{reason="timeout"} 1
evenkeel_journal_append_failures_total{reason="too_large"} 0
evenkeel_journal_append_failures_total{reason="unavailable"} 0
`), "evenkeel_journal_append_failures_total"); err != nil {
		t.Error(err)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.Partitions = 2
	reg := prometheus.NewRegistry()
	o.Registerer = reg
	open(t, o)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

func TestARecordThatTheTopicDoesNotTakeIsTooLargeAndItsNeighboursLand(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	makeTopic(t, o, kafkago.ConfigEntry{ConfigName: "max.message.bytes", ConfigValue: "100000"})
	c := open(t, o)
	_, err := c.Append(context.Background(), []ingest.Record{delivery(noise(150_000, 1))})
	if !errors.Is(err, journal.ErrTooLarge) || !strings.Contains(err.Error(), "max.message.bytes") {
		t.Errorf("a record of 150 000 bytes: %v", err)
	}
	if _, err := c.Append(context.Background(), []ingest.Record{delivery(strings.Repeat("compresses well ", 20_000))}); err != nil {
		t.Errorf("a record that fits when compressed: %v", err)
	}
	many := make([]ingest.Record, 10)
	for i := range many {
		many[i] = delivery(noise(50_000, byte(i)))
	}
	if _, err := c.Append(context.Background(), many); err != nil {
		t.Errorf("records that are too long only together: %v", err)
	}
	if err := c.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
}

// makeTopic makes the journal's topic as someone else would.
func makeTopic(t *testing.T, o kafka.Options, config ...kafkago.ConfigEntry) {
	t.Helper()
	transport := new(kafkago.Transport)
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: transport}
	res, err := client.CreateTopics(context.Background(), &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{{
		Topic: o.Topic, NumPartitions: int(o.Partitions), ReplicationFactor: o.Replication, ConfigEntries: config,
	}}})
	must(t, err)
	must(t, res.Errors[o.Topic])
}

func TestACompactedTopicIsRefused(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	makeTopic(t, o, kafkago.ConfigEntry{ConfigName: "cleanup.policy", ConfigValue: "compact"})
	_, err := kafka.Open(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), `cleanup.policy is "compact"`) {
		t.Error(err)
	}
}

func TestARecordOfSomeoneElseIsRejectedAloneAndTheRestIsRead(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	c := open(t, o)
	for _, foreign := range []string{"", "hello", "\x01", "\x01\x05", "\x01\x00\x01", "\x02\x00"} {
		transport := new(kafkago.Transport)
		client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: transport}
		res, err := client.Produce(context.Background(), &kafkago.ProduceRequest{
			Topic: o.Topic, RequiredAcks: kafkago.RequireAll, Records: kafkago.NewRecordReader(kafkago.Record{Value: kafkago.NewBytes([]byte(foreign))}),
		})
		transport.CloseIdleConnections()
		must(t, err)
		must(t, res.Error)
	}
	if _, err := c.Append(context.Background(), []ingest.Record{delivery("ours")}); err != nil {
		t.Fatal(err)
	}
	all := journaltest.All(t, c.Partition(0))
	if len(all) != 7 || string(all[6].Body) != "ours" {
		t.Fatalf("%v", all)
	}
	for _, rec := range all[:6] {
		if rec.Kind != ingest.KindRejected || rec.Reason == "" || rec.ReceivedAt == 0 {
			t.Errorf("%+v", rec)
		}
	}
}

func TestBrokersThatAreAwayAtTheStartAreWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := kafka.Open(ctx, options([]string{"127.0.0.1:1"}))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestALeaderThatMovesLosesNothing(t *testing.T) {
	brokers := fake(t, 3)
	o := options(brokers.ListenAddrs())
	o.Replication = 3
	c := open(t, o)
	for i := range 30 {
		if i%10 == 5 {
			must(t, brokers.MoveTopicPartition(o.Topic, 0, (brokers.LeaderFor(o.Topic, 0)+1)%3))
		}
		if _, err := c.Append(context.Background(), []ingest.Record{delivery("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(journaltest.All(t, c.Partition(0))); n != 30 {
		t.Errorf("%d records", n)
	}
}
