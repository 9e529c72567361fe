package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
)

// folded returns the names of the alerts that the fold of each partition would apply, with
// their clusters, and the changes.
func folded(t testing.TB, c *kafka.Cluster) [][]string {
	t.Helper()
	all := make([][]string, c.Partitions())
	for id := range c.Partitions() {
		for _, rec := range journaltest.All(t, c.Partition(id)) {
			for _, e := range decode(t, rec) {
				if rec.Route.Folds(id, e) {
					all[id] = append(all[id], name(e))
				}
			}
		}
	}
	return all
}

func decode(t testing.TB, rec ingest.Record) []ingest.Event {
	t.Helper()
	if rec.Kind != ingest.KindDelivery {
		return nil
	}
	d, err := wire.Read(rec)
	if err != nil {
		t.Fatal(err)
	}
	return d.Events
}

func name(e ingest.Event) string {
	if e.Change != nil {
		return "change " + e.Change.ID
	}
	if e.Progress != nil {
		return e.Source + " lives"
	}
	return e.Alert.Labels.Get("alertname") + "@" + e.Alert.Labels.Get("cluster")
}

func TestADeliveryIsSplitByDomainAndNothingIsLostOrDoubled(t *testing.T) {
	brokers := fake(t, 1).ListenAddrs()
	rapid.Check(t, func(rt *rapid.T) {
		o := options(brokers)
		o.Partitions = rapid.Uint32Range(1, 5).Draw(rt, "partitions")
		c := open(t, o)
		defer func() { _ = c.Close() }()
		deliveries := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]string{"eu-1", "eu-2", "us-1", "ap", ""}), 0, 6), 1, 4).Draw(rt, "clusters")
		want := map[string]int{}
		for _, clusters := range deliveries {
			rec := webhook(clusters...)
			if _, err := c.Append(context.Background(), []ingest.Record{rec}); err != nil {
				rt.Fatal(err)
			}
			for _, e := range decode(t, rec) {
				want[name(e)]++
			}
		}
		got, owner := map[string]int{}, map[string]int{}
		for id, names := range folded(t, c) {
			for _, n := range names {
				got[n]++
				_, cluster, _ := strings.Cut(n, "@")
				if before, seen := owner[cluster]; seen && before != id {
					rt.Fatalf("the domain of %q is in partitions %d and %d", cluster, before, id)
				}
				owner[cluster] = id
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

func TestWhatConcernsEveryDomainGoesToEveryPartition(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.Partitions = 3
	c := open(t, o)
	change := ingest.Record{
		Kind: ingest.KindDelivery, Path: ingest.PathChanges,
		Body: []byte(`{"id":"d1","kind":"deployment","service":"checkout","started_at":"2026-10-05T08:00:00Z"}`),
	}
	progress, err := wire.ProgressOf("", "bridge", ingest.Progress{Stream: "bus", ReadTo: ingest.Day})
	if err != nil {
		t.Fatal(err)
	}
	records := []ingest.Record{
		{Kind: ingest.KindConfiguration, Body: []byte("{}")}, change, {Kind: ingest.KindTick}, progress,
		{Kind: ingest.KindRejected, Reason: "not JSON", Body: []byte("{")},
	}
	if _, err := c.Append(context.Background(), records); err != nil {
		t.Fatal(err)
	}
	rejected, counted := 0, 0
	for id := range c.Partitions() {
		var kinds []string
		for _, rec := range journaltest.All(t, c.Partition(id)) {
			if rec.Kind == ingest.KindRejected {
				rejected++
				continue
			}
			kinds = append(kinds, rec.Kind.String())
			if rec.Kind == ingest.KindDelivery && rec.Route.Counts(id) {
				counted++
			}
		}
		if diff := cmp.Diff([]string{"configuration", "delivery", "tick", "delivery"}, kinds); diff != "" {
			t.Errorf("partition %d (-want +got)\n%s", id, diff)
		}
	}
	for id, names := range folded(t, c) {
		if diff := cmp.Diff([]string{"change d1", "bridge lives"}, names); diff != "" {
			t.Errorf("partition %d (-want +got)\n%s", id, diff)
		}
	}
	if rejected != 1 || counted != 2 {
		t.Errorf("%d partitions have what was rejected, the change and the sign of life are counted %d times; want 1 and 2", rejected, counted)
	}
}

func TestReplicasAppendToTheSamePartitionsAndEachReadsAll(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	a, b := open(t, o), open(t, o)
	for i := range 20 {
		for _, c := range []*kafka.Cluster{a, b} {
			if _, err := c.Partition(0).Append(context.Background(), []ingest.Record{delivery(fmt.Sprint(i)), delivery(fmt.Sprint(i))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := a.Partition(0).Wait(context.Background(), 80); err != nil {
		t.Fatal(err)
	}
	if err := b.Partition(0).Wait(context.Background(), 80); err != nil {
		t.Fatal(err)
	}
	first, second := journaltest.All(t, a.Partition(0)), journaltest.All(t, b.Partition(0))
	if len(first) != 80 {
		t.Errorf("%d records, want 80", len(first))
	}
	if diff := cmp.Diff(first, second, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("the replicas read differently:\n%s", diff)
	}
}

func TestAWaitSeesWhatAnotherReplicaAppends(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	a, b := open(t, o), open(t, o)
	done := make(chan error, 1)
	go func() { done <- a.Partition(0).Wait(context.Background(), 1) }()
	if _, err := b.Partition(0).Append(context.Background(), []ingest.Record{delivery("x")}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	records, err := a.Partition(0).Read(context.Background(), 1, 10)
	if err != nil || len(records) != 1 || string(records[0].Body) != "x" {
		t.Errorf("%v, %v", records, err)
	}
}

func TestAWaitGoesOnWhenWhatWasTheEndIsTrimmed(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	a, b := open(t, o), open(t, o)
	for i := range 20 {
		if _, err := a.Partition(0).Append(context.Background(), []ingest.Record{delivery(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	must(t, a.Partition(0).Commit(18))
	if err := b.Partition(0).Wait(context.Background(), 20); err != nil {
		t.Fatal(err)
	}
	if records, err := b.Partition(0).Read(context.Background(), 19, 10); err != nil || len(records) != 2 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

func TestARecordReadsTheSameWhereverTheReaderBegins(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	c := open(t, o)
	for i := range 30 {
		if _, err := c.Partition(0).Append(context.Background(), []ingest.Record{delivery(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	all := journaltest.All(t, c.Partition(0))
	for _, from := range []uint64{30, 7, 1, 16} {
		other := open(t, o)
		records, err := other.Partition(0).Read(context.Background(), from, 100)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[from-1:], records, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("from %d (-want +got)\n%s", from, diff)
		}
	}
}

func TestATopicWithAnotherNumberOfPartitionsIsRefused(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.Partitions = 3
	open(t, o)
	o.Partitions = 4
	_, err := kafka.Open(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "it has 3 partitions and the configuration says 4") {
		t.Error(err)
	}
}

func TestATopicThatKeepsNothingIsWarnedOf(t *testing.T) {
	brokers := fake(t, 3).ListenAddrs()
	for _, test := range []struct {
		replication int
		warned      bool
	}{{1, true}, {3, false}} {
		var said strings.Builder
		o := options(brokers)
		o.Replication = test.replication
		o.Logger = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
		open(t, o)
		if got := strings.Contains(said.String(), "acks=all on one broker is no fsync"); got != test.warned {
			t.Errorf("replication %d: %s", test.replication, said.String())
		}
	}
}

// Whoever waits for a record until a deadline, as a fold does all the time, cuts no request off: that would cost
// its connection, and warn of brokers that are well.
func TestAWaitThatEndsWithItsDeadlineIsNoFailure(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	var said strings.Builder
	o.Logger = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelInfo}))
	c := open(t, o)
	before := said.String()
	for n := range 40 {
		wait := time.Duration(n) * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		began := time.Now()
		if err := c.Partition(0).Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took < wait {
			t.Errorf("it waited %s of %s", took, wait)
		}
		cancel()
	}
	if now := said.String(); now != before {
		t.Errorf("it says:\n%s", now[len(before):])
	}
}

func TestAFullPartitionTakesNoDeliveriesButTheConfiguration(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	o.MaxBytes = 1 << 20
	c := open(t, o)
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = c.Append(context.Background(), []ingest.Record{delivery(noise(20_000, byte(n)))})
	}
	if !errors.Is(err, journal.ErrFull) || !strings.Contains(err.Error(), "1048576") {
		t.Fatalf("after %d: %v", n, err)
	}
	if !errors.Is(c.Health(), journal.ErrFull) {
		t.Errorf("health: %v", c.Health())
	}
	if _, err := c.Append(context.Background(), []ingest.Record{{Kind: ingest.KindConfiguration, Body: []byte("{}")}}); err != nil {
		t.Errorf("configuration: %v", err)
	}
}

// noise is text that does not compress.
func noise(n int, seed byte) string {
	b := make([]byte, n)
	x := uint32(seed) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

func TestOptionsThatCannotWork(t *testing.T) {
	good := options([]string{"127.0.0.1:1"})
	for name, o := range map[string]kafka.Options{
		"no brokers": {Events: good.Events},
		"no decoder": {Brokers: good.Brokers},
		"partitions": {Brokers: good.Brokers, Events: good.Events, Partitions: 5000},
	} {
		if _, err := kafka.Open(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
