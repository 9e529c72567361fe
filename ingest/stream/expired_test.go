package stream_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// expire removes the records of partition 0 before the offset, as retention does.
func expire(t *testing.T, k *rig.KafkaCluster, topic string, before int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addresses()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: before}}}}
	if _, err := req.RequestWith(context.Background(), client); err != nil {
		t.Fatal(err)
	}
}

func expired(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "expired", 1)
	produce(t, k, "expired", alerts(0, 10))
	journal := &memory{}
	s := start(t, config(k, "expired", "expired"), stream.Options{Journal: journal})
	allCommitted(t, k, "expired", "expired", soon)
	s.stop()
	produce(t, k, "expired", alerts(10, 100))
	expire(t, k, "expired", 50)
	s = start(t, config(k, "expired", "expired"), stream.Options{Journal: journal})
	allCommitted(t, k, "expired", "expired", soon)
	if n := s.metric(t, "evenkeel_stream_expired_records_total"); n != 40 {
		t.Errorf("%v records expired, want 40", n)
	}
	// Paused on what it has, it finds that what follows is gone.
	journal.refusing(errors.New("full"))
	produce(t, k, "expired", alerts(100, 10_100))
	eventually(t, soon, func() (bool, string) { return s.metric(t, "evenkeel_stream_paused_partitions") == 1, "not paused" })
	expire(t, k, "expired", 10_000)
	journal.refusing(nil)
	allCommitted(t, k, "expired", "expired", soon)
	got := numbers(journal.kept())
	if diff := cmp.Diff([]int{10_098, 10_099}, got[len(got)-2:]); diff != "" {
		t.Errorf("the last alerts (-want +got):\n%s", diff)
	}
	if n := s.metric(t, "evenkeel_stream_expired_records_total"); n <= 40 || int(n) != 10_100-len(got) {
		t.Errorf("%v records expired, %d of 10100 were read", n, len(got))
	}
}
