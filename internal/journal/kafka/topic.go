package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// What topics are made with. Both keep everything until it is removed by name: nothing of a
// journal may go because time passed or because it grew.
const (
	maxMessageBytes   = 32 << 20
	journalSegment    = 64 << 20
	checkpointSegment = 16 << 20
)

func settings(replication, segment int) []kafkago.ConfigEntry {
	return []kafkago.ConfigEntry{
		{ConfigName: "cleanup.policy", ConfigValue: "delete"},
		{ConfigName: "retention.ms", ConfigValue: "-1"},
		{ConfigName: "retention.bytes", ConfigValue: "-1"},
		{ConfigName: "min.insync.replicas", ConfigValue: strconv.Itoa(min(2, replication))},
		{ConfigName: "unclean.leader.election.enable", ConfigValue: "false"},
		{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(maxMessageBytes)},
		{ConfigName: "message.timestamp.type", ConfigValue: "LogAppendTime"},
		{ConfigName: "segment.bytes", ConfigValue: strconv.Itoa(segment)},
	}
}

// topics are those that a cluster needs, as they are made.
func (o *Options) topics() []kafkago.TopicConfig {
	topic := func(name string, segment int) kafkago.TopicConfig {
		return kafkago.TopicConfig{
			Topic: name, NumPartitions: int(o.Partitions), ReplicationFactor: o.Replication, ConfigEntries: settings(o.Replication, segment),
		}
	}
	return []kafkago.TopicConfig{topic(o.Topic, journalSegment), topic(o.checkpointTopic(), checkpointSegment)}
}

// prepare makes the topics that are missing, and refuses or warns of those that are not as they must be.
func (c *Cluster) prepare(ctx context.Context) error {
	for _, t := range c.opts.topics() {
		found, err := c.ensure(ctx, t)
		if err != nil {
			return fmt.Errorf("topic %s: %w", t.Topic, err)
		}
		if err := c.check(ctx, found); err != nil {
			return fmt.Errorf("topic %s: %w", t.Topic, err)
		}
	}
	return nil
}

// ensure returns the topic once it is there with leaders, and makes it where it is missing.
func (c *Cluster) ensure(ctx context.Context, t kafkago.TopicConfig) (found kafkago.Topic, err error) {
	err = retry(ctx, func(err error, pause time.Duration, tries int) {
		if tries%10 == 1 && !errors.Is(err, errMade) {
			c.opts.Logger.Warn("The brokers do not answer as they should; it is tried again", "brokers", c.opts.Brokers, "topic", t.Topic, "err", err, "pause", pause)
		}
	}, func() error {
		found, err = c.find(ctx, t.Topic)
		if errors.Is(err, kafkago.UnknownTopicOrPartition) {
			if err = c.create(ctx, t); err == nil {
				err = errMade
			}
		}
		return err
	})
	return found, err
}

// errMade says that a topic was just made, and is to be looked at again.
var errMade = errors.New("the topic was made and is not there yet")

func (c *Cluster) create(ctx context.Context, t kafkago.TopicConfig) error {
	res, err := c.client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: []kafkago.TopicConfig{t}})
	if err != nil {
		return err
	}
	err = res.Errors[t.Topic]
	switch {
	case err == nil:
		c.opts.Logger.Info("A topic was made", "topic", t.Topic, "partitions", t.NumPartitions, "replication", t.ReplicationFactor)
	case errors.Is(err, kafkago.TopicAlreadyExists):
		return nil
	case errors.Is(err, kafkago.InvalidReplicationFactor):
		return fmt.Errorf("%w: there are fewer brokers than the replication factor %d", err, t.ReplicationFactor)
	}
	return err
}

// find returns what the brokers say of a topic, or an error while not every partition has a leader.
func (c *Cluster) find(ctx context.Context, name string) (kafkago.Topic, error) {
	res, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{name}})
	if err != nil {
		return kafkago.Topic{}, err
	}
	for _, t := range res.Topics {
		if t.Name != name {
			continue
		}
		if t.Error != nil {
			return t, t.Error
		}
		for _, p := range t.Partitions {
			if p.Error != nil {
				return t, p.Error
			}
		}
		return t, nil
	}
	return kafkago.Topic{}, kafkago.UnknownTopicOrPartition
}

// check refuses a topic whose partitions are not those of the configuration, and
// warns of one that does not keep what it takes.
func (c *Cluster) check(ctx context.Context, t kafkago.Topic) error {
	if n := len(t.Partitions); n != int(c.opts.Partitions) {
		return fmt.Errorf("it has %d partitions and the configuration says %d; the number is fixed when the topic is made, "+
			"because it decides which partition an alert's history is in: configure %d, or begin with another topic", n, c.opts.Partitions, n)
	}
	var config map[string]string
	err := retry(ctx, func(error, time.Duration, int) {}, func() (err error) { // a broker may not have heard of a new topic
		config, err = c.config(ctx, t.Name)
		return err
	})
	if err != nil {
		return err
	}
	if n := replicas(t); n < 3 || atoi(config["min.insync.replicas"], 1) < 2 {
		c.opts.Logger.Warn("What is accepted may be lost with one broker: acks=all on one broker is no fsync. "+
			"Give the topic three replicas and min.insync.replicas=2",
			"topic", t.Name, "replicas", n, "min_insync_replicas", config["min.insync.replicas"])
	}
	if config["retention.ms"] != "-1" || config["retention.bytes"] != "-1" {
		c.opts.Logger.Warn("The brokers delete what may not be stored yet. Set retention.ms and retention.bytes to -1: what is stored is removed from here",
			"topic", t.Name, "retention_ms", config["retention.ms"], "retention_bytes", config["retention.bytes"])
	}
	if config["unclean.leader.election.enable"] == "true" {
		c.opts.Logger.Warn("A replica that lags may become leader, and what it misses is lost. Set unclean.leader.election.enable=false", "topic", t.Name)
	}
	if policy := config["cleanup.policy"]; policy != "delete" {
		return fmt.Errorf("its cleanup.policy is %q and must be delete: compaction removes records that count", policy)
	}
	if t.Name == c.opts.Topic {
		c.maxBatch = atoi(config["max.message.bytes"], 1<<20)
	}
	return nil
}

// replicas returns the fewest that any partition has.
func replicas(t kafkago.Topic) int {
	fewest := len(t.Partitions[0].Replicas)
	for _, p := range t.Partitions {
		fewest = min(fewest, len(p.Replicas))
	}
	return fewest
}

func atoi(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}

func (c *Cluster) config(ctx context.Context, topic string) (map[string]string, error) {
	res, err := c.client.DescribeConfigs(ctx, &kafkago.DescribeConfigsRequest{
		Resources: []kafkago.DescribeConfigRequestResource{{ResourceType: kafkago.ResourceTypeTopic, ResourceName: topic}},
	})
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, r := range res.Resources {
		if r.Error != nil {
			return nil, r.Error
		}
		for _, e := range r.ConfigEntries {
			values[e.ConfigName] = e.ConfigValue
		}
	}
	return values, nil
}
