// Command enginechild is the engine's child process as a program of its own, for those who
// start engines from a binary that cannot be re-executed, such as tests.
package main

import (
	"fmt"
	"os"

	"github.com/evenkeel/evenkeel/internal/clickhouse/engine"
)

func main() {
	engine.RunIfChild()
	fmt.Fprintln(os.Stderr, "usage: enginechild", engine.Command, "LIBRARY CONFIG")
	os.Exit(2)
}
