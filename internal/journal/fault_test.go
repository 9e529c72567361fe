package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

// faulty is a disk that fails when it is told to.
type faulty struct {
	folder
	mu     sync.Mutex
	fail   map[string]error // by operation: the next one fails, once
	always map[string]error // every one fails
	quota  int64            // bytes of all files together; 0 is no limit
	sizes  map[string]int64
}

var errDisk = errors.New("input/output error")

func newFaulty(dir string) *faulty {
	return &faulty{folder: folder(dir), fail: map[string]error{}, always: map[string]error{}, sizes: map[string]int64{}}
}

func (d *faulty) check(operation string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.always[operation]; err != nil {
		return err
	}
	err := d.fail[operation]
	delete(d.fail, operation)
	return err
}

func (d *faulty) set(operation string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.always[operation] = err
}

// room returns how much of a write to a file fits.
func (d *faulty) room(name string, offset int64, n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quota == 0 {
		return n
	}
	var others int64
	for other, size := range d.sizes {
		if other != name {
			others += size
		}
	}
	fits := int(min(int64(n), max(0, d.quota-others-offset)))
	d.sizes[name] = max(d.sizes[name], offset+int64(fits))
	return fits
}

func (d *faulty) resize(name string, size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sizes[name] = size
}

func (d *faulty) Free() (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quota == 0 {
		return 1 << 40, nil
	}
	free := d.quota
	for _, size := range d.sizes {
		free -= size
	}
	return free, nil
}

func (d *faulty) Create(name string) (file, error) {
	if err := d.check("create"); err != nil {
		return nil, err
	}
	f, err := d.folder.Create(name)
	return &faultyFile{f, d, name}, err
}

func (d *faulty) Open(name string) (file, int64, error) {
	if err := d.check("open"); err != nil {
		return nil, 0, err
	}
	f, size, err := d.folder.Open(name)
	return &faultyFile{f, d, name}, size, err
}

func (d *faulty) Remove(name string) error {
	if err := d.check("remove"); err != nil {
		return err
	}
	d.resize(name, 0)
	return d.folder.Remove(name)
}

func (d *faulty) Sync() error {
	if err := d.check("syncdir"); err != nil {
		return err
	}
	return d.folder.Sync()
}

type faultyFile struct {
	file
	d    *faulty
	name string
}

// WriteAt writes half of what it should before it fails.
func (f *faultyFile) WriteAt(p []byte, offset int64) (int, error) {
	if err := f.d.check("write"); err != nil {
		n, _ := f.file.WriteAt(p[:len(p)/2], offset)
		return n, err
	}
	if fits := f.d.room(f.name, offset, len(p)); fits < len(p) {
		n, _ := f.file.WriteAt(p[:fits], offset)
		return n, unix.ENOSPC
	}
	return f.file.WriteAt(p, offset)
}

func (f *faultyFile) Sync() error {
	if err := f.d.check("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.d.check("truncate"); err != nil {
		return err
	}
	f.d.resize(f.name, size)
	return f.file.Truncate(size)
}

func openOn(t testing.TB, d disk, dir string, segmentBytes int64) *Local {
	t.Helper()
	j, err := Open(Options{Dir: dir, SegmentBytes: segmentBytes, MaxBytes: 64 << 20, disk: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func appendOne(j *Local, body string) error {
	_, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: []byte(body)}})
	return err
}

func bodies(t testing.TB, j *Local) []string {
	t.Helper()
	var all []string
	for from := j.First(); from <= j.Last(); {
		records, err := j.Read(context.Background(), from, 7)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			if r.Position != from+uint64(i) {
				t.Fatalf("position %d at %d", r.Position, from+uint64(i))
			}
			all = append(all, string(r.Body))
		}
		from += uint64(len(records))
	}
	return all
}

func TestAfterAFailureNothingOfItIsThereAndTheJournalGoesOn(t *testing.T) {
	for _, operation := range []string{"write", "sync"} {
		t.Run(operation, func(t *testing.T) {
			dir := t.TempDir()
			d := newFaulty(dir)
			j := openOn(t, d, dir, 1<<20)
			if err := appendOne(j, "good"); err != nil {
				t.Fatal(err)
			}
			d.fail[operation] = errDisk
			err := appendOne(j, "lost")
			if !errors.Is(err, ErrUnavailable) || !errors.Is(err, errDisk) {
				t.Fatalf("error %v", err)
			}
			if got := bodies(t, j); !slices.Equal(got, []string{"good"}) {
				t.Errorf("%q", got)
			}
			if err := appendOne(j, "next"); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = openOn(t, folder(dir), dir, 1<<20)
			if got := bodies(t, j); !slices.Equal(got, []string{"good", "next"}) {
				t.Errorf("after a restart %q", got)
			}
		})
	}
}

func TestAJournalThatCannotBeCutTakesNothingUntilItCan(t *testing.T) {
	dir := t.TempDir()
	d := newFaulty(dir)
	j := openOn(t, d, dir, 1<<20)
	if err := appendOne(j, "good"); err != nil {
		t.Fatal(err)
	}
	d.fail["sync"] = errDisk
	d.set("truncate", errDisk)
	for _, body := range []string{"lost", "refused"} {
		if err := appendOne(j, body); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("%s: %v", body, err)
		}
	}
	if got := bodies(t, j); !slices.Equal(got, []string{"good"}) {
		t.Errorf("%q", got)
	}
	d.set("truncate", nil)
	time.Sleep(retryEvery + 10*time.Millisecond)
	if err := appendOne(j, "next"); err != nil {
		t.Fatal(err)
	}
	if got := bodies(t, j); !slices.Equal(got, []string{"good", "next"}) {
		t.Errorf("%q", got)
	}
}

func TestASegmentThatCannotBeBegunLeavesNothingBehind(t *testing.T) {
	for _, operation := range []string{"create", "write", "sync", "syncdir"} {
		t.Run(operation, func(t *testing.T) {
			dir := t.TempDir()
			d := newFaulty(dir)
			j := openOn(t, d, dir, 1) // every group begins a segment
			if err := appendOne(j, "good"); err != nil {
				t.Fatal(err)
			}
			d.fail[operation] = errDisk
			if err := appendOne(j, "lost"); !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			if err := appendOne(j, "next"); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			if got := bodies(t, openOn(t, folder(dir), dir, 1)); !slices.Equal(got, []string{"good", "next"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestWhateverFailsOnlyWhatWasAcknowledgedIsThere(t *testing.T) {
	folders := t
	rapid.Check(t, func(t *rapid.T) {
		dir := folders.TempDir()
		segment := rapid.SampledFrom([]int64{1, 400, 1 << 20}).Draw(t, "segment")
		d := newFaulty(dir)
		open := func() *Local {
			j, err := Open(Options{Dir: dir, SegmentBytes: segment, MaxBytes: 64 << 20, disk: d})
			if err != nil {
				t.Fatal(err)
			}
			return j
		}
		j := open()
		defer func() { _ = j.Close() }()
		var acknowledged []string
		committed := uint64(0)
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
				j = open()
			case 1:
				committed = max(committed, rapid.Uint64Range(0, j.Last()).Draw(t, "commit"))
				if err := j.Commit(committed); err != nil {
					t.Fatal(err)
				}
			case 2, 3, 4:
				d.fail[rapid.SampledFrom([]string{"write", "sync", "syncdir", "create"}).Draw(t, "fault")] = errDisk
			}
			body := strings.Repeat(fmt.Sprint(i, " "), rapid.IntRange(1, 100).Draw(t, "length"))
			if err := appendOne(j, body); err == nil {
				acknowledged = append(acknowledged, body)
			} else if !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
			clear(d.fail)
			j.tail.retryAt = time.Time{} // the test does not wait
			if j.First() > committed+1 {
				t.Fatalf("first %d, committed %d", j.First(), committed)
			}
			got, want := bodies(&fatal{T: t}, j), acknowledged[j.First()-1:]
			if !slices.Equal(got, want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
}

// fatal lets helpers of testing serve a rapid test.
type fatal struct {
	testing.TB
	T *rapid.T
}

func (f *fatal) Helper()           {}
func (f *fatal) Fatal(args ...any) { f.T.Fatal(args...) }
func (f *fatal) Fatalf(format string, args ...any) {
	f.T.Fatalf(format, args...)
}

func TestAFullDiskIsAnErrorAndNotACorruption(t *testing.T) {
	t.Run("a quota", func(t *testing.T) {
		dir := t.TempDir()
		d := newFaulty(dir)
		d.quota = 1 << 20
		fillDisk(t, d, dir, func() { d.mu.Lock(); d.quota *= 2; d.mu.Unlock() })
	})
	t.Run("a small tmpfs", func(t *testing.T) {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
			t.Logf("NOT RUN on a real file system, which takes root: %v; the quota above stands for it", err)
			return
		}
		t.Cleanup(func() {
			if err := unix.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 300<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		fillDisk(t, folder(dir), dir, func() { _ = os.Remove(ballast) })
	})
}

// fillDisk fills the disk under a journal until nothing fits, checks what it says and holds, makes
// room and checks that it goes on.
func fillDisk(t *testing.T, d disk, dir string, makeRoom func()) {
	t.Helper()
	j := openOn(t, d, dir, 100<<10)
	var acknowledged []string
	refused := 0
	for i := range 200 {
		body := random(9000, i)
		switch err := appendOne(j, body); {
		case err == nil:
			acknowledged = append(acknowledged, body)
		case errors.Is(err, ErrFull):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused < 50 || len(acknowledged) < 20 {
		t.Fatalf("%d acknowledged, %d refused", len(acknowledged), refused)
	}
	if got := bodies(t, j); !slices.Equal(got, acknowledged) {
		t.Fatal("not what was acknowledged")
	}
	if left := j.untilFull(time.Now()); left > 60 {
		t.Errorf("%g seconds until full", left)
	}
	makeRoom()
	for i := range 20 {
		body := random(9000, 1000+i)
		if err := appendOne(j, body); err != nil {
			t.Fatalf("with room again: %v", err)
		}
		acknowledged = append(acknowledged, body)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if got := bodies(t, openOn(t, d, dir, 100<<10)); !slices.Equal(got, acknowledged) {
		t.Error("after a restart not what was acknowledged")
	}
}

func random(n, seed int) string {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return string(b)
}

func TestAppendsThatTimeOutAreNotWrittenLater(t *testing.T) {
	dir := t.TempDir()
	d := &stuck{folder: folder(dir), gate: make(chan struct{})}
	j := openOn(t, d, dir, 1<<20)
	first := make(chan error)
	go func() { first <- appendOne(j, "first") }()
	d.wait() // the committer is in fsync; what comes now waits in the queue
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := j.Append(ctx, []ingest.Record{{Kind: ingest.KindDelivery, Body: []byte("late")}})
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	close(d.gate)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := appendOne(j, "second"); err != nil {
		t.Fatal(err)
	}
	if got := bodies(t, j); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("%q", got)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	dir := t.TempDir()
	d := &stuck{folder: folder(dir), gate: make(chan struct{})}
	j := openOn(t, d, dir, 1<<20)
	j.room = semaphore.NewWeighted(128 << 10)
	var wg sync.WaitGroup
	put := func(body string) {
		if err := appendOne(j, body); err != nil {
			t.Error(err)
		}
	}
	wg.Go(func() { put("first") })
	d.wait()
	body := random(40<<10, 1)
	for range 3 { // 120 of 128 KiB, and the first's least cost
		wg.Go(func() { put(body) })
	}
	for len(j.queue) < 3 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := j.Append(ctx, []ingest.Record{{Kind: ingest.KindTick, Body: []byte(body)}})
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "behind with writing") {
		t.Error(err)
	}
	close(d.gate)
	wg.Wait()
	if got := bodies(t, j); len(got) != 4 {
		t.Errorf("%d records", len(got))
	}
}

// stuck is a disk of which fsync hangs until its gate opens.
type stuck struct {
	folder
	gate    chan struct{}
	once    sync.Once
	entered chan struct{}
	mu      sync.Mutex
}

func (d *stuck) signal() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.entered == nil {
		d.entered = make(chan struct{})
	}
	return d.entered
}

func (d *stuck) wait() { <-d.signal() }

func (d *stuck) Create(name string) (file, error) {
	f, err := d.folder.Create(name)
	return &stuckFile{f, d}, err
}

type stuckFile struct {
	file
	d *stuck
}

func (f *stuckFile) Sync() error {
	f.d.once.Do(func() { close(f.d.signal()) })
	<-f.d.gate
	return f.file.Sync()
}
