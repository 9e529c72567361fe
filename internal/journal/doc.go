// Package journal keeps what arrived, durably and in order, until the fold and
// the store have taken it over.
//
// [Journal] is the contract; [Local] fulfils it with files in one folder. Package
// [github.com/evenkeel/evenkeel/internal/journal/journaltest] holds the tests
// that every implementation passes.
//
// What [Local] promises:
//
//   - Append returns nil only after fsync. Concurrent callers share one fsync.
//   - After a failed write or fsync nothing of it is acknowledged; the log is cut
//     to its last good byte and reopened before anything else is written.
//   - Positions are consecutive from 1; received_at never goes back, whatever the
//     wall clock does, also across restarts.
//   - A crash loses nothing acknowledged. What was being written may be there
//     or not; it is there whole, a block (see below) at a time.
//   - A block that rots on the disk costs its own records, whatever part of it rots: they
//     are read as rejected ones that say so, and those after it go on. It is counted
//     and logged with its positions. Only at the very end, with nothing whole behind it, can
//     rot not be told from what a crash left half-written: that is cut, and said.
//   - The folder has one owner at a time.
//
// On disk, a segment is a file named after its first position: a header, then blocks.
// A block holds the records of one Append (long ones are split), compressed
// together, behind a header with two checksums: its own, so that its length can
// be trusted, and its payload's. The blocks of one fsync are a group. Segments
// are never changed, only appended to, and removed whole behind what Commit says.
package journal
