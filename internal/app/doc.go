// Package app wires the parts of Evenkeel together and runs them: the only place
// that knows everything.
//
// A service lives so:
//
//	New ──> Run ──────────────────────────────> (ctx ends) ──> stopped
//	 │       ├─ fold and store                                  in reverse order
//	 │       ├─ ClickHouse: start, migrate, then the store has it
//	 │       └─ HTTP: takes deliveries at once, ready when rows can be read
//	 └─ configuration, journal, checkpoint, listeners: all that can fail at once
package app
