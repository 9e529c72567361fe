package api

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/common/version"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/sla"
)

// BuildInfo says what is running.
type BuildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// RuntimeInfo says how it is running. What the rest of the process knows stands in Parts.
type RuntimeInfo struct {
	StartTime  time.Time         `json:"startTime"`
	StoredTime ingest.Millis     `json:"storedFoldTime"` // null before anything is stored
	Goroutines int               `json:"goroutineCount"`
	GOMAXPROCS int               `json:"GOMAXPROCS"`
	HeapBytes  uint64            `json:"heapBytes"`
	Parts      map[string]string `json:"parts"` // mode, journal, engine and the like, as the process tells
}

// ConfigInfo is the configuration in force: the root file with its secrets
// hidden, and what the fold was given.
type ConfigInfo struct {
	YAML        string           `json:"yaml"`
	Correlation correlate.Config `json:"correlation"`
	Levels      sla.Config       `json:"levels"`
}

func (a *API) buildInfo(context.Context, *http.Request) (answer, error) {
	return answer{data: BuildInfo{
		Version: version.Version, Revision: version.GetRevision(), Branch: version.Branch,
		BuildDate: version.BuildDate, GoVersion: version.GoVersion, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}}, nil
}

func (a *API) runtimeInfo(context.Context, *http.Request) (answer, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	info := RuntimeInfo{
		StartTime: a.options.StartTime.UTC(), StoredTime: a.reads.StoredTime(),
		Goroutines: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), HeapBytes: memory.HeapInuse,
		Parts: map[string]string{},
	}
	if a.options.Parts != nil {
		info.Parts = a.options.Parts()
	}
	return answer{data: info}, nil
}

func (a *API) config(context.Context, *http.Request) (answer, error) {
	catalogue := a.reads.Current()
	info := ConfigInfo{Correlation: catalogue.Correlation, Levels: catalogue.Levels}
	if a.options.ConfigYAML != nil {
		info.YAML = a.options.ConfigYAML()
	}
	return answer{data: info}, nil
}
