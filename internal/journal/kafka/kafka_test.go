package kafka_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake starts brokers inside the test: for what needs no disk.
func fake(t testing.TB, brokers int) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(brokers), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var topics atomic.Int32

// options are for a journal of its own on these brokers.
func options(brokers []string) kafka.Options {
	return kafka.Options{
		Brokers: brokers, Topic: fmt.Sprintf("journal-%d", topics.Add(1)), Partitions: 1, Replication: 1,
		Group: fmt.Sprintf("group-%d", topics.Load()), SessionTimeout: 2 * time.Second, DomainLabel: "cluster",
		Events: func(rec ingest.Record) []ingest.Event {
			d, err := wire.Read(rec)
			if err != nil {
				return nil
			}
			return d.Events
		},
	}
}

func open(t testing.TB, o kafka.Options) *kafka.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := kafka.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// alone is a journal of one partition, which closes with its cluster.
type alone struct {
	*kafka.Partition
	c *kafka.Cluster
}

func (a alone) Close() error { return a.c.Close() }

func fixture(brokers []string) func(*testing.T) journaltest.Fixture {
	return func(*testing.T) journaltest.Fixture {
		o := options(brokers)
		o.Registerer = prometheus.NewRegistry()
		var now atomic.Pointer[time.Time]
		o.Clock = func() time.Time { return *now.Load() }
		return journaltest.Fixture{
			Open: func() (journal.Journal, error) {
				c, err := kafka.Open(context.Background(), o)
				if err != nil {
					return nil, err
				}
				return alone{c.Partition(0), c}, nil
			},
			SetClock: func(at time.Time) { now.Store(&at) },
		}
	}
}

func TestAPartitionIsAJournal(t *testing.T) {
	journaltest.Run(t, fixture(fake(t, 1).ListenAddrs()))
}

func delivery(body string) ingest.Record {
	return ingest.Record{Kind: ingest.KindDelivery, Source: "s", Path: "/p", Body: []byte(body)}
}

// webhook is a delivery with one firing alert for each cluster that is named.
func webhook(clusters ...string) ingest.Record {
	var alerts []string
	for i, c := range clusters {
		alerts = append(alerts, fmt.Sprintf(`{"status":"firing","labels":{"alertname":"a%d","cluster":%q},"startsAt":"2026-10-05T08:00:00Z"}`, i, c))
	}
	return ingest.Record{
		Kind: ingest.KindDelivery, Path: ingest.PathAlertmanager,
		Body: []byte(`{"version":"4","alerts":[` + strings.Join(alerts, ",") + `]}`),
	}
}
