package correlate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// snapshotFormat is raised when a snapshot of before can no longer be read.
const snapshotFormat = 3

// ErrSnapshotFormat says that another version of the program took the snapshot: the owner then folds
// the journal anew.
var ErrSnapshotFormat = errors.New("the snapshot of incidents is of another version")

// The saved types are the state of a fold as it is written: every pointer is an index,
// every map a sorted list. What can be computed from the rest is left out.
type (
	savedFold struct {
		Format    int           `json:"format"`
		Partition uint32        `json:"partition"`
		Config    Config        `json:"config"`
		Now       ingest.Millis `json:"now"`
		Steps     []Transition  `json:"steps,omitempty"`
		Tenants   []savedTenant `json:"tenants"`
	}
	savedTenant struct {
		Name      string          `json:"name"`
		Episodes  []savedEpisode  `json:"episodes"`
		Alerts    []savedAlert    `json:"alerts"`
		Incidents []savedIncident `json:"incidents"`
		Stages    []savedStage    `json:"stages"`
		Cells     []savedCell     `json:"cells"`
		Changes   []ingest.Change `json:"changes,omitempty"`
		Names     []savedName     `json:"names"`
		LastCell  int64           `json:"last_cell"`
		Unsettled bool            `json:"unsettled,omitempty"`
		Sources   []savedSource   `json:"sources,omitempty"`
		Past      []savedPastDay  `json:"past,omitempty"`
		TidyAt    ingest.Millis   `json:"tidy_at"`
		SettleAt  ingest.Millis   `json:"settle_at"`
		Waiting   int             `json:"waiting,omitempty"`
	}
	savedEpisode struct {
		Row      Episode       `json:"row"`
		At       ingest.Millis `json:"at"`
		LastSeen ingest.Millis `json:"last_seen"`
		Holds    ingest.Millis `json:"holds"`
		Said     ingest.Millis `json:"said"`
		Hidden   ingest.Millis `json:"hidden"`
		HiddenBy ingest.Millis `json:"hidden_by,omitempty"`
		Back     ingest.Millis `json:"back"`
		Told     ingest.Millis `json:"told"`
		ToldAt   ingest.Millis `json:"told_at"`
		Again    ingest.Millis `json:"again"`
		ClosedBy ingest.Millis `json:"closed_by"`
		Counted  EpisodeState  `json:"counted"`
		Incident string        `json:"incident"`
		Dirty    bool          `json:"dirty,omitempty"`
		Previous int           `json:"previous"` // -1 for none
		Resumes  ingest.Millis `json:"resumes"`
		FixedIn  int           `json:"fixed_in"` // -1 for none
	}
	savedSource struct {
		Name     string        `json:"name"`
		Services []string      `json:"services,omitempty"`
		Seen     ingest.Millis `json:"seen,omitempty"`
		Heard    ingest.Millis `json:"heard"`
		Silent   bool          `json:"silent,omitempty"`
		Since    ingest.Millis `json:"since"`
		Row      Incident      `json:"row"`
		Dirty    bool          `json:"dirty,omitempty"`
	}
	savedAlert struct {
		Open  int   `json:"open"` // -1 for none
		Ended []int `json:"ended,omitempty"`
	}
	savedIncident struct {
		Row      Incident      `json:"row"`
		First    int           `json:"first"`
		Shown    bool          `json:"shown"`
		WokenAt  ingest.Millis `json:"woken_at"`
		WokenBy  int           `json:"woken_by"` // -1 for none
		Dirty    bool          `json:"dirty,omitempty"`
		Rank     bool          `json:"rank,omitempty"`
		OverAt   ingest.Millis `json:"over_at"`
		Retired  retired       `json:"retired"`
		RetireAt int           `json:"retire_at,omitempty"`
	}
	savedStage struct {
		Cell   int64        `json:"cell"`
		Live   []savedLive  `json:"live,omitempty"`
		Points []savedPoint `json:"points,omitempty"`
		Habits habits       `json:"habits,omitempty"`
	}
	savedLive struct {
		Kind    rootKind      `json:"kind"`
		Name    string        `json:"name"`
		Value   string        `json:"value,omitempty"`
		From    ingest.Millis `json:"from"`
		Last    ingest.Millis `json:"last"`
		First   int           `json:"first"`
		Fixed   int           `json:"fixed,omitempty"`
		Sum     float64       `json:"sum,omitempty"`
		Onset   float64       `json:"onset,omitempty"`
		Sites   []savedSite   `json:"sites,omitempty"`
		Prior   float64       `json:"prior"`
		Expects float64       `json:"expects"`
		Shape   float64       `json:"shape"`
		Tells   float64       `json:"tells,omitempty"`
	}
	savedSite struct {
		Kind  rootKind      `json:"kind"`
		Name  string        `json:"name"`
		Value string        `json:"value,omitempty"`
		From  ingest.Millis `json:"from"`
		Last  ingest.Millis `json:"last"`
		N     int           `json:"n"`
		Fixed int           `json:"fixed,omitempty"`
		Onset float64       `json:"onset,omitempty"`
		Kinds []savedKind   `json:"kinds"`
	}
	savedKind struct {
		Name  string        `json:"name"`
		Value string        `json:"value"`
		From  ingest.Millis `json:"from"`
	}
	savedPoint struct {
		Episode int     `json:"episode"`
		Owner   int     `json:"owner"` // -1 for none
		Far     bool    `json:"far,omitempty"`
		Weight  float64 `json:"weight,omitempty"`
	}
	savedCell struct {
		Cell     int64 `json:"cell"`
		Episodes []int `json:"episodes"`
	}
	// savedName is a name that is known, and the cell in which it was first seen.
	savedName struct {
		What  string `json:"what"` // site, or of a label: value, service, pair
		Label string `json:"label,omitempty"`
		Value string `json:"value,omitempty"`
		Cell  int64  `json:"cell"`
	}
)

// Snapshot returns the whole state. A fold restored from it gives the same
// outputs from there on.
func (f *Fold) Snapshot() ([]byte, error) {
	s := savedFold{Format: snapshotFormat, Partition: f.partition, Config: f.config, Now: f.now, Steps: f.steps}
	for _, t := range f.ordered() {
		s.Tenants = append(s.Tenants, t.save())
	}
	return json.Marshal(s)
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
		Name: t.name, LastCell: l.lastCell, Unsettled: l.unsettled, SettleAt: t.settleAt, Waiting: t.waiting,
		Names: l.known.save(), Past: t.past.save(), TidyAt: t.tidyAt,
	}
	n := &numbering{of: map[*episode]int{}}
	keys := slices.SortedFunc(maps.Keys(t.alerts), compareAlerts)
	for _, key := range keys {
		a := t.alerts[key]
		s.Alerts = append(s.Alerts, savedAlert{n.number(a.open), n.numbers(a.ended)})
	}
	for _, id := range slices.Sorted(maps.Keys(t.incidents)) {
		i := t.incidents[id]
		s.Incidents = append(s.Incidents, savedIncident{
			Row: i.row, First: n.number(i.first), Shown: i.shown, WokenAt: i.wokenAt, WokenBy: n.number(i.wokenBy), Dirty: i.dirty,
			Rank: i.rank, OverAt: i.overAt, Retired: i.retired, RetireAt: i.retireAt,
		})
	}
	for _, one := range l.stages {
		s.Stages = append(s.Stages, one.save(n))
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
		Row: e.row, At: e.at, LastSeen: e.lastSeen, Holds: e.holds, Said: e.said, Hidden: e.hidden, HiddenBy: e.hiddenBy, Back: e.back, Told: e.told, ToldAt: e.toldAt, Again: e.again, ClosedBy: e.closedBy, Counted: e.counted, Dirty: e.dirty,
		Previous: n.number(e.previous), Resumes: e.resumes, FixedIn: n.number(e.fixedIn),
	}
	if e.incident != nil {
		s.Incident = e.incident.row.ID
	}
	return s
}

func (s *stage) save(n *numbering) savedStage {
	out := savedStage{Cell: s.cell, Habits: s.habits}
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
	list := func(f *firsts, what, label string) {
		for _, value := range slices.Sorted(maps.Keys(f.seen)) {
			names = append(names, savedName{what, label, value, f.seen[value]})
		}
	}
	list(&k.services, "site", "")
	for _, label := range slices.Sorted(maps.Keys(k.labels)) {
		list(&k.labels[label].values, "value", label)
		list(&k.labels[label].services, "service", label)
		list(&k.labels[label].pairs, "pair", label)
	}
	return names
}

// Restore replaces the state by one that Snapshot returned, or returns ErrSnapshotFormat. On an
// error the state stays as it was.
func (f *Fold) Restore(b []byte) error {
	var s savedFold
	err := json.Unmarshal(b, &s)
	if format := s.format(b, err); format != 0 && format != snapshotFormat {
		return fmt.Errorf("%w: %d, this program knows %d", ErrSnapshotFormat, format, snapshotFormat)
	}
	if err != nil {
		return fmt.Errorf("decode the snapshot of incidents: %w", err)
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
	for _, t := range f.ordered() {
		f.touch(t) // it may have had changes that were not flushed
	}
	f.rebuildTimers()
	return nil
}

// format returns the format of what s was decoded from, also where the rest of it could not be read.
func (s *savedFold) format(b []byte, err error) int {
	if err == nil {
		return s.Format
	}
	var only struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(b, &only) != nil {
		return 0
	}
	return only.Format
}
