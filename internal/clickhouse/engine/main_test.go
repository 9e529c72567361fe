package engine

import (
	"context"
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	RunIfChild()
	if folder := os.Getenv(parentEnv); folder != "" {
		os.Exit(runParent(folder))
	}
	if _, err := Fetch(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
