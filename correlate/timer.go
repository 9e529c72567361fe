package correlate

import (
	"cmp"
	"container/heap"

	"github.com/evenkeel/evenkeel/ingest"
)

// timerKind says what a timer does. At one instant they fire in this order.
type timerKind uint8

const (
	timerStale  timerKind = iota // an open episode was not seen for too long
	timerSilent                  // a source gave no sign of life for too long
	timerClose                   // an incident is resolved for longer than the reopen window
	timerSettle                  // decisions that were put off are made
	timerLose                    // an episode was unknown for too long
	timerForget                  // what is long over is dropped
	timerTidy                    // a tenant drops what is of no use any more
)

// timer is one thing that is due. Its subject may have moved on: then the
// timer is set anew or dropped when it comes to the top.
type timer struct {
	due    ingest.Millis
	kind   timerKind
	tenant *tenant
	key    string
	of     *episode
	over   *incident
	beat   *beat // also of a timerClose, instead of over
}

// timers is a heap by (due, kind, tenant, key).
type timers struct{ heap timerHeap }

func (t *timers) push(one timer) { heap.Push(&t.heap, one) }

func (t *timers) pop() { heap.Pop(&t.heap) }

// next returns the first timer that is truly due then, correcting what moved on.
func (t *timers) next() (timer, bool) {
	for len(t.heap) > 0 {
		top := t.heap[0]
		due, wanted := top.actual()
		switch {
		case !wanted:
			heap.Pop(&t.heap)
		case due != top.due:
			t.heap[0].due = due
			heap.Fix(&t.heap, 0)
		default:
			return top, true
		}
	}
	return timer{}, false
}

// actual returns when the timer's subject is due now, and whether it still is.
func (t timer) actual() (ingest.Millis, bool) {
	switch t.kind {
	case timerStale:
		return t.tenant.staleAt(t.of), t.of.row.State == Firing
	case timerLose:
		return t.tenant.loseAt(t.of), t.of.row.State == Unknown && !t.of.row.Over()
	case timerSilent:
		return t.beat.overdueAt(), !t.beat.silent && t.beat.current()
	case timerClose:
		if t.beat != nil {
			return t.beat.row.ResolvedAt + t.tenant.fold.reopenWindow(), t.beat.row.State == IncidentResolved && t.beat.current()
		}
		return t.over.row.ResolvedAt + t.tenant.fold.reopenWindow(), t.over.row.State == IncidentResolved
	case timerForget:
		return t.over.forgetAt(), t.over.over() && t.tenant.incidents[t.over.row.ID] == t.over
	case timerTidy:
		return t.tenant.tidyAt, t.tenant.fold.tenants[t.tenant.name] == t.tenant
	default:
		return t.tenant.settleAt, t.tenant.settleAt != 0
	}
}

// fire does what t is due for.
func (f *Fold) fire(t timer) {
	f.touch(t.tenant)
	switch t.kind {
	case timerStale:
		t.tenant.judge(t.of)
	case timerLose:
		t.tenant.giveUp(t.of)
	case timerTidy:
		t.tenant.tidy()
	case timerSilent:
		t.tenant.overdue(t.beat)
	case timerClose:
		if t.beat != nil {
			t.tenant.closeSilence(t.beat)
			return
		}
		t.tenant.close(t.over)
	case timerForget:
		t.tenant.forget(t.over)
	case timerSettle:
		t.tenant.settleNow()
	}
}

// rebuildTimers sets every timer anew.
func (f *Fold) rebuildTimers() {
	f.timers.heap = nil
	for _, t := range f.ordered() {
		t.setTimers()
	}
}

func (f *Fold) staleAfter() ingest.Millis   { return ingest.Millis(f.config.StaleAfter) }
func (f *Fold) forgetAfter() ingest.Millis  { return ingest.Millis(f.config.ForgetAfter) }
func (f *Fold) reopenWindow() ingest.Millis { return ingest.Millis(f.config.ReopenWindow) }
func (f *Fold) copyWindow() ingest.Millis   { return ingest.Millis(f.config.CopyWindow) }

type timerHeap []timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	a, b := &h[i], &h[j]
	if a.due != b.due {
		return a.due < b.due
	}
	return cmp.Or(cmp.Compare(a.kind, b.kind),
		cmp.Compare(a.tenant.name, b.tenant.name), cmp.Compare(a.key, b.key)) < 0
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)   { *h = append(*h, x.(timer)) }
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	return last
}
