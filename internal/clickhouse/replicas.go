package clickhouse

import (
	"context"
	_ "embed" // the query
)

//go:embed replicas.sql
var replicasSQL string

// LoneReplicas returns how many replicas the largest shard of the cluster has, where an insert is acknowledged by one of
// them alone: if that one is lost for good before the others have its rows, the rows are lost. It is 0 where an insert waits
// for more (insert_quorum, in the address or in the user's profile), where no shard has two, and with one server.
func (c *Conn) LoneReplicas(ctx context.Context) (uint64, error) {
	if c.cluster == "" {
		return 0, nil
	}
	var replicas uint64
	var quorum string
	err := One(ctx, c, replicasSQL, Params{"cluster": c.cluster}, &replicas, &quorum)
	if err != nil || replicas < 2 || quorum != "0" && quorum != "1" {
		return 0, err
	}
	return replicas, nil
}
