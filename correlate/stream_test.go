package correlate_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// streamed is the chain whose alerts come by a stream that may be five minutes behind.
func streamed() correlate.Config {
	c := chain()
	c.Heartbeats = []correlate.Heartbeat{{
		Tenant: "t", Source: "am", Every: int64(5 * ingest.Minute), Services: []string{"e"}, Stream: "bus",
	}}
	return c
}

// read says at a minute that the stream was read up to another.
func read(at, to int) arrival { return readAt(minute(at), minute(to)) }

func readAt(at, to ingest.Millis) arrival {
	return arrival{at, []ingest.Event{{Tenant: "t", Source: "am", ReceivedAt: at, Progress: &ingest.Progress{Stream: "bus", ReadTo: to}}}}
}

// reads are such records from a minute to another.
func reads(from, to int) []arrival {
	var all []arrival
	for at := from; at <= to; at += 4 {
		all = append(all, read(at, at))
	}
	return all
}

func otherStream(a arrival) arrival {
	a.events[0].Progress.Stream = "other"
	return a
}

func TestEpisodesOfASourceWhoseStreamIsNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int // minutes
		want     []string
	}{
		"as long as it is read to its end, what fires is known to": {
			slices.Concat([]arrival{read(1, 1), said(2, 0)}, reads(5, 60)), 60, []string{"0 to now"}},
		"what fired is unknown since it was last read": {
			[]arrival{read(1, 1), said(2, 0), read(4, 4)}, 20, []string{"0 to unknown since 4"}},
		"up to when it was read counts, not when that was said": {
			[]arrival{read(1, 1), said(2, 0), read(7, 4)}, 20, []string{"0 to unknown since 4"}},
		"it is not read to a later instant than the one at which that is said": {
			[]arrival{read(1, 1), said(2, 0), read(4, 19)}, 20, []string{"0 to unknown since 4"}},
		"what it brings is no sign: it may be old": {
			[]arrival{read(1, 1), said(2, 0), said(7, 0), said(12, 0)}, 12, []string{"0 to unknown since 1"}},
		"another stream that is read is none": {
			[]arrival{read(1, 1), said(2, 0), otherStream(read(4, 4))}, 20, []string{"0 to unknown since 1"}},
		"while it is behind by more than may be, it is not known": {
			[]arrival{read(1, 1), said(2, 0), read(20, 10), read(22, 16)}, 22, []string{"0 to unknown since 1"}},
		"when it is read to its end again, what was not resolved in it fired all the time": {
			slices.Concat([]arrival{read(1, 1), said(1, 0)}, reads(30, 40)), 40, []string{"0 to now"}},
		"what was unknown before remains so": {
			slices.Concat([]arrival{read(1, 1), said(1, 0), doubtful(said(3, 0))}, reads(30, 40)), 40, []string{"0 to unknown since 1"}},
		"what was not seen for too long is unknown, whether it is read or not": {
			slices.Concat([]arrival{read(1, 1), said(2, 0), read(300, 300)}, reads(400, 700)), 700, []string{"0 to unknown since 2"}},
		"a resolve that it brings is one": {
			[]arrival{read(1, 1), said(2, 0), said(20, 0, 9)}, 30, []string{"0 to 9"}},
		"and stays one when the stream is not read from there on": {
			[]arrival{read(1, 1), said(2, 0), read(4, 4), said(6, 0, 6)}, 30, []string{"0 to 6"}},
		"another source is not concerned": {
			[]arrival{read(1, 1), from("other", said(2, 0))}, 60, []string{"0 to now"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, streamed()).run(c.arrivals...).until(minute(c.until))
			if diff := cmp.Diff(c.want, lives(w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAStreamThatIsNotReadIsAnIncident(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []arrival
		until    int
		want     []string
	}{
		"none while nothing is in it": {
			reads(0, 200), 200, nil},
		"it opens where the stream was last read": {
			[]arrival{read(1, 1), read(6, 4)}, 20, []string{"opened at 4"}},
		"it is resolved where the stream was read to its end again": {
			slices.Concat([]arrival{read(1, 1), read(31, 30)}, reads(34, 90)), 90, []string{"opened at 1", "resolved at 30", "closed at 60"}},
		"what is far behind does not resolve it": {
			[]arrival{read(1, 1), read(31, 20)}, 32, []string{"opened at 1"}},
		"a stream that is always a little behind is none": {
			[]arrival{read(4, 1), read(6, 3), read(8, 5), read(10, 7)}, 12, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, streamed()).run(c.arrivals...).until(minute(c.until))
			if diff := cmp.Diff(c.want, silences(w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheServicesOfAStreamThatIsNotReadAreUnknownUntilItIs(t *testing.T) {
	w := newWorld(t, streamed()).run(read(1, 1), said(2, 0)).until(minute(10)).run(read(31, 30))
	var got []correlate.Silence
	for _, out := range w.outputs {
		got = append(got, out.Silences...)
	}
	of := func(to ingest.Millis) correlate.Silence {
		return correlate.Silence{Tenant: "t", Source: "am", Services: []string{"a", "e"}, From: minute(1), To: to}
	}
	if diff := cmp.Diff([]correlate.Silence{of(0), of(minute(30))}, got); diff != "" {
		t.Error(diff)
	}
}

// Records of how far a stream was read go to every partition. All take its services for unknown, and one tells of it.
func TestOneOfSeveralPartitionsTellsThatAStreamIsNotRead(t *testing.T) {
	for id, want := range []int{1, 0} {
		f := correlate.NewShared(uint32(id))
		f.Advance(minute(1))
		if err := f.Configure(streamed()); err != nil {
			t.Fatal(err)
		}
		f.Advance(minute(20)) // it was never read here
		out := f.Flush()
		if len(out.Silences) != 1 || out.Silences[0].From != minute(1) {
			t.Errorf("partition %d: silences are %+v, want one since it is declared", id, out.Silences)
		}
		if len(out.Incidents) != want || len(out.Transitions) != want {
			t.Errorf("partition %d: %d incidents and %d transitions, want %d", id, len(out.Incidents), len(out.Transitions), want)
		}
	}
}

func TestAStreamThatIsReadInTimeChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		isAsWithoutSigns(t, rt, streamed(), 3*ingest.Minute, func(at ingest.Millis) arrival { return readAt(at, at-2*ingest.Minute) })
	})
}

// lagging adds records of how far the stream was read to a history, with stretches in which it is not.
func lagging(t *rapid.T, arrivals []arrival) []arrival {
	return inStretches(t, arrivals, func(at ingest.Millis) arrival {
		behind := ingest.Millis(rapid.Int64Range(-int64(ingest.Minute), int64(7*ingest.Minute)).Draw(t, "behind"))
		return readAt(at, at-behind)
	})
}

func TestAFoldOfAStreamGoesOnWhereItWasRestored(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { goesOnRestored(t, rt, streamed(), lagging(rt, history(rt))) })
}

func TestTicksChangeNothingWhereAStreamIsNotRead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { ticksChangeNothing(t, rt, streamed(), lagging(rt, history(rt))) })
}

// Nothing is resolved but by a resolve, and where the stream is not read, nothing is said to fire.
func TestNothingIsResolvedByAStreamThatIsNotRead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { silenceResolvesNothing(t, rt, streamed(), readAt(start, start)) })
}
