package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
)

// childDir makes the test binary a child that appends to the journal there until it is killed.
const childDir = "EVENKEEL_JOURNAL_CHILD"

// runChild is the child's main: eight appenders that say each acknowledged record on
// stdout. It returns false in an ordinary test run.
func runChild() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	j, err := journal.Open(journal.Options{Dir: dir, SegmentBytes: 20 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	run := strconv.Itoa(os.Getpid())
	var mu sync.Mutex
	for worker := range 8 {
		go func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("%s/%d/%d", run, worker, i)
				padded := append([]byte(body+" "), bytes.Repeat([]byte{byte(i)}, i*37%3000)...)
				first, err := j.Append(context.Background(), []ingest.Record{{Kind: ingest.KindDelivery, Body: padded}})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(first, body)
				mu.Unlock()
				if i%10 == 9 {
					_ = j.Commit(max(first, 400) - 400)
				}
			}
		}()
	}
	select {}
}

func TestKillLosesNothingThatWasAcknowledged(t *testing.T) {
	rounds := 25
	dir := t.TempDir()
	acknowledged := map[uint64]string{}
	cuts := 0
	for round := range rounds {
		appendUntilKilled(t, dir, time.Duration(20+rand.IntN(60))*time.Millisecond, acknowledged)
		if round%3 == 2 && tear(t, dir) {
			cuts++
		}
		j, err := journal.Open(journal.Options{Dir: dir, SegmentBytes: 20 << 10})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		checkAcknowledged(t, j, acknowledged)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d records acknowledged in %d rounds, %d tails torn besides", len(acknowledged), rounds, cuts)
	if len(acknowledged) < rounds {
		t.Error("the children hardly wrote anything")
	}
}

// appendUntilKilled starts a child, kills it after a while and notes what it had acknowledged.
func appendUntilKilled(t *testing.T, dir string, after time.Duration, acknowledged map[uint64]string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	var said bytes.Buffer
	child.Stderr = &said
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var once sync.Once
	for lines.Scan() {
		once.Do(func() { time.AfterFunc(after, func() { _ = child.Process.Kill() }) })
		first, body, ok := strings.Cut(lines.Text(), " ")
		position, err := strconv.ParseUint(first, 10, 64)
		if !ok || err != nil {
			continue // the line that the kill cut
		}
		acknowledged[position] = body
	}
	if err := child.Wait(); err == nil || said.Len() > 0 {
		t.Fatalf("child ended with %v: %s", err, said.String())
	}
}

// tear puts half a block behind the end of the log, as a crash in mid-write would.
func tear(t *testing.T, dir string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	tail := names[len(names)-1]
	text, err := os.ReadFile(tail)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) < 300 {
		return false
	}
	f, err := os.OpenFile(tail, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(text[32 : 32+rand.IntN(200)])
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return true
}

// checkAcknowledged checks that every acknowledged record that was not committed is at
// its position, and that positions have no holes.
func checkAcknowledged(t *testing.T, j journal.Journal, acknowledged map[uint64]string) {
	t.Helper()
	var before ingest.Record
	bodies := map[string]bool{}
	for i, r := range journaltest.All(t, j) {
		body, _, _ := strings.Cut(string(r.Body), " ")
		if want, ok := acknowledged[r.Position]; ok && body != want {
			t.Errorf("position %d holds %s, acknowledged was %s", r.Position, body, want)
		}
		if r.Kind != ingest.KindDelivery || bodies[body] {
			t.Errorf("position %d: %s twice, or damaged: %s", r.Position, body, r.Reason)
		}
		if i > 0 && (r.Position != before.Position+1 || r.ReceivedAt < before.ReceivedAt) {
			t.Errorf("%d at %s follows %d at %s", r.Position, r.ReceivedAt, before.Position, before.ReceivedAt)
		}
		bodies[body], before = true, r
	}
	for position := range acknowledged {
		if position > j.Last() {
			t.Errorf("position %d was acknowledged, the last is %d", position, j.Last())
		}
	}
}
