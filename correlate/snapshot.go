package correlate

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// snapshotFormat is raised when a snapshot of before can no longer be read.
const snapshotFormat = 6

// ErrSnapshotFormat says that another version of the program took the snapshot: the owner then folds
// the journal anew.
var ErrSnapshotFormat = errors.New("the snapshot of incidents is of another version")

// The saved types are the state of a fold as it is written: every pointer is an index,
// every map a sorted list. What can be computed from the rest is left out.
type (
	savedFold struct {
		Partition uint32
		Config    Config
		Now       ingest.Millis
		Steps     []Transition
		Tenants   []savedTenant
	}
	savedTenant struct {
		Name      string
		Touched   bool // there may be changes that were not flushed
		Episodes  []savedEpisode
		Alerts    []savedAlert
		Incidents []savedIncident
		Stages    []savedStage
		Decided   *savedStage
		Cells     []savedCell
		Changes   []ingest.Change
		Names     []savedName
		LastCell  int64
		Unsettled bool
		Sources   []savedSource
		Past      []savedPastDay
		TidyAt    ingest.Millis
		SettleAt  ingest.Millis
		Waiting   int
	}
	savedEpisode struct {
		Row      Episode
		At       ingest.Millis
		LastSeen ingest.Millis
		Holds    ingest.Millis
		Said     ingest.Millis
		Hidden   ingest.Millis
		HiddenBy ingest.Millis
		Back     ingest.Millis
		Told     ingest.Millis
		ToldAt   ingest.Millis
		Ahead    ingest.Millis
		Again    ingest.Millis
		ClosedBy ingest.Millis
		Counted  EpisodeState
		Incident string
		Dirty    bool
		Previous int // -1 for none
		Resumes  ingest.Millis
		FixedIn  int // -1 for none
	}
	savedSource struct {
		Name     string
		Services []string
		Seen     ingest.Millis
		Heard    ingest.Millis
		Silent   bool
		Since    ingest.Millis
		Row      Incident
		Dirty    bool
	}
	savedAlert struct {
		Open  int // -1 for none
		Ended []int
		Said  saidLately
	}
	savedIncident struct {
		Row      Incident
		First    int
		Shown    bool
		ShownAt  ingest.Millis
		WokenAt  ingest.Millis
		WokenBy  int // -1 for none
		Dirty    bool
		Rank     bool
		OverAt   ingest.Millis
		Retired  savedRetired
		RetireAt int
	}
	savedRetired struct {
		N, Lost              int
		End                  ingest.Millis
		Services, Severities []savedCount
	}
	savedCount struct {
		Name string
		N    int
	}
	savedHabit struct {
		Name  string
		Habit habit
	}
	savedStage struct {
		Cell   int64
		Live   []savedLive
		Points []savedPoint
		Habits []savedHabit
	}
	savedLive struct {
		Kind    rootKind
		Name    string
		Value   string
		From    ingest.Millis
		Last    ingest.Millis
		First   int
		Fixed   int
		Sum     float64
		Onset   float64
		Sites   []savedSite
		Prior   float64
		Expects float64
		Shape   float64
		Tells   float64
	}
	savedSite struct {
		Kind  rootKind
		Name  string
		Value string
		From  ingest.Millis
		Last  ingest.Millis
		N     int
		Fixed int
		Onset float64
		Kinds []savedKind
	}
	savedKind struct {
		Name  string
		Value string
		From  ingest.Millis
	}
	savedPoint struct {
		Episode int
		Owner   int // -1 for none
		Far     bool
		Weight  float64
	}
	savedCell struct {
		Cell     int64
		Episodes []int
	}
	// savedName is a site that is known, or a value of a label at a site, and the cell in which it was first seen.
	savedName struct {
		Label, Value string // "" of a site alone
		Site         string
		Cell         int64
	}
)

// Snapshot returns the whole state. A fold restored from it gives the same
// outputs from there on.
func (f *Fold) Snapshot() ([]byte, error) {
	s := savedFold{Partition: f.partition, Config: f.config, Now: f.now, Steps: f.steps}
	for _, t := range f.ordered() {
		s.Tenants = append(s.Tenants, t.save())
	}
	var b bytes.Buffer
	e := gob.NewEncoder(&b)
	if err := errors.Join(e.Encode(snapshotFormat), e.Encode(s)); err != nil {
		return nil, fmt.Errorf("encode the snapshot of incidents: %w", err)
	}
	return b.Bytes(), nil
}

// numbering gives every episode of a tenant a number.
type numbering struct {
	list []*episode
	of   map[*episode]int
}

func (n *numbering) number(e *episode) int {
	if e == nil {
		return -1
	}
	i, ok := n.of[e]
	if !ok {
		i = len(n.list)
		n.of[e] = i
		n.list = append(n.list, e)
	}
	return i
}

func (n *numbering) numbers(list []*episode) []int {
	numbers := make([]int, len(list))
	for i, e := range list {
		numbers[i] = n.number(e)
	}
	return numbers
}

func (t *tenant) save() savedTenant {
	l := t.line
	s := savedTenant{
		Name: t.name, Touched: t.touched, LastCell: l.lastCell, Unsettled: l.unsettled, SettleAt: t.settleAt, Waiting: t.waiting,
		Names: l.known.save(), Past: t.past.save(), TidyAt: t.tidyAt,
	}
	n := &numbering{of: map[*episode]int{}}
	keys := slices.SortedFunc(maps.Keys(t.alerts), compareAlerts)
	for _, key := range keys {
		a := t.alerts[key]
		s.Alerts = append(s.Alerts, savedAlert{n.number(a.open), n.numbers(a.ended), a.said})
	}
	for _, id := range slices.Sorted(maps.Keys(t.incidents)) {
		i := t.incidents[id]
		s.Incidents = append(s.Incidents, savedIncident{
			Row: i.row, First: n.number(i.first), Shown: i.shown, ShownAt: i.shownAt, WokenAt: i.wokenAt, WokenBy: n.number(i.wokenBy), Dirty: i.dirty,
			Rank: i.rank, OverAt: i.overAt, Retired: i.retired.save(), RetireAt: i.retireAt,
		})
	}
	for _, one := range l.stages {
		s.Stages = append(s.Stages, one.save(n))
	}
	if l.decided != nil {
		decided := l.decided.save(n)
		s.Decided = &decided
	}
	for _, c := range slices.Sorted(maps.Keys(l.cells)) {
		s.Cells = append(s.Cells, savedCell{c, n.numbers(l.cells[c])})
	}
	for _, service := range slices.Sorted(maps.Keys(l.changes)) {
		s.Changes = append(s.Changes, l.changes[service]...)
	}
	for _, name := range slices.Sorted(maps.Keys(t.sources)) {
		s.Sources = append(s.Sources, t.sources[name].save())
	}
	for i := 0; i < len(n.list); i++ { // numbering the episodes before may add to the list
		s.Episodes = append(s.Episodes, n.list[i].save(n))
	}
	return s
}

func (s *source) save() savedSource {
	saved := savedSource{Name: s.name, Services: slices.Sorted(maps.Keys(s.services)), Seen: s.seen}
	if b := s.beat; b != nil {
		saved.Heard, saved.Silent, saved.Since, saved.Row, saved.Dirty = b.heard, b.silent, b.since, b.row, b.dirty
	}
	return saved
}

func (e *episode) save(n *numbering) savedEpisode {
	s := savedEpisode{
		Row: e.row, At: e.at, LastSeen: e.lastSeen, Holds: e.holds, Said: e.said, Hidden: e.hidden, HiddenBy: e.hiddenBy, Back: e.back, Told: e.told, ToldAt: e.toldAt, Ahead: e.ahead, Again: e.again, ClosedBy: e.closedBy, Counted: e.counted, Dirty: e.dirty,
		Previous: n.number(e.previous), Resumes: e.resumes, FixedIn: n.number(e.fixedIn),
	}
	if e.incident != nil {
		s.Incident = e.incident.row.ID
	}
	return s
}

func (s *stage) save(n *numbering) savedStage {
	out := savedStage{Cell: s.cell, Habits: s.habits.save()}
	owner := map[*explanation]int{}
	for i, x := range s.live {
		owner[x] = i
		out.Live = append(out.Live, savedLive{
			x.root.kind, x.root.name, x.root.value, x.from, x.last, n.number(x.first),
			x.fixed, x.sum, x.onset, x.saveSites(), x.prior, x.expects.sites, x.expects.shape, x.expects.tells,
		})
	}
	for _, p := range s.points {
		i, ok := owner[p.owner]
		if !ok {
			i = -1
		}
		out.Points = append(out.Points, savedPoint{n.number(p.episode), i, p.in != nil && p.in == p.far, p.weight})
	}
	return out
}

func (h habits) save() []savedHabit {
	var saved []savedHabit
	for _, name := range slices.Sorted(maps.Keys(h)) {
		saved = append(saved, savedHabit{name, h[name]})
	}
	return saved
}

func (r *retired) save() savedRetired {
	return savedRetired{r.N, r.Lost, r.End, saveCounts(r.Services), saveCounts(r.Severities)}
}

func saveCounts(counts map[string]int) []savedCount {
	var saved []savedCount
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		saved = append(saved, savedCount{name, counts[name]})
	}
	return saved
}

func (x *explanation) saveSites() []savedSite {
	var sites []savedSite
	for _, r := range slices.SortedFunc(maps.Keys(x.sites), func(a, b *root) int { return compareRoots(a.rootKey, b.rootKey) }) {
		f := x.sites[r]
		one := savedSite{r.kind, r.name, r.value, f.from, f.last, f.n, f.fixed, f.onset, nil}
		for _, k := range f.kinds {
			one.Kinds = append(one.Kinds, savedKind{k.alert.name, k.alert.value, k.from})
		}
		sites = append(sites, one)
	}
	return sites
}

func (k *knowledge) save() []savedName {
	var names []savedName
	for _, site := range slices.Sorted(maps.Keys(k.sites.seen)) {
		names = append(names, savedName{Site: site, Cell: k.sites.seen[site]})
	}
	for _, label := range slices.Sorted(maps.Keys(k.labels)) {
		pairs := &k.labels[label].pairs
		for _, p := range slices.SortedFunc(maps.Keys(pairs.seen), comparePairs) {
			names = append(names, savedName{label, p.value, p.site, pairs.seen[p]})
		}
	}
	return names
}

// Restore replaces the state by one that Snapshot returned, or returns ErrSnapshotFormat. On an
// error the state stays as it was.
func (f *Fold) Restore(b []byte) error {
	s, err := decodeSnapshot(b)
	if err != nil {
		return err
	}
	if s.Partition != f.partition {
		return fmt.Errorf("the snapshot of incidents is of partition %d, not %d", s.Partition, f.partition)
	}
	g := New(s.Partition)
	g.shared = f.shared
	if err := g.Configure(s.Config); err != nil {
		return fmt.Errorf("restore the snapshot of incidents: %w", err)
	}
	g.now, g.steps = s.Now, s.Steps
	for i := range s.Tenants {
		if err := g.tenant(s.Tenants[i].Name).restore(&s.Tenants[i]); err != nil {
			return fmt.Errorf("restore the snapshot of incidents, tenant %s: %w", s.Tenants[i].Name, err)
		}
	}
	for _, t := range g.tenants {
		t.fold = f
	}
	*f = *g
	f.touched = nil
	for _, t := range f.tenants {
		t.touched = false
	}
	for i := range s.Tenants { // and no other: a row that is put off is put off after a restart, too
		if s.Tenants[i].Touched {
			f.touch(f.tenants[s.Tenants[i].Name])
		}
	}
	f.rebuildTimers()
	return nil
}

// decodeSnapshot looks at the format first: what follows may have any shape in another one.
func decodeSnapshot(b []byte) (s savedFold, err error) {
	d := gob.NewDecoder(bytes.NewReader(b))
	format := 0
	if bytes.HasPrefix(b, []byte("{")) { // it was JSON up to format 4
		return s, fmt.Errorf("%w: this program knows %d", ErrSnapshotFormat, snapshotFormat)
	}
	if err := d.Decode(&format); err != nil {
		return s, fmt.Errorf("decode the snapshot of incidents: %w", err)
	}
	if format != snapshotFormat {
		return s, fmt.Errorf("%w: %d, this program knows %d", ErrSnapshotFormat, format, snapshotFormat)
	}
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("decode the snapshot of incidents: %w", err)
	}
	return s, nil
}
