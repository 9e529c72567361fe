// Package stream receives deliveries from Kafka: the records of any number of topics, read as a
// member of a consumer group.
//
// What a [Stream] promises:
//
//   - An offset is committed only after the journal holds every record before it, durably.
//   - A record that is delivered again (its reader was killed, or the group shared the partitions
//     out anew) carries the same [ingest.Origin], and so is known as a copy.
//   - A record that cannot be decoded is kept among the dead letters of the journal, and where there
//     is a dead-letter topic it is there, acknowledged by all replicas, before its offset is committed.
//     The records after it go on.
//   - While the journal or the dead-letter topic takes nothing, reading pauses and the member stays
//     in its group: nothing is skipped, and nothing is read that could not be kept.
//   - Where the stream is the heartbeat of a source, a record says again and again up to when it was read: all
//     that was in the source's topics then, read by whichever member, is in the journal before it.
//   - Partitions do not wait for each other. Within one, order is kept.
//
// The dead-letter topic gets a record at least once. Before it writes, a member that took a
// partition over looks for what the one before it wrote, and so does one whose write ended
// without an answer; only two members that write the same record at the same time leave it twice,
// with the same key.
//
// Kafka's transactions are respected: only what was committed is read.
package stream
