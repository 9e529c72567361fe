package kafka_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/sasl"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestOnARealBroker(t *testing.T) {
	broker := rig.Kafka(t)
	brokers := broker.Addresses()
	t.Run("a partition is a journal", func(t *testing.T) { journaltest.Run(t, fixture(brokers)) })
	t.Run("partitions move and nothing is lost or sent twice", func(t *testing.T) { moves(t, brokers, 1) })
	t.Run("what was saved is read by the next owner", func(t *testing.T) { savedOnARealBroker(t, brokers) })
	t.Run("trimming gives room back", func(t *testing.T) { trimmed(t, brokers) })
	t.Run("a record that is too long", func(t *testing.T) { tooLong(t, brokers) })
	t.Run("killed in mid-append", func(t *testing.T) {
		killed(t, options(brokers), 3, func(int) {
			broker.Kill(0)
			time.Sleep(200 * time.Millisecond)
			broker.Restart(t, 0)
		})
	})
}

func TestOfThreeRealBrokersOneMayBeKilledAtAnyTime(t *testing.T) {
	broker := rig.Kafka(t, rig.Brokers(3))
	o := options(broker.Addresses())
	o.Replication = 3
	killed(t, o, 2, func(i int) {
		broker.Kill(i % 3)
		time.Sleep(4 * time.Second) // the others elect, and go on
		broker.Restart(t, i%3)
	})
	t.Run("partitions move and nothing is lost or sent twice", func(t *testing.T) { moves(t, broker.Addresses(), 3) })
}

func savedOnARealBroker(t *testing.T, brokers []string) {
	ctx := context.Background()
	o := options(brokers)
	old := claim(t, open(t, o))
	long := noise(3<<20, 7)
	for i := range 5 {
		must(t, old.SaveState(ctx, fmt.Append(nil, i)))
		must(t, old.SaveCheckpoint(ctx, []byte(long)))
	}
	c := open(t, o)
	fresh := claim(t, c)
	if s, p := loaded(t, fresh); s != "4" || p != long {
		t.Errorf("state %q and %d bytes of a checkpoint of %d", s, len(p), len(long))
	}
	if err := old.SaveState(ctx, []byte("late")); !errors.Is(err, kafka.ErrFenced) {
		t.Error(err)
	}
	must(t, fresh.SaveState(ctx, []byte("new")))
	if s, p := loaded(t, claim(t, c)); s != "new" || p != long {
		t.Errorf("state %q and %d bytes of a checkpoint of %d", s, len(p), len(long))
	}
}

func trimmed(t *testing.T, brokers []string) {
	c := open(t, options(brokers))
	p := c.Partition(0)
	for i := range 50 {
		if _, err := p.Append(context.Background(), []ingest.Record{delivery(noise(50_000, byte(i)))}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "measured", func() bool { return p.Usage().Bytes > 2_400_000 && p.Usage().Bytes < 2_700_000 })
	must(t, p.Commit(40))
	if first := p.First(); first != 41 {
		t.Errorf("the first is %d", first)
	}
	if _, err := p.Read(context.Background(), 40, 1); !errors.Is(err, journal.ErrTrimmed) {
		t.Error(err)
	}
	if records, err := p.Read(context.Background(), 41, 100); err != nil || records[0].Position != 41 || string(records[0].Body) != noise(50_000, 40) {
		t.Errorf("%d records, %v", len(records), err)
	}
	other := open(t, options(brokers))
	if other.Partition(0).First() != 1 {
		t.Error("another journal was trimmed, too")
	}
}

func tooLong(t *testing.T, brokers []string) {
	c := open(t, options(brokers))
	if _, err := c.Append(context.Background(), []ingest.Record{delivery(noise(16<<20, 3))}); err != nil {
		t.Errorf("16 MiB that do not compress: %v", err)
	}
	if _, err := c.Append(context.Background(), []ingest.Record{delivery(noise(40<<20, 3))}); !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("40 MiB that do not compress: %v", err)
	}
	if records, err := c.Partition(0).Read(context.Background(), 1, 10); err != nil || len(records) != 1 || len(records[0].Body) != 16<<20 {
		t.Errorf("%d records, %v", len(records), err)
	}
}

// killed appends from several goroutines while disturb does its work so many times, and
// then looks for everything that was acknowledged, at the position that was told.
func killed(t *testing.T, o kafka.Options, times int, disturb func(i int)) {
	c := open(t, o)
	p := c.Partition(0)
	var mu sync.Mutex
	acknowledged, refused := map[uint64]string{}, 0
	stop := make(chan struct{})
	var load sync.WaitGroup
	for w := range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				a, b := fmt.Sprintf("%d/%d/a", w, i), fmt.Sprintf("%d/%d/b", w, i)
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				first, err := p.Append(ctx, []ingest.Record{delivery(a), delivery(b)})
				cancel()
				mu.Lock()
				if err == nil {
					acknowledged[first], acknowledged[first+1] = a, b
				} else if refused++; !errors.Is(err, journal.ErrUnavailable) {
					t.Errorf("refused, but not as unavailable: %v", err)
				}
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	for i := range times {
		time.Sleep(300 * time.Millisecond)
		disturb(i)
	}
	time.Sleep(time.Second)
	close(stop)
	load.Wait()
	found := map[uint64]string{}
	seen := map[string]int{}
	fresh := open(t, o)
	for _, rec := range journaltest.All(t, fresh.Partition(0)) {
		found[rec.Position] = string(rec.Body)
		seen[string(rec.Body)]++
	}
	lost := 0
	for at, body := range acknowledged {
		if found[at] != body {
			lost++
		}
	}
	copies := len(found) - len(seen)
	t.Logf("killed %d times: %d acknowledged, %d appends refused, %d records there of which %d are copies, %d lost",
		times, len(acknowledged), refused, len(found), copies, lost)
	if lost > 0 || len(acknowledged) == 0 {
		t.Errorf("%d of %d acknowledged records are not where they were told to be", lost, len(acknowledged))
	}
	if err := c.Health(); err != nil {
		t.Errorf("health afterwards: %v", err)
	}
}

// BenchmarkAppend appends deliveries of 4 KB from eight callers to one real broker.
func BenchmarkAppend(b *testing.B) {
	o := options(rig.Kafka(b).Addresses())
	o.Partitions = 4
	c := open(b, o)
	bodies := make([]ingest.Record, 64)
	for i := range bodies {
		bodies[i] = webhook(fmt.Sprintf("cluster-%d", i), fmt.Sprintf("cluster-%d", i))
		bodies[i].Body = append(bodies[i].Body, strings.Repeat(" ", 4<<10)...)
	}
	var next atomic.Uint64
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.Append(context.Background(), []ingest.Record{bodies[next.Add(1)%64]}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

func TestOnABrokerThatAsksWhoWeAre(t *testing.T) {
	broker := rig.Kafka(t, rig.KafkaTLS(), rig.KafkaUser("evenkeel", "secret"))
	pem, err := os.ReadFile(broker.CAFile)
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	login := func(t *testing.T, mechanism, password string) (sasl.Mechanism, func(string)) {
		file := filepath.Join(t.TempDir(), "password")
		write := func(password string) { must(t, os.WriteFile(file, []byte(password+"\n"), 0o600)) }
		write(password)
		m, err := (&stream.SASL{Mechanism: mechanism, Username: "evenkeel", PasswordFile: file}).Login()
		must(t, err)
		return m, write
	}
	for _, mechanism := range stream.Mechanisms {
		t.Run(mechanism, func(t *testing.T) {
			o := options(broker.Addresses())
			o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			o.SASL, _ = login(t, mechanism, "secret")
			s := &store{rows: map[ingest.Address]string{}}
			m := s.join(t, o)
			if _, err := m.c.Append(context.Background(), []ingest.Record{delivery("x")}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "folded", func() bool { return len(s.all()) == 1 })
		})
	}
	t.Run("with a password that was mended in its file", func(t *testing.T) {
		o := options(broker.Addresses())
		o.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		var write func(string)
		o.SASL, write = login(t, "SCRAM-SHA-512", "wrong")
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if _, err := kafka.Open(ctx, o); err == nil || !strings.Contains(err.Error(), "SASL Authentication Failed") {
			t.Error(err)
		}
		write("secret")
		c, err := kafka.Open(ctx, o)
		must(t, err)
		must(t, c.Close())
	})
}
