package kafka

import (
	"fmt"

	"github.com/segmentio/kafka-go/protocol"
)

// kafka-go knows neither DeleteRecords nor DescribeLogDirs, but takes requests that others
// describe to it, as it describes its own: the tags say in which versions of
// the protocol a field is there. Two versions suffice: every broker since Kafka 2.0 has them.
//
// Registering writes to a table that every connection of the process reads, and so is
// done where kafka-go does it, before any exists.
func init() { //nolint:gochecknoinits // as said
	protocol.Register(&deleteRecordsRequest{}, &deleteRecordsResponse{})
	protocol.Register(&logDirsRequest{}, &logDirsResponse{})
}

type deleteRecordsRequest struct {
	Topics    []deleteRecordsTopic `kafka:"min=v0,max=v1"`
	TimeoutMs int32                `kafka:"min=v0,max=v1"`
}

type deleteRecordsTopic struct {
	Name       string                   `kafka:"min=v0,max=v1"`
	Partitions []deleteRecordsPartition `kafka:"min=v0,max=v1"`
}

type deleteRecordsPartition struct {
	Partition int32 `kafka:"min=v0,max=v1"`
	Offset    int64 `kafka:"min=v0,max=v1"` // the first that stays
}

type deleteRecordsResponse struct {
	ThrottleTimeMs int32                        `kafka:"min=v0,max=v1"`
	Topics         []deleteRecordsTopicResponse `kafka:"min=v0,max=v1"`
}

type deleteRecordsTopicResponse struct {
	Name       string                           `kafka:"min=v0,max=v1"`
	Partitions []deleteRecordsPartitionResponse `kafka:"min=v0,max=v1"`
}

type deleteRecordsPartitionResponse struct {
	Partition    int32 `kafka:"min=v0,max=v1"`
	LowWatermark int64 `kafka:"min=v0,max=v1"`
	ErrorCode    int16 `kafka:"min=v0,max=v1"`
}

func (*deleteRecordsRequest) ApiKey() protocol.ApiKey  { return protocol.DeleteRecords } //nolint:staticcheck // the name is kafka-go's
func (*deleteRecordsResponse) ApiKey() protocol.ApiKey { return protocol.DeleteRecords } //nolint:staticcheck // the name is kafka-go's

// Broker sends the request to the leader of its first partition.
func (r *deleteRecordsRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return leader(cluster, r.Topics[0].Name, r.Topics[0].Partitions[0].Partition)
}

type logDirsRequest struct {
	Topics []logDirsTopic `kafka:"min=v0,max=v1,nullable"`
}

type logDirsTopic struct {
	Name       string  `kafka:"min=v0,max=v1"`
	Partitions []int32 `kafka:"min=v0,max=v1"`
}

type logDirsResponse struct {
	ThrottleTimeMs int32    `kafka:"min=v0,max=v1"`
	Results        []logDir `kafka:"min=v0,max=v1"`
}

type logDir struct {
	ErrorCode int16                  `kafka:"min=v0,max=v1"`
	Dir       string                 `kafka:"min=v0,max=v1"`
	Topics    []logDirsTopicResponse `kafka:"min=v0,max=v1"`
}

type logDirsTopicResponse struct {
	Name       string             `kafka:"min=v0,max=v1"`
	Partitions []logDirsPartition `kafka:"min=v0,max=v1"`
}

type logDirsPartition struct {
	Partition int32 `kafka:"min=v0,max=v1"`
	Size      int64 `kafka:"min=v0,max=v1"` // bytes
	OffsetLag int64 `kafka:"min=v0,max=v1"`
	IsFuture  bool  `kafka:"min=v0,max=v1"` // a copy that is being moved to another folder
}

func (*logDirsRequest) ApiKey() protocol.ApiKey  { return protocol.DescribeLogDirs } //nolint:staticcheck // the name is kafka-go's
func (*logDirsResponse) ApiKey() protocol.ApiKey { return protocol.DescribeLogDirs } //nolint:staticcheck // the name is kafka-go's

// Broker sends the request to the leader of its first partition.
func (r *logDirsRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return leader(cluster, r.Topics[0].Name, r.Topics[0].Partitions[0])
}

func leader(cluster protocol.Cluster, topic string, partition int32) (protocol.Broker, error) {
	p, ok := cluster.Topics[topic].Partitions[partition]
	if !ok {
		return protocol.Broker{ID: -1}, fmt.Errorf("topic %s: %w", topic, protocol.NewErrNoPartition(topic, partition))
	}
	broker, ok := cluster.Brokers[p.Leader]
	if !ok {
		return protocol.Broker{ID: -1}, protocol.NewErrNoLeader(topic, partition)
	}
	return broker, nil
}
