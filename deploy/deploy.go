// Package deploy holds what Evenkeel is deployed with. Of that the ClickHouse schema is embedded
// in the binary.
package deploy

import (
	"embed"
	"io/fs"
)

//go:embed clickhouse/*.sql
var clickhouse embed.FS

// ClickHouse returns the folder of the schema: templates of idempotent DDL, one statement a file,
// applied in the order of the numbers their names begin with.
func ClickHouse() fs.FS {
	folder, err := fs.Sub(clickhouse, "clickhouse")
	if err != nil { // only for a name that is not a valid path
		panic(err)
	}
	return folder
}
