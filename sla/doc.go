// Package sla turns episodes into service states and service states into
// availability against agreements: interval algebra, calendars, policies, the
// ledger and its segments.
//
// The package is pure: values in, values out; no I/O, no clock, no logger.
// All intervals are half-open and in UTC milliseconds; zones appear only in
// calendars.
package sla
