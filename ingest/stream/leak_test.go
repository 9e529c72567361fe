package stream_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestAStoppedStreamLeavesNothingRunning(t *testing.T) {
	k := rig.Kafka(t)
	k.CreateTopic(t, "leak", 2)
	k.CreateTopic(t, "leak-dead", 1)
	produce(t, k, "leak", "broken\n"+alert(1)+"\n")
	before := goleak.IgnoreCurrent()
	c := config(k, "leak", "leak")
	c.DeadLetterTopic = "leak-dead"
	s := start(t, c, stream.Options{Journal: &memory{}})
	for range 100 {
		if s.metric(t, "evenkeel_stream_records_total", "accepted") == 1 && s.metric(t, "evenkeel_stream_records_total", "undecodable") == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.stop()
	time.Sleep(2 * time.Second) // a question that was under way is answered within one
	goleak.VerifyNone(t, before)
}
