// Package ingest holds the values that come into Evenkeel: the records of the
// journal and the events that decoding makes of them.
//
// The package is pure: values in, values out; no I/O, no clock, no logger.
// [github.com/evenkeel/evenkeel/ingest/wire] decodes bytes into events,
// [github.com/evenkeel/evenkeel/ingest/webhook] receives deliveries over HTTP
// and [github.com/evenkeel/evenkeel/ingest/store] keeps them in ClickHouse.
package ingest
