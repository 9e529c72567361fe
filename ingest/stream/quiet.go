package stream

import (
	"sync"
	"time"
)

// sayAgain is how long the same failure is not logged anew: with many partitions, a broker that is away
// would fill the log.
const sayAgain = time.Minute

// quiet remembers what was logged, by operation. The zero value has said nothing.
type quiet struct {
	mu   sync.Mutex
	said map[string]spoken
}

type spoken struct {
	at   time.Time
	kept int // failures since that were not logged
}

// speak tells whether a failure is to be logged, and how many like it were not since the last that was.
func (q *quiet) speak(operation string, now time.Time) (unsaid int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	last, before := q.said[operation]
	if before && now.Sub(last.at) < sayAgain {
		last.kept++
		q.said[operation] = last
		return 0, false
	}
	if q.said == nil {
		q.said = map[string]spoken{}
	}
	q.said[operation] = spoken{at: now}
	return last.kept, true
}
