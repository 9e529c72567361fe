// Package wire decodes deliveries: bytes in, events out, whatever the format. It is the
// only package that knows how senders write.
//
// Two kinds of failure are kept apart. Bytes that are not what their path
// promises (no JSON, another version) are an [*Error] with the place; nothing of them is used. A
// single alert or change that cannot be understood is a dead letter with its
// path and reason; its neighbours count.
//
// The package is pure, and decoding is a function of the record alone: the same
// record gives the same events on every machine and in every replay.
package wire
