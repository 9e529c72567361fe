package journal

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/ingest"
)

func TestAJournalIsIllFromAFailedWriteToTheNextThatSucceeds(t *testing.T) {
	dir := t.TempDir()
	d := newFaulty(dir)
	j := openOn(t, d, dir, 1<<20)
	if err := j.Health(); err != nil {
		t.Fatalf("a new journal: %v", err)
	}
	d.fail["sync"] = errDisk
	if err := appendOne(j, "lost"); err == nil {
		t.Fatal("no error")
	}
	if err := j.Health(); !errors.Is(err, ErrUnavailable) || !errors.Is(err, errDisk) {
		t.Errorf("after a failed fsync: %v", err)
	}
	tick(t, j)
	if err := j.Health(); err != nil {
		t.Errorf("after a tick was written: %v", err)
	}
}

func TestAJournalThatCannotBeCutIsIllUntilItIs(t *testing.T) {
	dir := t.TempDir()
	d := newFaulty(dir)
	j := openOn(t, d, dir, 1<<20)
	if err := appendOne(j, "good"); err != nil {
		t.Fatal(err)
	}
	d.fail["sync"] = errDisk
	d.set("truncate", errDisk)
	for range 2 {
		if err := appendOne(j, "lost"); err == nil {
			t.Fatal("no error")
		}
		if err := j.Health(); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
}

func TestAFullJournalIsIllUntilWhatWasRefusedFits(t *testing.T) {
	dir := t.TempDir()
	d := newFaulty(dir)
	j, err := Open(Options{Dir: dir, MaxBytes: 1 << 20, SegmentBytes: 64 << 10, disk: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	for i := 0; err == nil; i++ {
		err = appendOne(j, random(10_000, i))
	}
	if !errors.Is(err, ErrFull) || !errors.Is(j.Health(), ErrFull) {
		t.Fatalf("append %v, health %v", err, j.Health())
	}
	tick(t, j) // has room in the reserve, and says nothing about deliveries
	if !errors.Is(j.Health(), ErrFull) {
		t.Errorf("after a tick: %v", j.Health())
	}
	if err := j.Commit(j.Last()); err != nil {
		t.Fatal(err)
	}
	if err := j.Health(); err != nil {
		t.Errorf("after trimming: %v", err)
	}
}

func TestAFullDiskIsIllUntilThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	d := newFaulty(dir)
	d.quota = 100 << 10
	j := openOn(t, d, dir, 1<<20)
	var err error
	for i := 0; err == nil; i++ {
		err = appendOne(j, random(10_000, i))
	}
	if !errors.Is(err, unix.ENOSPC) || !errors.Is(j.Health(), ErrFull) {
		t.Fatalf("append %v, health %v", err, j.Health())
	}
	d.mu.Lock()
	d.quota *= 2
	d.mu.Unlock()
	if err := j.Health(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestAWriteThatHangsIsIll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &Local{closing: make(chan struct{}), opts: Options{MaxBytes: 1 << 20}}
		j.health.begin(time.Now())
		time.Sleep(stuckAfter)
		if err := j.Health(); err != nil {
			t.Errorf("too early: %v", err)
		}
		time.Sleep(time.Second)
		if err := j.Health(); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
		j.health.end()
		if err := j.Health(); err != nil {
			t.Errorf("when it came back: %v", err)
		}
	})
}

func TestARecordThatNoEmptyJournalHoldsIsTooLargeAndNotAReasonToRetry(t *testing.T) {
	dir := t.TempDir()
	j, err := Open(Options{Dir: dir, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := appendOne(j, random(2<<20, 1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
	if err := j.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
}

func tick(t *testing.T, j *Local) {
	t.Helper()
	if _, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindTick}}); err != nil {
		t.Fatal(err)
	}
}
