// Package kafka keeps the journal in a Kafka topic, for several replicas.
package kafka
