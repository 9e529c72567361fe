package rig

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// kafkaUsableWithin is for three nodes on a busy machine; one alone takes three seconds.
const kafkaUsableWithin = 2 * time.Minute

// waitUsable returns when the nodes that run know of each other.
func (c *KafkaCluster) waitUsable(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kafkaUsableWithin)
	defer cancel()
	for {
		err := c.usable(ctx, t)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("kafka cannot be used after %s: %v", kafkaUsableWithin, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// usable asks every node that runs how many it knows of.
func (c *KafkaCluster) usable(ctx context.Context, t testing.TB) error {
	running := 0
	for _, n := range c.nodes {
		if n.runs() {
			running++
		}
	}
	for _, n := range c.nodes {
		if !n.runs() {
			continue
		}
		// Before, it speaks of the brokers that its log on disk remembers.
		if !strings.Contains(n.process.Log(), "Kafka Server started") {
			return fmt.Errorf("node %d is starting", n.id)
		}
		m, err := client(t, loopback(n.internal)).Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return fmt.Errorf("node %d: %w", n.id, err)
		}
		if len(m.Brokers) < running {
			return fmt.Errorf("node %d knows of %d nodes, %d run", n.id, len(m.Brokers), running)
		}
	}
	return nil
}

func (n *kafkaNode) runs() bool {
	select {
	case <-n.process.Done():
		return false
	default:
		return true
	}
}

// CreateTopic makes a topic with as many replicas as there are nodes, up to three. Its
// configuration is given as pairs: name, value, name, value.
func (c *KafkaCluster) CreateTopic(t testing.TB, name string, partitions int, config ...string) {
	t.Helper()
	topic := kafka.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: min(3, len(c.nodes))}
	for i := 0; i+1 < len(config); i += 2 {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: config[i], ConfigValue: config[i+1]})
	}
	client := c.client(t)
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err == nil {
		err = answer.Errors[name]
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	c.waitTopic(t, name, partitions)
}

// waitTopic returns when every node that runs knows a leader of each partition.
func (c *KafkaCluster) waitTopic(t testing.TB, name string, partitions int) {
	t.Helper()
	for _, n := range c.nodes {
		for deadline := time.Now().Add(readyWithin); n.runs() && !n.leads(t, name, partitions); {
			if time.Now().After(deadline) {
				t.Fatalf("topic %s has not all its leaders after %s", name, readyWithin)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (n *kafkaNode) leads(t testing.TB, topic string, partitions int) bool {
	m, err := client(t, loopback(n.internal)).Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil || len(m.Topics) != 1 || len(m.Topics[0].Partitions) != partitions {
		return false
	}
	for _, p := range m.Topics[0].Partitions {
		if p.Error != nil || p.Leader.Port == 0 {
			return false
		}
	}
	return true
}

// Committed returns what the group has committed of a topic, by partition; -1 is nothing.
func (c *KafkaCluster) Committed(t testing.TB, group, topic string) []int64 {
	t.Helper()
	ends := c.Ends(t, topic)
	ask := map[string][]int{topic: make([]int, len(ends))}
	for i := range ends {
		ask[topic][i] = i
	}
	answer, err := c.client(t).OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: group, Topics: ask})
	for deadline := time.Now().Add(readyWithin); err == nil && isTemporary(answer.Error) && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // the group's coordinator is being made
		answer, err = c.client(t).OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: group, Topics: ask})
	}
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		t.Fatalf("offsets of group %s: %v", group, err)
	}
	offsets := make([]int64, len(ends))
	for _, p := range answer.Topics[topic] {
		offsets[p.Partition] = p.CommittedOffset
	}
	return offsets
}

func isTemporary(err error) bool {
	var code kafka.Error
	return errors.As(err, &code) && code.Temporary()
}

// Ends returns the offset behind the last record of each partition of a topic.
func (c *KafkaCluster) Ends(t testing.TB, topic string) []int64 {
	t.Helper()
	client := c.client(t)
	m, err := client.Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		t.Fatalf("partitions of %s: %v", topic, err)
	}
	var ask []kafka.OffsetRequest
	for _, p := range m.Topics[0].Partitions {
		ask = append(ask, kafka.LastOffsetOf(p.ID))
	}
	answer, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: ask}})
	if err != nil {
		t.Fatalf("ends of %s: %v", topic, err)
	}
	ends := make([]int64, len(ask))
	for _, p := range answer.Topics[topic] {
		if p.Error != nil {
			t.Fatalf("end of %s, partition %d: %v", topic, p.Partition, p.Error)
		}
		ends[p.Partition] = p.LastOffset
	}
	return ends
}

// addUser tells the nodes the password for SCRAM; that for PLAIN stands in their properties.
func (c *KafkaCluster) addUser(t testing.TB) {
	t.Helper()
	const iterations = 4096 // the least that Kafka takes
	for mechanism, h := range map[kafka.ScramMechanism]func() hash.Hash{
		kafka.ScramMechanismSha256: sha256.New, kafka.ScramMechanismSha512: sha512.New,
	} {
		salt := []byte(rand.Text())
		salted, err := pbkdf2.Key(h, c.setup.password, salt, iterations, h().Size())
		if err != nil {
			t.Fatal(err)
		}
		// One request takes a user only once.
		answer, err := c.client(t).AlterUserScramCredentials(t.Context(), &kafka.AlterUserScramCredentialsRequest{
			Upsertions: []kafka.UserScramCredentialsUpsertion{{
				Name: c.setup.user, Mechanism: mechanism, Iterations: iterations, Salt: salt, SaltedPassword: salted,
			}},
		})
		if err == nil {
			err = answer.Results[0].Error
		}
		if err != nil {
			t.Fatalf("add user %s: %v", c.setup.user, err)
		}
	}
}

// client reaches the nodes that run, without a password.
func (c *KafkaCluster) client(t testing.TB) *kafka.Client {
	var addresses []string
	for _, n := range c.nodes {
		if n.runs() {
			addresses = append(addresses, loopback(n.internal))
		}
	}
	return client(t, addresses...)
}

// client has connections of its own: those that are shared by default may lead to a node that
// was killed since.
func client(t testing.TB, addresses ...string) *kafka.Client {
	transport := &kafka.Transport{ClientID: "rig"}
	t.Cleanup(transport.CloseIdleConnections)
	return &kafka.Client{Addr: kafka.TCP(addresses...), Timeout: 10 * time.Second, Transport: transport}
}

func makeFolder(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}
