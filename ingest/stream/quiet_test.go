package stream

import (
	"testing"
	"time"
)

func TestAFailureIsSaidOnceAMinuteAndTheOthersAreCounted(t *testing.T) {
	var q quiet
	now := time.Unix(1_790_000_000, 0)
	if unsaid, ok := q.speak("fetch", now); !ok || unsaid != 0 {
		t.Error("the first is not said")
	}
	for range 3 {
		if _, ok := q.speak("fetch", now.Add(time.Second)); ok {
			t.Error("the next is said, too")
		}
	}
	if _, ok := q.speak("commit", now.Add(time.Second)); !ok {
		t.Error("another operation is not said")
	}
	if unsaid, ok := q.speak("fetch", now.Add(time.Minute)); !ok || unsaid != 3 {
		t.Errorf("after a minute: %v, %d were not said", ok, unsaid)
	}
}
