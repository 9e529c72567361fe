package alertmanager

import (
	"context"
	_ "embed" // what amtool config show prints
	"net/http"

	"github.com/prometheus/common/version"

	"github.com/evenkeel/evenkeel/ingest"
)

// configuration is what Evenkeel is to a client of Alertmanager, as a configuration of Alertmanager.
//
//go:embed configuration.yml
var configuration string

// serverStatus is an alertmanagerStatus.
type serverStatus struct {
	Cluster     cluster       `json:"cluster"`
	Config      configText    `json:"config"`
	Uptime      ingest.Millis `json:"uptime"` // since when it is up
	VersionInfo versionInfo   `json:"versionInfo"`
}

// cluster is a clusterStatus. Replicas of Evenkeel do not gossip.
type cluster struct {
	Peers  []struct{} `json:"peers"`
	Status string     `json:"status"`
}

type configText struct {
	Original string `json:"original"`
}

// versionInfo is Evenkeel's, not that of an Alertmanager.
type versionInfo struct {
	Branch    string `json:"branch"`
	BuildDate string `json:"buildDate"`
	BuildUser string `json:"buildUser"`
	GoVersion string `json:"goVersion"`
	Revision  string `json:"revision"`
	Version   string `json:"version"`
}

// status answers GET /api/v2/status.
func (a *API) status(context.Context, *http.Request) (any, error) {
	return serverStatus{
		Cluster: cluster{Peers: []struct{}{}, Status: "disabled"},
		Config:  configText{configuration},
		Uptime:  ingest.MillisOf(a.options.StartTime),
		VersionInfo: versionInfo{
			Branch: version.Branch, BuildDate: version.BuildDate, BuildUser: version.BuildUser,
			GoVersion: version.GoVersion, Revision: version.GetRevision(), Version: version.Version,
		},
	}, nil
}

// receivers answers GET /api/v2/receivers.
func (a *API) receivers(_ context.Context, r *http.Request) (any, error) {
	wanted, err := wantsReceiver(r.URL.Query())
	if err != nil || !wanted {
		return []ReceiverReference{}, err
	}
	return []ReceiverReference{{Receiver}}, nil
}
