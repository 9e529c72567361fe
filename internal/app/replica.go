package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
	"github.com/evenkeel/evenkeel/internal/partition"
)

// replica is one of several that share a journal. It accepts for all partitions, and folds those
// that it is assigned.
type replica struct {
	*kafka.Cluster
	db       clickhouse.Querier
	store    partition.Store
	registry prometheus.Registerer
	logger   *slog.Logger

	stored atomic.Int64 // fold time up to which every partition is stored

	mu      sync.Mutex
	runners map[uint32]*partition.Runner
	failed  map[uint32]string // why a partition that is ours is not folded now
}

// replicaTick is how old fold time may get while a partition gets nothing: now, in queries, is the
// oldest of all partitions.
const replicaTick = 5 * time.Second

// replicaLease is how long after a save an insert may begin. A partition that changes hands waits twice that.
const replicaLease = time.Second

// openReplica connects to the brokers, and waits for them until ctx ends.
func (a *App) openReplica(ctx context.Context, c *config.Config) (*replica, error) {
	k := c.Journal.Kafka
	secured, err := k.TLS.Config()
	if err != nil {
		return nil, fmt.Errorf("journal.kafka: tls: %w", err)
	}
	login, err := k.SASL.Login()
	if err != nil {
		return nil, fmt.Errorf("journal.kafka: sasl: %w", err)
	}
	cluster, err := kafka.Open(ctx, kafka.Options{
		Brokers: k.Brokers, Topic: k.Topic, Partitions: uint32(k.Partitions), Replication: k.Replication,
		DomainLabel: k.DomainLabel, MaxBytes: c.Journal.MaxBytes, Group: k.Group, SessionTimeout: k.SessionTimeout,
		Events: a.eventsOf, TLS: secured, SASL: login,
		Clock: a.opts.Clock, Logger: a.logger.With("part", "journal"), Registerer: a.registry,
	})
	if err != nil {
		return nil, err
	}
	r := &replica{
		Cluster: cluster, db: a.database, store: &a.store, registry: a.registry,
		logger: a.logger.With("part", "partition"), runners: make(map[uint32]*partition.Runner), failed: make(map[uint32]string),
	}
	if err := r.show(cluster.Partitions()); err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return r, nil
}

// show registers which partitions are folded here, those that are not among them.
func (r *replica) show(partitions uint32) error {
	var errs []error
	for id := range partitions {
		errs = append(errs, r.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_partition_folding", Help: "1 where this replica folds the partition; the sum over all replicas is 1.",
			ConstLabels: prometheus.Labels{"partition": strconv.FormatUint(uint64(id), 10)},
		}, func() float64 {
			if r.owned()[id] == nil {
				return 0
			}
			return 1
		})))
	}
	return errors.Join(errs...)
}

// eventsOf returns the events of a delivery by the configuration in force, to find its domains.
func (a *App) eventsOf(rec ingest.Record) []ingest.Event {
	if rec.Reading != nil {
		return rec.Reading.Events
	}
	delivery, err := a.streams.decoder.Load().Read(rec)
	if err != nil {
		return nil // a dead letter: it goes where its tenant does
	}
	return delivery.Events
}

// Run implements folds.
func (r *replica) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Join(ctx, r.own) })
	g.Go(func() error { return r.watchStored(ctx) })
	return g.Wait()
}

// own folds a partition for as long as it is ours. Why it could not is remembered until it can.
func (r *replica) own(ctx context.Context, a kafka.Assignment) error {
	err := r.fold(ctx, a)
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		delete(r.failed, a.Partition)
	} else if err != nil {
		r.failed[a.Partition] = err.Error()
	}
	return err
}

func (r *replica) fold(ctx context.Context, a kafka.Assignment) error {
	keep, err := r.Claim(ctx, a)
	if err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	runner, err := partition.New(ctx, partition.Options{
		Partition: a.Partition, Of: r.Partitions(), Log: r.Partition(a.Partition), Store: r.store,
		Past: partition.NewArchive(r.db), Keep: keep, Lease: replicaLease,
		Logger: r.logger.With("partition", a.Partition), Metrics: metrics, TickInterval: replicaTick,
	})
	if err != nil {
		return err
	}
	labelled := prometheus.WrapCollectorWith(prometheus.Labels{"partition": strconv.FormatUint(uint64(a.Partition), 10)}, metrics)
	if err := r.registry.Register(labelled); err != nil {
		return err
	}
	defer r.registry.Unregister(labelled)
	r.set(a.Partition, runner)
	defer r.set(a.Partition, nil)
	err = runner.Run(ctx)
	if errors.Is(err, kafka.ErrFenced) {
		r.logger.Warn("Another replica has taken over the partition", "partition", a.Partition, "err", err)
	}
	return err
}

func (r *replica) set(id uint32, runner *partition.Runner) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if runner == nil {
		delete(r.runners, id)
		return
	}
	r.runners[id] = runner
	delete(r.failed, id)
}

func (r *replica) owned() map[uint32]*partition.Runner {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.runners)
}

// Configure implements folds: the record goes to every partition. One that has the same configuration
// already takes it for a copy.
func (r *replica) Configure(ctx context.Context, c partition.Configuration, at ingest.Millis) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("the configuration cannot be used: %w", err)
	}
	rec, err := c.Record()
	if err != nil {
		return err
	}
	rec.ReceivedAt = at
	wait := backoff.NewExponentialBackOff()
	wait.MaxInterval = 5 * time.Second
	for {
		_, err = r.Append(ctx, []ingest.Record{rec})
		if err == nil || !errors.Is(err, journal.ErrUnavailable) || ctx.Err() != nil {
			break
		}
		r.logger.Warn("The configuration is not in every partition of the journal yet", "err", err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
		}
	}
	if err != nil {
		return fmt.Errorf("write the configuration to the journal: %w", err)
	}
	return nil
}

// WaitStored implements folds, for the partitions that are folded here.
func (r *replica) WaitStored(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for id, runner := range r.owned() {
		g.Go(func() error { return runner.WaitStored(ctx, r.Partition(id).Last()) })
	}
	return g.Wait()
}

// Stored implements folds: the oldest fold time of all partitions, whoever folds them.
func (r *replica) Stored() ingest.Millis { return ingest.Millis(r.stored.Load()) }

// watchStored keeps the now of queries young.
func (r *replica) watchStored(ctx context.Context) error {
	every := time.NewTicker(500 * time.Millisecond)
	defer every.Stop()
	for {
		if at, err := partition.NewestStoredOf(ctx, r.db, r.Partitions()); err == nil {
			r.stored.Store(int64(max(at, r.Stored())))
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Folding implements folds.
func (r *replica) Folding() []folding {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]folding, 0, len(r.runners)+len(r.failed))
	for id, runner := range r.runners {
		all = append(all, foldingOf(id, runner, r.Partition(id).Last()))
	}
	for id, why := range r.failed {
		all = append(all, folding{Partition: id, Halted: fmt.Sprintf("partition %d: %s", id, why)})
	}
	slices.SortFunc(all, func(a, b folding) int { return cmp.Compare(a.Partition, b.Partition) })
	return all
}
