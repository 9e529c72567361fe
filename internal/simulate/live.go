package simulate

import (
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// LiveOptions say how the live storm runs.
type LiveOptions struct {
	Seed   uint64
	Length time.Duration // of the whole; default 30 s
}

// Step is one request of a live storm.
type Step struct {
	Offset time.Duration // after the storm's beginning
	Path   string        // to POST to

	pair    *pair
	arrival arrival
}

// Body returns the request's body for a storm that began at base. All times in it
// follow from base; by the time it is posted they lie in the past.
func (s Step) Body(base ingest.Millis) []byte {
	_, body := s.pair.render(s.arrival, base)
	return body
}

// Live is half a minute at the shop of [History], in the order in which it is to
// be posted. A release of payments was rolled out a moment ago and uses up the
// connections of the database of orders: the database says so, payments, orders
// and stock run into errors, and checkout and the shop burn their error budgets.
// Mailer's queue alert comes and goes beside it. The storm ends as such storms
// begin to end: the release is rolled back, the database recovers, the rest still fires.
//
// Ten to forty requests carry twenty to a hundred alerts in all, some of them as copies.
func Live(o LiveOptions) []Step {
	if o.Length == 0 {
		o.Length = 30 * time.Second
	}
	length := ingest.MillisIn(o.Length)
	// The Alertmanagers of the live storm are as much faster than usual ones as the
	// half minute is shorter than a bad quarter of an hour.
	pair := usualPair()
	pair.wait, pair.interval, pair.peerWait = length/30, length/10, length/20
	pair.late, pair.copies = 0, 0.15

	// Times are relative to the beginning, and must not be 0, which is "none".
	const start = ingest.Millis(1)
	e := shop(o.Seed)
	s := &spreader{estate: e, dice: roll(o.Seed, "live"), out: newFirings(pair.apart())}
	release := change{
		ID: "payments-live", Kind: "deployment", Service: "payments", Version: "live", Author: "ci",
		Title:     "Open a connection for every payment provider",
		StartedAt: start - 4*minute, FinishedAt: start, Outcome: "succeeded",
	}
	back := release
	back.ID, back.Version, back.Title = "payments-live-back", "previous", "Roll back payments-live"
	back.StartedAt, back.FinishedAt = start+length*4/10, start+length/2

	s.exhaustOrders(outage{
		fault: &fault{name: "live", root: "payments", roots: []string{"payments", "orders-db"}, change: release.ID},
		from:  start + length/60, pace: float64(length) / float64(5*minute),
	}, start+length/2)
	s.flapOnce(start+length/4, start+length/2)

	sent := pair.notify(s.out.inOrder(), start+length, roll(o.Seed, "live network"))
	return steps(tell(pair, sent, []change{release, back}, start+length), start)
}

// exhaustOrders is what the live storm is about. The database recovers at recovered.
func (s *spreader) exhaustOrders(o outage, recovered ingest.Millis) {
	short := o
	short.to, short.pace = recovered, o.pace/4
	db := s.find("orders-db")
	s.raise(short, db, symptom{"ConnectionSlotsFull", "critical", 1, 1, 10 * second, 30 * second}, 0)
	s.raise(o, db, symptom{"SlowResponses", "warning", 0.7, 1, 20 * second, 40 * second}, 0)
	for hop, names := range [][]string{{"payments", "orders", "stock"}, {"checkout"}, {"storefront", "app-backend"}} {
		delay := o.paced(ingest.Millis(20+25*hop) * second)
		for _, name := range names {
			on := s.find(name)
			s.raise(o, on, symptom{"RequestErrors", "critical", 0.6, 1, 10 * second, 60 * second}, delay)
			s.raise(o, on, symptom{"SlowResponses", "warning", 0.6, 0.7, 10 * second, 60 * second}, delay)
			s.raise(o, on, symptom{"ErrorBudgetBurn", "page", 0, 0.8, 40 * second, 30 * second}, delay)
		}
	}
}

// flapOnce is the usual noise.
func (s *spreader) flapOnce(from, to ingest.Millis) {
	on := s.find("mailer")
	labels := s.serviceLabels("QueueDepthHigh", "warning", on)
	because := &fault{name: "flap", root: on.name, roots: []string{on.name}}
	s.out.add(firing{labels: labels, annotations: annotate(labels, on.name), from: from, to: to, because: because, service: on.name})
}

// steps turns a story that began at start into requests.
func steps(story *Story, start ingest.Millis) []Step {
	steps := make([]Step, len(story.arrivals))
	for i, a := range story.arrivals {
		path, _ := story.pair.render(a, 0)
		steps[i] = Step{Offset: (a.at - start).Duration(), Path: path, pair: story.pair, arrival: a}
	}
	return steps
}
