// Package rig gives tests the real components that Evenkeel works with:
// Prometheus, Alertmanager, Kafka, kcat, Chromium, the embedded ClickHouse engine, and
// the evenkeel binary itself. Nothing but tests imports it.
//
// Every component is a real process on a free port of 127.0.0.1, with its own
// configuration and data in the test's temporary folder. A function returns when
// its process answers; the process ends with the test (and with the test process, should
// that be killed), and its log is shown when the test fails.
//
// The components are fetched by `make fetch`, which `make test` runs first. A
// test that needs what is not there is skipped, and the skip is written to the
// file that EVENKEEL_SKIPS names, so that `make test` can list it: go test
// alone hides skips. With EVENKEEL_REQUIRE=1 it fails instead.
//
// ClickHouse servers are engines of ours. A [ClickHouseCluster] of them has shards and Distributed tables. It has
// no replicas and no ON CLUSTER, as the engine has neither: Replicated tables are not tried here.
package rig
