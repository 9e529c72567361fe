package correlate

import (
	"iter"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// Deciding is put off where it would cost much more than what came asks for: in a flood it
// is done again when there is four times as much, or when the time has come that its cost is worth.
// Meanwhile what came stands where the last decision puts it.
const (
	atOnce     = 500 // so many episodes are always decided at once
	growsBy    = 4
	costOfOne  = ingest.Millis(10) // of fold time to wait for each episode to be decided
	mostWaited = 2 * ingest.Minute
)

// settle decides what came since the last time, now or a little later.
func (t *tenant) settle() {
	if !t.line.unsettled {
		return
	}
	n := t.line.undecided()
	if n <= atOnce || n >= growsBy*(n-t.waiting) {
		t.settleNow()
		return
	}
	if t.settleAt == 0 {
		t.settleAt = t.fold.now + min(ingest.Millis(n)*costOfOne, mostWaited)
		t.fold.timers.push(timer{due: t.settleAt, kind: timerSettle, tenant: t})
	}
	for _, e := range t.changedEpisodes {
		if e.incident == nil {
			first, x := t.line.guess(e)
			t.assign(e, first, x)
		}
	}
}

// settleNow decides all that is not decided yet, and makes final what nothing can change any more.
func (t *tenant) settleNow() {
	t.settleAt, t.waiting = 0, 0
	stages := t.line.advance()
	var named []*incident // in what was decided anew
	for i := range stages {
		for _, p := range stages[i].points {
			if i+1 < len(stages) && t.line.cellOf(p.episode) >= freeFrom(stages[i+1].cell) {
				continue // the next stage decides it
			}
			if p.owner == nil {
				t.assign(p.episode, p.episode, nil)
			} else {
				t.assign(p.episode, p.owner.first, p.owner)
			}
			if i := p.incident; i.first == p.episode {
				named = append(named, i)
			}
		}
	}
	for _, i := range t.unranked {
		if i.rank && t.incidents[i.row.ID] == i {
			t.touchIncident(i)
		}
	}
	t.unranked = t.unranked[:0]
	for _, i := range named { // what their labels tell may have changed
		t.rerank(i)
	}
	if t.line.freeze(t.line.complete(t.fold.now)) {
		t.clean()
	}
}

// reconfigure decides anew what is not final, by the fold's configuration.
func (t *tenant) reconfigure() {
	t.line.reconfigure(t.fold.model)
	for _, c := range slices.Sorted(maps.Keys(t.line.cells)) {
		for _, e := range t.line.cells[c] {
			t.rename(e, t.fold.resolver.service(e.row.Labels))
		}
	}
	for e := range t.remembered() {
		t.line.model.explain(e, t.line.intern)
	}
}

// remembered yields every episode in memory, in no order.
func (t *tenant) remembered() iter.Seq[*episode] {
	return func(yield func(*episode) bool) {
		for _, a := range t.alerts {
			if a.open != nil && !yield(a.open) {
				return
			}
			for _, e := range a.ended {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// Bounds of what a line remembers beside its episodes.
const (
	mostNames = 200_000 // of label values; beyond it they are learned anew
	mostRoots = 4       // times as many as at the last cleaning
)

// clean drops roots that nothing refers to any more, and forgets label values when
// there are too many of them.
func (t *tenant) clean() {
	l := t.line
	if l.known.size() > mostNames {
		l.known = newKnowledge()
		for e := range t.remembered() {
			l.known.learn(e, l.cellOf(e))
		}
		l.known.fold(l.summedUp())
		l.invalidate(l.stages[0].cell + 1)
	}
	if len(l.roots) < mostRoots*l.keptRoots+1000 {
		return
	}
	kept := map[rootKey]*root{}
	for e := range t.remembered() {
		for _, c := range e.covers {
			kept[c.root.rootKey] = c.root
		}
	}
	stages := l.stages
	if l.decided != nil {
		stages = append(slices.Clone(stages), *l.decided)
	}
	for _, s := range stages {
		for _, x := range s.live {
			kept[x.root.rootKey] = x.root
			for site := range x.sites {
				kept[site.rootKey] = site
			}
		}
	}
	l.roots, l.keptRoots = kept, len(kept)
}
