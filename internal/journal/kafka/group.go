package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	kafkago "github.com/segmentio/kafka-go"
)

// Assignment is a partition that this replica folds for a while.
type Assignment struct {
	Partition  uint32
	Generation int32  // of the group: one more at each rebalance
	Member     string // this replica's name in the group
}

// Join makes this replica a member of the group until ctx ends, and calls own for each partition
// that it is given, at the same time. The context of own ends when the partition goes, or may go, to
// another member; own must then return soon: the group waits for it, at most as long as a session.
// When own returns before, it is called again after a pause.
//
// Each rebalance ends every own and begins anew: a partition that stays is
// claimed again. Two replicas may believe for a moment that they own one partition, if one of
// them was cut off: what makes that harmless is [Cluster.Claim].
func (c *Cluster) Join(ctx context.Context, own func(context.Context, Assignment) error) error {
	group, err := c.group()
	if err != nil {
		return fmt.Errorf("join the group %s: %w", c.opts.Group, err)
	}
	defer func() { _ = group.Close() }() // leaves the group, and says nothing of how
	stop := context.AfterFunc(ctx, func() { _ = group.Close() })
	defer stop()
	for {
		generation, err := group.Next(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, kafkago.ErrGroupClosed):
			return context.Cause(ctx)
		case err != nil:
			c.opts.Logger.Warn("The group could not be joined; it is tried again", "group", c.opts.Group, "err", err)
			continue // it pauses by itself
		}
		c.fold(ctx, generation, own)
	}
}

func (c *Cluster) group() (*kafkago.ConsumerGroup, error) {
	config := kafkago.ConsumerGroupConfig{
		ID: c.opts.Group, Brokers: c.opts.Brokers, Topics: []string{c.opts.Topic},
		Dialer: &kafkago.Dialer{
			ClientID: "evenkeel", Timeout: requestTimeout, TLS: c.opts.TLS, SASLMechanism: c.opts.SASL,
			DialFunc: (&net.Dialer{Timeout: requestTimeout}).DialContext,
		},
		SessionTimeout:    c.opts.SessionTimeout,
		RebalanceTimeout:  c.opts.SessionTimeout,
		HeartbeatInterval: c.opts.SessionTimeout / 5,
		JoinGroupBackoff:  time.Second,
		Timeout:           requestTimeout,
	}
	if err := config.Validate(); err != nil { // NewConsumerGroup would panic in parts of it
		return nil, err
	}
	return kafkago.NewConsumerGroup(config)
}

// fold has own work on the partitions of one generation. The generation waits for what
// it has started, so that no partition goes on while the group is joined anew.
func (c *Cluster) fold(ctx context.Context, g *kafkago.Generation, own func(context.Context, Assignment) error) {
	parts := g.Assignments[c.opts.Topic]
	c.m.generations.Set(float64(g.ID))
	c.m.assigned.Set(float64(len(parts)))
	c.opts.Logger.Info("Partitions were assigned", "group", c.opts.Group, "generation", g.ID, "member", g.MemberID, "partitions", ids(parts))
	g.Start(func(ended context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stop := context.AfterFunc(ended, cancel)
		defer stop()
		var owners sync.WaitGroup
		for _, part := range parts {
			a := Assignment{Partition: uint32(part.ID), Generation: g.ID, Member: g.MemberID}
			owners.Go(func() { c.keepOwning(ctx, a, own) })
		}
		<-ctx.Done()
		owners.Wait()
		c.m.assigned.Set(0)
	})
}

// keepOwning calls own until ctx ends: what one partition's trouble is, is not its neighbours'.
func (c *Cluster) keepOwning(ctx context.Context, a Assignment, own func(context.Context, Assignment) error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 500*time.Millisecond, 30*time.Second
	for {
		began := time.Now()
		err := own(ctx, a)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			wait.Reset()
		}
		pause := wait.NextBackOff()
		c.opts.Logger.Error("A partition is not folded; it is begun again", "partition", a.Partition, "generation", a.Generation, "err", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func ids(parts []kafkago.PartitionAssignment) []int {
	all := make([]int, len(parts))
	for i, p := range parts {
		all[i] = p.ID
	}
	return all
}
