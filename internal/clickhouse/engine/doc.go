// Package engine runs ClickHouse inside Evenkeel: it obtains the engine as a
// shared library, runs it in a child process, and keeps that process alive.
//
// The engine is libchdb, which holds the native TCP and HTTP servers of
// ClickHouse. It is opened without cgo, in a child process of the same binary
// ([Main], by the hidden subcommand [Command]), so that a crash of the engine is
// not a crash of the service. The child ends when its standard input closes, also
// when the parent was killed.
//
// Promises of a running [Engine]:
//   - its ports and password do not change while it lives, so a connection opened by
//     [Engine.DSN] finds the child again after a restart;
//   - it listens on the loopback only, and its tables can be read by the service's
//     user alone;
//   - what it acknowledged is on disk (fsync of parts and their folders), so killing the
//     child at any moment loses no acknowledged insert.
//
// It does not back up, merge or delete anything of its own accord.
package engine
