// Package kafka keeps the journal in a Kafka topic, for a service of several
// replicas.
//
// A [Cluster] is the topic; each of its partitions is a [Partition], which fulfils
// [journal.Journal] as the local one does. Any replica appends to any partition. Which replica
// folds which partition is agreed on in a consumer group, [Cluster.Join]; what the fold of a
// partition must remember is in a second topic, [Cluster.Claim].
//
// # What it promises
//
//   - Append returns nil only after every in-sync replica of the partition has the records
//     (acks=all). How much that is worth is up to the topic: with fewer than three replicas, or
//     min.insync.replicas under two, Open warns.
//   - A position is the record's offset + 1: consecutive from 1. Offsets have no gaps because nothing
//     here writes in transactions and the topic is not compacted; Open refuses a compacted one. Should there
//     be a gap all the same, a rejected record that says so stands in each place.
//   - What the brokers did not acknowledge is sent again while its caller waits, and may then be
//     there twice, with the same received_at: kafka-go cannot number what it sends, so that brokers would tell copies. A
//     copy changes nothing (the fold takes it for one). When the caller's time is up, the error wraps
//     [journal.ErrUnavailable], which is a 503: the records may still land, and the sender's repetition is a copy.
//   - An Append to several partitions is not atomic: nil means all of them have it, an error
//     that some may.
//   - Nothing is removed but by Commit. Each partition has its share of MaxBytes; one that is full refuses deliveries with
//     [journal.ErrFull]. Brokers remove whole segments (64 MiB) and look for them every log.retention.check.interval.ms, five
//     minutes by default: so much later is the room there again.
//   - While the brokers are away, Read and Wait try on until their context ends: that is no error.
//
// # Time
//
// received_at is the clock of the replica that appended, never before the last one that this replica
// knows of in the partition. Replicas whose clocks differ can so make it go back by that difference. A
// record therefore reads the same for every reader, wherever it begins; the fold takes
// max(fold time, received_at) as the record's time, and fold time is in the checkpoint, so it is the same for
// every owner, too. Brokers stamp messages with their own time (LogAppendTime), only for
// the metric evenkeel_journal_clock_skew_seconds: a leader's clock may go back as any other, and a new leader has another.
//
// # Domains
//
// The key of a record is its correlation domain: the tenant, and the value of one label. A delivery
// with alerts of several domains goes to each of their partitions as it is, with an
// [ingest.Route] beside it that says which of its events are whose: nothing is decoded and
// encoded anew, whatever the format. Changes, maintenance, configuration and ticks go to every partition.
// The number of partitions decides where a domain is, and never changes: Open refuses another.
//
// # Values
//
// A message's value is a byte 1, the route's text with its length before it, and the record as
// [journal.AppendRecord] writes it; batches are compressed with zstd. One that is not so
// is read as a rejected record, which hurts nothing else.
//
// # Owners
//
// A partition has one owner at a time, but nobody can know for certain that it still is: it may have been cut
// off, or asleep. Every claim is therefore a message of the checkpoint topic whose offset is a
// token, and what an older token writes behind a newer claim does not count and is [ErrFenced] for who wrote
// it. So an owner that has saved the bounds of a batch knows that any later owner will read them: it
// must end those inserts, read back, and send what is missing.
package kafka
