package engine

import (
	"fmt"
	"runtime"
)

// Version is the version of the engine's package that is pinned here.
const Version = "26.7.3-stable.1"

// release is the engine's package for one platform.
type release struct {
	pkg       string // name of the npm package
	integrity string // sha512 of the packed file, as npm writes it
	packed    int64  // bytes of the packed file: for the talk only
}

// releases are the platforms that the engine is pinned for, by GOOS/GOARCH. A platform
// stands here once its package's checksum has been seen, and not before.
var releases = map[string]release{
	"linux/amd64": {
		pkg:       "@chdb/lib-linux-x64-gnu",
		integrity: "sha512-XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
		packed:    177_817_999,
	},
}

func releaseFor(platform string) (release, error) {
	r, ok := releases[platform]
	if !ok {
		return release{}, fmt.Errorf("no embedded engine is pinned for %s: give your own ClickHouse by its address instead", platform)
	}
	return r, nil
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
