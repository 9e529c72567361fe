package engine

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"
)

func TestEngineStarts(t *testing.T) {
	if _, err := Fetch(context.Background(), os.Stderr); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	e, err := Start(context.Background(), Options{Folder: t.TempDir(), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(begun), e.DSN("x"))
	e.Stop()
}
