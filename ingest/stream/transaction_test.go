package stream_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// transact writes alerts in one transaction, and commits it or not.
func transact(t *testing.T, k *rig.KafkaCluster, topic string, commit kgo.TransactionEndTry, numbers ...int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addresses()...), kgo.TransactionalID("tests"), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		if err := client.ProduceSync(ctx, kgo.StringRecord(alert(n))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.EndTransaction(ctx, commit); err != nil {
		t.Fatal(err)
	}
}

func transactions(t *testing.T, k *rig.KafkaCluster) {
	k.CreateTopic(t, "transactions", 1)
	transact(t, k, "transactions", kgo.TryCommit, 1, 2)
	transact(t, k, "transactions", kgo.TryAbort, 3, 4)
	produce(t, k, "transactions", alert(5)+"\n")
	transact(t, k, "transactions", kgo.TryCommit, 6)
	transact(t, k, "transactions", kgo.TryAbort, 7)
	journal := &memory{}
	start(t, config(k, "transactions", "transactions"), stream.Options{Journal: journal})
	allCommitted(t, k, "transactions", "transactions", soon) // behind the last marker, too: the lag is 0
	if diff := cmp.Diff([]int{1, 2, 5, 6}, numbers(journal.kept())); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}
