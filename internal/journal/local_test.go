package journal_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/internal/journal"
	"github.com/evenkeel/evenkeel/internal/journal/journaltest"
)

func TestMain(m *testing.M) {
	if runChild() {
		return
	}
	goleak.VerifyTestMain(m)
}

func fixture(segmentBytes int64) func(*testing.T) journaltest.Fixture {
	return func(t *testing.T) journaltest.Fixture {
		dir, reg := t.TempDir(), prometheus.NewRegistry()
		var now atomic.Pointer[time.Time]
		return journaltest.Fixture{
			Open: func() (journal.Journal, error) {
				return journal.Open(journal.Options{
					Dir: dir, SegmentBytes: segmentBytes, Registerer: reg,
					Clock: func() time.Time { return *now.Load() },
				})
			},
			SetClock: func(at time.Time) { now.Store(&at) },
		}
	}
}

func TestLocalIsAJournal(t *testing.T) { journaltest.Run(t, fixture(0)) }

func TestLocalIsAJournalWithManySmallSegments(t *testing.T) { journaltest.Run(t, fixture(200)) }
