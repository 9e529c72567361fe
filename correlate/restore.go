package correlate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

func compareAlerts(a, b alertKey) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.fingerprint, b.fingerprint))
}

// restore fills an empty tenant.
func (t *tenant) restore(s *savedTenant) error {
	all := make(restored, len(s.Episodes))
	for i := range s.Episodes {
		e := &s.Episodes[i]
		all[i] = &episode{
			row: e.Row, at: e.At, lastSeen: e.LastSeen, holds: e.Holds, said: e.Said, hidden: e.Hidden, hiddenBy: e.HiddenBy, back: e.Back, told: e.Told, toldAt: e.ToldAt, ahead: e.Ahead, again: e.Again, closedBy: e.ClosedBy,
			id: t.fold.incidentID(e.Row.EpisodeKey, e.Again),
		}
		t.line.model.explain(all[i], t.line.intern)
	}
	if err := s.check(len(all)); err != nil {
		return err
	}
	for i, e := range all {
		e.previous, e.fixedIn, e.resumes = all.get(s.Episodes[i].Previous), all.get(s.Episodes[i].FixedIn), s.Episodes[i].Resumes
	}
	t.restoreLine(s, all)
	t.settleAt, t.waiting, t.tidyAt = s.SettleAt, s.Waiting, s.TidyAt
	var err error
	if t.past, err = restorePast(s.Past); err != nil {
		return err
	}
	for i := range s.Sources {
		t.restoreSource(&s.Sources[i])
	}
	for _, a := range s.Alerts {
		one := &alert{open: all.get(a.Open), ended: all.list(a.Ended), said: a.Said}
		e := one.open
		if e == nil {
			e = one.ended[0]
		}
		t.keep(alertKey{e.row.Source, e.row.Fingerprint}, one)
	}
	for _, i := range s.Incidents {
		t.incidents[i.Row.ID] = &incident{
			row: i.Row, first: all[i.First], shown: i.Shown, shownAt: i.ShownAt, wokenAt: i.WokenAt, wokenBy: all.get(i.WokenBy),
			services: map[string]int{}, severities: map[string]int{},
			overAt: i.OverAt, retired: i.Retired.restore(), retireAt: i.RetireAt, lost: i.Retired.Lost,
		}
		maps.Copy(t.incidents[i.Row.ID].services, t.incidents[i.Row.ID].retired.Services)
		maps.Copy(t.incidents[i.Row.ID].severities, t.incidents[i.Row.ID].retired.Severities)
		if i.Dirty {
			t.touchIncident(t.incidents[i.Row.ID])
		}
	}
	for i, e := range all {
		t.restoreMember(e, &s.Episodes[i])
	}
	for _, i := range s.Incidents {
		if t.incidents[i.Row.ID].rank = i.Rank; i.Rank {
			t.unranked = append(t.unranked, t.incidents[i.Row.ID])
		}
	}
	return nil
}

// restoreSource takes in what is remembered of a source. Its heartbeat is declared already.
func (t *tenant) restoreSource(s *savedSource) {
	one := t.source(s.Name)
	one.seen = s.Seen
	for _, service := range s.Services {
		one.services[service] = true
	}
	if b := one.beat; b != nil {
		b.heard, b.silent, b.since, b.row = s.Heard, s.Silent, s.Since, s.Row
		if s.Dirty {
			t.touchBeat(b)
		}
	}
}

// restoreMember puts e back into its incident, as it was counted there.
func (t *tenant) restoreMember(e *episode, s *savedEpisode) {
	if in := t.incidents[s.Incident]; in != nil {
		in.add(e)
		in.count(e, -1)
		e.counted = s.Counted
		in.count(e, 1)
	}
	if s.Dirty {
		e.dirty = true
		t.changedEpisodes = append(t.changedEpisodes, e)
	}
}

func (s *savedRetired) restore() retired {
	return retired{s.N, s.Lost, s.End, restoreCounts(s.Services), restoreCounts(s.Severities)}
}

func restoreCounts(saved []savedCount) map[string]int {
	counts := make(map[string]int, len(saved))
	for _, c := range saved {
		counts[c.Name] = c.N
	}
	return counts
}

// restored are the episodes of a snapshot by number.
type restored []*episode

func (r restored) get(i int) *episode {
	if i < 0 {
		return nil
	}
	return r[i]
}

func (r restored) list(numbers []int) []*episode {
	var list []*episode
	for _, i := range numbers {
		list = append(list, r[i])
	}
	return list
}

// check finds numbers that name nothing: a snapshot that is not ours.
func (s *savedTenant) check(episodes int) error {
	var wrong error
	see := func(what string, i, least, end int) {
		if wrong == nil && (i < least || i >= end) {
			wrong = fmt.Errorf("%s: no entry %d", what, i)
		}
	}
	for _, e := range s.Episodes {
		see("previous episode", e.Previous, -1, episodes)
		see("episode that an episode is fixed by", e.FixedIn, -1, episodes)
	}
	for _, a := range s.Alerts {
		see("open episode of an alert", a.Open, -1, episodes)
		for _, i := range a.Ended {
			see("ended episode of an alert", i, 0, episodes)
		}
		if a.Open < 0 && len(a.Ended) == 0 {
			return fmt.Errorf("an alert without episodes")
		}
	}
	for _, i := range s.Incidents {
		see("first episode of an incident", i.First, 0, episodes)
		see("waking episode of an incident", i.WokenBy, -1, episodes)
	}
	for _, one := range s.allStages() {
		for _, x := range one.Live {
			see("first episode of an explanation", x.First, 0, episodes)
		}
		for _, p := range one.Points {
			see("episode of a point", p.Episode, 0, episodes)
			see("owner of a point", p.Owner, -1, len(one.Live))
		}
	}
	for _, c := range s.Cells {
		for _, i := range c.Episodes {
			see("episode of a cell", i, 0, episodes)
		}
	}
	return wrong
}

// allStages are the stages, and the one that guesses go by.
func (s *savedTenant) allStages() []savedStage {
	if s.Decided == nil {
		return s.Stages
	}
	return append(slices.Clone(s.Stages), *s.Decided)
}

// restoreLine fills an empty line.
func (t *tenant) restoreLine(s *savedTenant, all restored) {
	l := t.line
	l.lastCell, l.unsettled = s.LastCell, s.Unsettled
	for _, c := range s.Cells {
		l.cells[c.Cell] = all.list(c.Episodes)
	}
	for _, c := range s.Changes {
		if l.changes == nil {
			l.changes = changes{}
		}
		l.changes[c.Service] = append(l.changes[c.Service], c)
	}
	for _, one := range s.Stages {
		l.stages = append(l.stages, l.restoreStage(one, all))
	}
	if s.Decided != nil {
		decided := l.restoreStage(*s.Decided, all)
		l.decided = &decided
	}
	l.known.restore(s.Names)
	if len(l.stages) > 0 {
		l.known.fold(l.summedUp())
	}
}

func (l *line) restoreStage(s savedStage, all restored) stage {
	out := stage{cell: s.Cell, habits: make(habits, len(s.Habits))}
	for _, h := range s.Habits {
		out.habits[h.Name] = h.Habit
	}
	for _, x := range s.Live {
		one := &explanation{
			root: l.intern(rootKey{x.Kind, x.Name, x.Value}), from: x.From, last: x.Last, first: all[x.First],
			fixed: x.Fixed, sum: x.Sum, onset: x.Onset, prior: x.Prior, expects: expectation{sites: x.Expects, shape: x.Shape, tells: x.Tells}, sites: map[*root]*felt{},
		}
		for _, f := range x.Sites {
			at := &felt{f.From, f.Last, f.N, f.Fixed, f.Onset, nil}
			for _, k := range f.Kinds {
				at.kinds = append(at.kinds, kind{l.intern(rootKey{rootAlert, k.Name, k.Value}), k.From})
			}
			one.sites[l.intern(rootKey{f.Kind, f.Name, f.Value})] = at
		}
		out.live = append(out.live, one)
	}
	for _, p := range s.Points {
		one := &point{episode: all[p.Episode], weight: p.Weight}
		if p.Owner >= 0 {
			one.owner, one.in = out.live[p.Owner], one.site
			if p.Far {
				one.in = one.far
			}
			one.slot, one.felt = len(one.owner.free), one.owner.sites[one.in]
			one.owner.free = append(one.owner.free, one)
		}
		out.points = append(out.points, one)
	}
	return out
}

func (k *knowledge) restore(names []savedName) {
	for _, n := range names {
		if n.Label == "" {
			k.sites.add(n.Site, n.Cell)
		} else {
			k.learnLabel(n.Label, pair{n.Value, n.Site}, n.Cell)
		}
	}
}
