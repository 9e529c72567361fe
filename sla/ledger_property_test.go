package sla

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// grain is the unit of time of random histories. Every bound is a multiple of it, and
// so is every change of the zones they are cut in.
const grain = 15 * ingest.Minute

// act is one thing that happens to a ledger.
type act struct {
	at        ingest.Millis
	configure *Config
	episodes  []correlate.Episode
	silences  []correlate.Silence
	windows   []ingest.Event
}

// history is a random sequence of acts.
type history struct {
	begin ingest.Millis
	end   ingest.Millis
	acts  []act
}

var historyZones = []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"}

// histories draws histories of a few days over the end of summer time in
// Berlin (25 October 2026), New York (1 November) or its beginning in Auckland (27 September).
func histories() *rapid.Generator[history] {
	return rapid.Custom(func(t *rapid.T) history {
		begins := []string{"2026-10-23T00:00:00Z", "2026-10-30T12:00:00Z", "2026-09-25T18:00:00Z"}
		begin, _ := time.Parse(time.RFC3339, rapid.SampledFrom(begins).Draw(t, "begin"))
		h := history{begin: ingest.MillisOf(begin)}
		days := rapid.IntRange(1, 5).Draw(t, "days")
		h.end = h.begin + ingest.Millis(days)*ingest.Day
		instants := func(label string) ingest.Millis {
			return h.begin + grain*ingest.Millis(rapid.IntRange(0, days*96).Draw(t, label))
		}
		for range rapid.IntRange(1, 4).Draw(t, "configurations") {
			c := configuration(t, h)
			h.acts = append(h.acts, act{at: instants("configured at"), configure: &c})
		}
		for k := range rapid.IntRange(0, 12).Draw(t, "episodes") {
			from := instants("from") - rapid.SampledFrom([]ingest.Millis{0, 0, 0, 2 * ingest.Day}).Draw(t, "earlier")
			for _, e := range updates(t, string(rune('a'+k)), from) {
				h.acts = append(h.acts, act{at: instants("told at"), episodes: []correlate.Episode{e}})
			}
		}
		for k := range rapid.IntRange(0, 3).Draw(t, "silences") {
			told := []ingest.Millis{instants("silent told at"), instants("watched told at"), instants("heard told at")}
			slices.Sort(told)
			for n, s := range silence(t, string(rune('p'+k)), instants("silent from")) {
				h.acts = append(h.acts, act{at: told[n], silences: []correlate.Silence{s}})
			}
		}
		for range rapid.IntRange(0, 8).Draw(t, "windows") {
			h.acts = append(h.acts, act{at: instants("window told at"), windows: []ingest.Event{sent(t, h)}})
		}
		slices.SortStableFunc(h.acts, func(a, b act) int { return int(a.at - b.at) })
		inOrder(h.acts)
		return h
	})
}

// sent draws what is told of one of a few maintenance windows, which may have begun or ended.
func sent(t *rapid.T, h history) ingest.Event {
	from := h.begin + grain*ingest.Millis(rapid.IntRange(-192, 400).Draw(t, "sent from"))
	return ingest.Event{Source: rapid.SampledFrom([]string{"itsm", "ci"}).Draw(t, "sent by"), Maintenance: &ingest.Maintenance{
		ID:        rapid.SampledFrom([]string{"1", "2"}).Draw(t, "window"),
		Service:   rapid.SampledFrom([]string{"shop", "shop", "cart", "elsewhere"}).Draw(t, "window of"),
		From:      from,
		To:        from + grain*ingest.Millis(rapid.IntRange(1, 60).Draw(t, "sent for")),
		Cancelled: rapid.IntRange(0, 3).Draw(t, "cancelled") == 0,
	}}
}

// silence draws what is told of one silence of a source: it lasts, may turn out to concern other services, and may end.
func silence(t *rapid.T, source string, from ingest.Millis) []correlate.Silence {
	lists := rapid.SampledFrom([][]string{{"shop"}, {"cart", "shop"}, {"cart", "elsewhere", "shop"}, {"elsewhere"}, nil})
	one := correlate.Silence{Tenant: ingest.DefaultTenant, Source: source, Services: lists.Draw(t, "watches"), From: from}
	all := []correlate.Silence{one}
	if rapid.Bool().Draw(t, "watches others") {
		one.Services = lists.Draw(t, "watches then")
		all = append(all, one)
	}
	if rapid.Bool().Draw(t, "heard again") {
		one.Services = lists.Draw(t, "watched in the end")
		one.To = from + grain*ingest.Millis(rapid.IntRange(0, 150).Draw(t, "silent for"))
		all = append(all, one)
	}
	return all
}

// updates draws what is told of one episode, in order: it fires, may fall silent, may end, may
// be opened again and end later.
func updates(t *rapid.T, name string, from ingest.Millis) []correlate.Episode {
	service := rapid.SampledFrom([]string{"shop", "shop", "cart", "elsewhere", ""}).Draw(t, "service")
	severity := rapid.SampledFrom([]string{"critical", "page", "warning", "info"}).Draw(t, "severity")
	length := func() ingest.Millis { return grain * ingest.Millis(rapid.IntRange(0, 150).Draw(t, "length")) }
	var all []correlate.Episode
	until := from
	for range rapid.IntRange(1, 4).Draw(t, "updates") {
		switch rapid.SampledFrom([]string{"firing", "silent", "resolved", "lost", "again"}).Draw(t, "state") {
		case "firing":
			all = append(all, episode(name, service, severity, from, 0))
		case "silent":
			until += length()
			all = append(all, unknownSince(episode(name, service, severity, from, 0), until))
		case "resolved":
			until += length()
			all = append(all, episode(name, service, severity, from, until))
		case "lost":
			until += length()
			e := unknownSince(episode(name, service, severity, from, 0), until)
			e.EndsAt = until + length()
			all = append(all, e)
		case "again":
			if len(all) > 0 {
				all = append(all, all[len(all)-1])
			}
		}
	}
	return all
}

// inOrder gives the acts of each episode the order of what they tell.
func inOrder(acts []act) {
	// Sorting by time was stable, so acts of one key at one time are in order;
	// those at different times are put in order by handing out the times anew.
	rank := func(e correlate.Episode) ingest.Millis { return e.End() }
	for i := range acts {
		for j := i + 1; j < len(acts); j++ {
			a, b := acts[i].episodes, acts[j].episodes
			if len(a) == 1 && len(b) == 1 && a[0].EpisodeKey == b[0].EpisodeKey && rank(b[0]) != 0 && rank(a[0]) > rank(b[0]) {
				acts[i].episodes, acts[j].episodes = b, a
			}
		}
	}
}

func configuration(t *rapid.T, h history) Config {
	c := Config{Zone: rapid.SampledFrom(historyZones).Draw(t, "root zone")}
	c.Calendars = []Calendar{{
		Name: "office", Zone: rapid.SampledFrom(historyZones).Draw(t, "calendar's zone"),
		Hours:    []Hours{{Weekdays: []int{0, 1, 2, 3, 4, 5}, From: 60 * rapid.IntRange(0, 9).Draw(t, "opens"), To: 60 * rapid.IntRange(10, 24).Draw(t, "closes")}},
		Holidays: []string{rapid.SampledFrom([]string{"2026-10-25", "2026-10-31", "2026-09-26"}).Draw(t, "holiday")},
	}}
	for _, name := range rapid.SampledFrom([][]string{{"shop", "cart"}, {"shop"}, {"cart"}, {"shop"}}).Draw(t, "services") {
		s := ServiceLevels{Name: name, Agreements: []Agreement{
			{Name: "gold", Calendar: "office", Zone: rapid.SampledFrom(historyZones).Draw(t, "zone"), Objective: .99},
			{Name: "basic", Zone: "Europe/Berlin", Policy: Policy{Preset: "icinga"}},
		}}
		for range rapid.IntRange(0, 3).Draw(t, "maintenance") {
			from := h.begin + grain*ingest.Millis(rapid.IntRange(-96, 400).Draw(t, "maintained from"))
			s.Maintenance = append(s.Maintenance, Maintenance{From: int64(from), To: int64(from + grain*ingest.Millis(rapid.IntRange(0, 40).Draw(t, "for")))})
		}
		c.Services = append(c.Services, s)
	}
	return c
}

// run folds a history and returns its rows.
func run(t *rapid.T, h history, between func(l *Ledger, next ingest.Millis) *Ledger) Output {
	l := NewLedger()
	var all Output
	collect := func() {
		out := l.Flush()
		all.Ledger = append(all.Ledger, out.Ledger...)
		all.Segments = append(all.Segments, out.Segments...)
	}
	for _, a := range append(slices.Clone(h.acts), act{at: h.end}) {
		if between != nil {
			l = between(l, a.at)
			collect()
		}
		l.Advance(a.at)
		if a.configure != nil {
			if err := l.Configure(a.at, *a.configure); err != nil {
				t.Fatal(err)
			}
		}
		for _, w := range a.windows {
			l.Maintain(w)
		}
		l.Apply(a.episodes)
		l.Silence(a.silences)
		collect()
	}
	return all
}

// model answers for one instant at a time, from nothing but the acts.
type model struct {
	history
	final    Config
	episodes map[correlate.EpisodeKey]correlate.Episode
	silences map[string]correlate.Silence     // by source
	windows  map[[2]string]ingest.Maintenance // by source and id: as told last
}

func newModel(h history) model {
	m := model{history: h, episodes: make(map[correlate.EpisodeKey]correlate.Episode), silences: make(map[string]correlate.Silence)}
	for _, a := range h.acts {
		if a.configure != nil {
			m.final = *a.configure
		}
		for _, e := range a.episodes {
			m.episodes[e.EpisodeKey] = e
		}
		for _, s := range a.silences {
			m.silences[s.Source] = s
		}
	}
	m.windows = toldLast(h.acts)
	return m
}

// toldLast returns what was told last of each window, by source and id. What was told in the same words within
// five minutes before is a copy.
func toldLast(acts []act) map[[2]string]ingest.Maintenance {
	type telling struct {
		key  [2]string
		what ingest.Maintenance
		at   ingest.Millis
	}
	var told []telling
	last := make(map[[2]string]ingest.Maintenance)
	for _, a := range acts {
		for _, e := range a.windows {
			next := telling{[2]string{e.Source, e.Maintenance.ID}, *e.Maintenance, a.at}
			if !slices.ContainsFunc(told, func(t telling) bool { return t.key == next.key && t.what == next.what && t.at >= a.at-5*ingest.Minute }) {
				told, last[next.key] = append(told, next), next.what
			}
		}
	}
	return last
}

// last returns the last configuration that named a service, and whether it is the last of all.
func (m model) last(service string) (levels ServiceLevels, of Config, ok bool) {
	for _, a := range m.acts {
		if a.configure == nil {
			continue
		}
		for _, s := range a.configure.Services {
			if s.Name == service {
				levels, of, ok = s, *a.configure, true
			}
		}
	}
	return levels, of, ok
}

// configured says whether the service was in the configuration at t, and whether it
// had been before.
func (m model) configured(service string, t ingest.Millis) (now, ever bool) {
	for _, a := range m.acts {
		if a.configure == nil || a.at > t {
			continue
		}
		now = false
		for _, s := range a.configure.Services {
			now = now || s.Name == service
		}
		ever = ever || now
	}
	return now, ever
}

func (m model) state(service string, t ingest.Millis) (State, bool) {
	worst := Up
	order := []State{Up, Degraded, Unknown, Down}
	worsen := func(s State) {
		if slices.Index(order, s) > slices.Index(order, worst) {
			worst = s
		}
	}
	for _, e := range m.episodes {
		impact := map[string]State{"critical": Down, "page": Down, "warning": Degraded}[e.Severity]
		if e.Service != service || impact == "" || t < e.StartsAt {
			continue
		}
		if end := e.End(); end == 0 || t < end {
			worsen(impact)
		} else if e.State == correlate.Unknown && (e.EndsAt == 0 || t < e.EndsAt) {
			worsen(Unknown)
		}
	}
	for _, s := range m.silences {
		if slices.Contains(s.Services, service) && s.From <= t && (s.To == 0 || t < s.To) {
			worsen(Unknown)
		}
	}
	now, ever := m.configured(service, t)
	if now || !ever && worst != Up {
		return worst, true
	}
	return Unknown, false
}

func (m model) bucket(levels ServiceLevels, c Config, a Agreement, t ingest.Millis, state State) Bucket {
	if a.Calendar != "" {
		calendar := c.Calendars[0]
		loc, _ := time.LoadLocation(calendar.Zone)
		local := t.Time().In(loc)
		minute := 60*local.Hour() + local.Minute()
		hours := calendar.Hours[0]
		if !slices.Contains(hours.Weekdays, int(local.Weekday())) || local.Format(time.DateOnly) == calendar.Holidays[0] ||
			minute < hours.From || minute >= hours.To {
			return OutOfHoursBucket
		}
	}
	for _, w := range levels.Maintenance {
		if w.From <= int64(t) && int64(t) < w.To {
			return MaintenanceBucket
		}
	}
	for _, w := range m.windows {
		if w.Service == levels.Name && !w.Cancelled && w.From <= t && t < w.To {
			return MaintenanceBucket
		}
	}
	return Bucket(state)
}

// grains returns what every grain of time belongs to under an agreement of a service of the
// default tenant, by its begin: only days in which the service was watched.
func (m model) grains(service string, a Agreement) map[ingest.Millis]cell {
	levels, c, ok := m.last(service)
	if !ok {
		return nil
	}
	zone := a.Zone
	if zone == "" {
		zone = m.final.Zone // a service that went keeps the zone that it had
		if now, _ := m.configured(service, m.end); !now {
			zone = c.Zone
		}
	}
	loc, _ := time.LoadLocation(zone)
	date := func(t ingest.Millis) string { return t.Time().In(loc).Format(time.DateOnly) }
	today := date(m.end)
	watched := make(map[string]bool)
	cells := make(map[ingest.Millis]cell)
	for t := m.begin - 5*ingest.Day; date(t) <= today; t += grain {
		state, ok := m.state(service, t)
		watched[date(t)] = watched[date(t)] || ok
		cells[t] = cell{m.bucket(levels, c, a, t, state), state}
	}
	for t := range cells {
		if !watched[date(t)] {
			delete(cells, t)
		}
	}
	return cells
}

// ledgerGrains is grains for the ledger: states that are not up, or covered.
func (m model) ledgerGrains(service string, covered bool) map[ingest.Millis]cell {
	cells := make(map[ingest.Millis]cell)
	if _, _, ok := m.last(service); !ok {
		return cells
	}
	until := m.end - m.end%ingest.Day + ingest.Day
	for t := m.begin - 5*ingest.Day; t < until; t += grain {
		state, ok := m.state(service, t)
		if ok && covered {
			cells[t] = cell{state: Covered}
		} else if ok && state != Up {
			cells[t] = cell{state: state}
		}
	}
	return cells
}

// spread lays the net rows out on grains. Two rows over one grain, a row that is there
// other than once, and two rows of one cell that touch within a day are failures.
func spread(t *rapid.T, rows map[Interval]map[cell]int, loc *time.Location) map[ingest.Millis]cell {
	cells := make(map[ingest.Millis]cell)
	for i, byCell := range rows {
		for c, n := range byCell {
			if n == 0 {
				continue
			}
			if n != 1 {
				t.Fatalf("%v from %s to %s is there %d times", c, i.From, i.To, n)
			}
			if d := MidnightAfter(i.From, loc); i.To > d {
				t.Fatalf("the row from %s to %s lies over midnight", i.From, i.To)
			}
			for at := i.From; at < i.To; at += grain {
				if was, ok := cells[at]; ok {
					t.Fatalf("%s is both %v and %v", at, was, c)
				}
				cells[at] = c
			}
			for other, byCell := range rows {
				if other.From == i.To && byCell[c] == 1 && MidnightAfter(i.To-1, loc) != i.To {
					t.Fatalf("%v from %s to %s goes on to %s", c, i.From, i.To, other.To)
				}
			}
		}
	}
	return cells
}

func count(rows map[Interval]map[cell]int, i Interval, c cell, sign int8) {
	if rows[i] == nil {
		rows[i] = make(map[cell]int)
	}
	rows[i][c] += int(sign)
}

// Law 3 and law 5 for the ledger: whatever the order in which episodes and configurations came,
// what the signed rows leave is what every instant by itself says.
func TestRowsAreWhatEveryInstantByItselfSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories().Draw(t, "history")
		out, m := run(t, h, nil), newModel(h)
		for _, service := range []string{"shop", "cart", "elsewhere"} {
			for _, covered := range []bool{false, true} {
				rows := make(map[Interval]map[cell]int)
				for _, r := range out.Ledger {
					if r.Service == service && (r.State == Covered) == covered {
						count(rows, Interval{r.From, r.To}, cell{state: r.State}, r.Sign)
					}
				}
				if diff := differ(m.ledgerGrains(service, covered), spread(t, rows, time.UTC)); diff != "" {
					t.Fatalf("ledger of %s, covered %v: %s", service, covered, diff)
				}
			}
			levels, c, ok := m.last(service)
			for _, a := range append(slices.Clone(levels.Agreements), Agreement{}) {
				rows := make(map[Interval]map[cell]int)
				for _, r := range out.Segments {
					if r.Service == service && r.Agreement == a.Name {
						count(rows, Interval{r.From, r.To}, cell{r.Bucket, r.State}, r.Sign)
					}
				}
				zone := a.Zone
				if zone == "" {
					zone = m.final.Zone
					if now, _ := m.configured(service, m.end); ok && !now {
						zone = c.Zone
					}
				}
				loc, _ := time.LoadLocation(zone)
				want := m.grains(service, a)
				if diff := differ(want, spread(t, rows, loc)); diff != "" {
					t.Fatalf("segments of %s under %q: %s", service, a.Name, diff)
				}
			}
		}
	})
}

// Law 2: a journal without its ticks gives the same rows, recorded at the same times.
func TestTicksChangeNoRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories().Draw(t, "history")
		ticking := func(l *Ledger, next ingest.Millis) *Ledger {
			for {
				due, ok := l.NextTimer()
				if !ok || due > next || !rapid.Bool().Draw(t, "tick") {
					return l
				}
				l.Advance(due)
			}
		}
		if diff := cmp.Diff(run(t, h, nil), run(t, h, ticking)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestARestoredLedgerGoesOnAsTheOneItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories().Draw(t, "history")
		restoring := func(l *Ledger, _ ingest.Millis) *Ledger {
			if !rapid.Bool().Draw(t, "restart") {
				return l
			}
			saved, err := l.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			other := NewLedger()
			if err := other.Restore(saved); err != nil {
				t.Fatal(err)
			}
			a, okA := l.NextTimer()
			if b, okB := other.NextTimer(); a != b || okA != okB {
				t.Fatalf("timer %s, %v after the restart; %s, %v before", b, okB, a, okA)
			}
			return other
		}
		if diff := cmp.Diff(run(t, h, nil), run(t, h, restoring)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Law 3: copies, and another order of arrival, leave the same rows.
func TestCopiesAndOrderLeaveTheSameRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := histories().Draw(t, "history")
		other := h
		other.acts = nil
		var told []correlate.Episode
		for _, a := range h.acts {
			if a.windows != nil {
				late := ingest.Millis(rapid.Int64Range(0, int64(5*ingest.Minute)).Draw(t, "copy comes late by"))
				other.acts = append(other.acts, act{at: a.at + late, windows: a.windows})
			}
			if a.configure != nil || a.silences != nil || a.windows != nil {
				other.acts = append(other.acts, a)
			} else {
				told = append(told, a.episodes...)
			}
		}
		// The same episodes, as they are in the end, in another order and more than once.
		final := newModel(h).episodes
		slices.SortFunc(told, func(a, b correlate.Episode) int { return compareKeys(a.EpisodeKey, b.EpisodeKey) })
		for _, k := range rapid.Permutation(indices(len(told))).Draw(t, "order") {
			when := h.begin + grain*ingest.Millis(rapid.IntRange(0, int((h.end-h.begin)/grain)).Draw(t, "told at"))
			other.acts = append(other.acts, act{at: when, episodes: []correlate.Episode{final[told[k].EpisodeKey]}})
		}
		slices.SortStableFunc(other.acts, func(a, b act) int { return int(a.at - b.at) })
		a, b := run(t, h, nil), run(t, other, nil)
		if diff := cmp.Diff(net(t, a.Segments, a.Ledger), net(t, b.Segments, b.Ledger)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// differ returns the first grain that differs, "" where none does.
func differ(want, got map[ingest.Millis]cell) string {
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, t := range slices.Sorted(maps.Keys(all)) {
		if want[t] != got[t] {
			return fmt.Sprintf("%s is %q, want %q", t, got[t], want[t])
		}
	}
	return ""
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestASnapshotThatIsNoneIsRefused(t *testing.T) {
	l := NewLedger()
	if err := l.Restore([]byte("not a snapshot")); err == nil {
		t.Error("it is taken")
	}
	if err := l.Configure(1, shop()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Snapshot(); err == nil {
		t.Error("a ledger with rows that were not flushed gives a snapshot")
	}
}
