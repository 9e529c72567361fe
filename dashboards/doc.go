// Package dashboards holds what other tools show and watch of Evenkeel: a Grafana
// dashboard over its tables with the files that provision it, and Prometheus' alert
// rules for Evenkeel itself.
//
// Every query of the dashboard runs in a test on a real engine, with Grafana's
// macros expanded as its ClickHouse data source does. Intervals overlap the
// range and are clipped to it; both range and intervals are half-open. What nobody has
// recorded yet is cut off at the newest delivery, so that no panel counts the future.
package dashboards

import (
	"embed"
	"io/fs"
)

//go:embed grafana alerts.yml
var files embed.FS

// Grafana returns the folder of the dashboards and of Grafana's provisioning files.
func Grafana() fs.FS {
	folder, err := fs.Sub(files, "grafana")
	if err != nil { // only for a name that is not a valid path
		panic(err)
	}
	return folder
}

// Alerts returns the alert rules for Evenkeel itself, as Prometheus reads them.
func Alerts() []byte {
	rules, err := files.ReadFile("alerts.yml")
	if err != nil { // embedded at build time
		panic(err)
	}
	return rules
}
