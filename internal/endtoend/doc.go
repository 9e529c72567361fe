// Package endtoend holds the tests that run the built program beside real
// Prometheus, Alertmanager, ClickHouse and Chromium. It has no code of its own.
package endtoend
