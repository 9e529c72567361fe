package sla

import (
	"bytes"
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// snapshotVersion is the form of a snapshot.
const snapshotVersion = 4

// ErrSnapshotVersion says that another version of the program took the snapshot: the owner then
// folds the journal anew.
var ErrSnapshotVersion = errors.New("the snapshot of the ledger is of another version")

// snapshot is the whole state as it is written. Lists are sorted, and refer to
// each other by index.
type snapshot struct {
	Version   int
	Now       ingest.Millis
	Rules     []ImpactRule
	Calendars []Calendar
	Services  []savedService
	Series    []savedSeries
	Episodes  []savedEpisode
	Silences  []savedSilence
	Windows   []savedWindow
}

type savedService struct {
	Name       string
	Present    bool
	Rules      []ImpactRule
	Since      ingest.Millis
	Cover      Set
	Planned    Set
	Agreements []savedAgreement
}

type savedAgreement struct {
	Name, Zone   string
	Calendar     int // 1 is the first; 0 is none
	Since, Until ingest.Millis
}

type savedSeries struct {
	Tenant, Service string
	At              []int64 // of steps, each after the first as the distance to the one before
	N               []int32 // three a step
}

type savedEpisode struct {
	Key     correlate.EpisodeKey
	Series  int
	Impact  uint8
	Pieces  [2]Interval // of the impact, and unknown
	Done    bool
	Touched ingest.Millis
}

type savedSilence struct {
	Source   string
	Series   int
	From, To ingest.Millis // To is Forever while it lasts
	Touched  ingest.Millis
}

type savedWindow struct {
	Tenant, Source, ID, Service string
	From, To                    ingest.Millis
	Told                        []savedTelling // the last is what holds
}

type savedTelling struct {
	Words [16]byte
	At    ingest.Millis
}

// Snapshot returns the whole state. It is taken after a Flush: rows that were not
// flushed are not in it.
func (l *Ledger) Snapshot() ([]byte, error) {
	if len(l.changes)+len(l.out.Ledger)+len(l.out.Segments) > 0 {
		return nil, errors.New("snapshot of the ledger: it has rows that were not flushed")
	}
	s := snapshot{Version: snapshotVersion, Now: l.now, Rules: l.source}
	l.saveServices(&s)
	index := l.saveSeries(&s)
	l.saveEpisodes(&s, index)
	l.saveSilences(&s, index)
	l.saveWindows(&s)
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(&s); err != nil {
		return nil, fmt.Errorf("snapshot of the ledger: %w", err)
	}
	return b.Bytes(), nil
}

func (l *Ledger) saveServices(s *snapshot) {
	index := make(map[string]int, len(l.hours))
	for _, key := range slices.Sorted(maps.Keys(l.hours)) {
		s.Calendars = append(s.Calendars, l.hours[key].calendar)
		index[key] = len(s.Calendars)
	}
	for _, name := range slices.Sorted(maps.Keys(l.services)) {
		of := l.services[name]
		saved := savedService{Name: name, Present: of.present, Rules: of.rules, Since: of.since, Cover: of.cover, Planned: of.planned}
		for _, a := range of.agreements {
			one := savedAgreement{Name: a.name, Zone: a.zone.name, Since: a.since, Until: a.until}
			if a.hours != nil {
				one.Calendar = index[a.hours.key]
			}
			saved.Agreements = append(saved.Agreements, one)
		}
		s.Services = append(s.Services, saved)
	}
}

// saveSeries returns the index of each series.
func (l *Ledger) saveSeries(s *snapshot) map[seriesKey]int {
	keys := slices.SortedFunc(maps.Keys(l.series), func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.service, b.service))
	})
	index := make(map[seriesKey]int, len(keys))
	for i, key := range keys {
		index[key] = i
		saved := savedSeries{Tenant: key.tenant, Service: key.service}
		var last int64
		for _, step := range l.series[key].line {
			saved.At = append(saved.At, int64(step.at)-last)
			saved.N = append(saved.N, step.n[:]...)
			last = int64(step.at)
		}
		s.Series = append(s.Series, saved)
	}
	return index
}

func (l *Ledger) saveEpisodes(s *snapshot, index map[seriesKey]int) {
	for _, key := range slices.SortedFunc(maps.Keys(l.episodes), compareKeys) {
		c := l.episodes[key]
		k, ok := index[c.to.seriesKey]
		if !ok { // its series is of closed days only: it contributes to nothing any more
			continue
		}
		s.Episodes = append(s.Episodes, savedEpisode{
			Key: key, Series: k, Impact: uint8(c.impact), Done: c.done, Touched: c.touched,
			Pieces: [2]Interval{c.pieces[0].Interval, c.pieces[1].Interval},
		})
	}
}

func (l *Ledger) saveSilences(s *snapshot, index map[seriesKey]int) {
	keys := slices.SortedFunc(maps.Keys(l.silences), func(a, b silenceKey) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.source, b.source), cmp.Compare(a.service, b.service), cmp.Compare(a.from, b.from))
	})
	for _, key := range keys {
		c := l.silences[key]
		if k, ok := index[c.to.seriesKey]; ok { // else it is of closed days only
			s.Silences = append(s.Silences, savedSilence{key.source, k, key.from, c.pieces[0].To, c.touched})
		}
	}
}

func (l *Ledger) saveWindows(s *snapshot) {
	for _, tenant := range slices.Sorted(maps.Keys(l.windows)) {
		keys := slices.SortedFunc(maps.Keys(l.windows[tenant]), func(a, b sentKey) int {
			return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.id, b.id))
		})
		for _, key := range keys {
			w := l.windows[tenant][key]
			saved := savedWindow{tenant, key.source, key.id, w.service, w.From, w.To, nil}
			for _, t := range append(slices.Clip(w.superseded), w.now) {
				saved.Told = append(saved.Told, savedTelling{t.words, t.at})
			}
			s.Windows = append(s.Windows, saved)
		}
	}
}

func compareKeys(a, b correlate.EpisodeKey) int {
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.StartsAt, b.StartsAt))
}

// Restore replaces the whole state by that of a snapshot, or returns ErrSnapshotVersion. After an
// error the ledger is as it was.
func (l *Ledger) Restore(b []byte) error {
	if v, err := versionOf(b); err == nil && v != snapshotVersion {
		return fmt.Errorf("restore the ledger: %w: %d, this program knows %d", ErrSnapshotVersion, v, snapshotVersion)
	}
	var s snapshot
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&s); err != nil {
		return fmt.Errorf("restore the ledger: %w", err)
	}
	fresh := NewSharedLedger(l.share)
	if err := fresh.load(&s); err != nil {
		return fmt.Errorf("restore the ledger: %w", err)
	}
	*l = *fresh
	return nil
}

// versionOf reads the version alone: the rest of another version may not be readable.
func versionOf(b []byte) (int, error) {
	var s struct{ Version int }
	err := gob.NewDecoder(bytes.NewReader(b)).Decode(&s)
	return s.Version, err
}

func (l *Ledger) load(s *snapshot) error {
	l.now, l.source = s.Now, s.Rules
	var err error
	if l.rules, err = newImpact(slices.Concat(s.Rules, DefaultImpact())); err != nil {
		return err
	}
	if err := l.loadServices(s); err != nil {
		return err
	}
	list := make([]*series, len(s.Series))
	for i, saved := range s.Series {
		if list[i], err = l.loadSeries(saved); err != nil {
			return err
		}
	}
	for _, e := range s.Episodes {
		if e.Series < 0 || e.Series >= len(list) || e.Impact > uint8(rankDown) {
			return fmt.Errorf("episode %v refers to what is not there", e.Key)
		}
		c := &contribution{to: list[e.Series], impact: rank(e.Impact), done: e.Done, touched: e.Touched}
		c.pieces[0].Interval, c.pieces[1].Interval = e.Pieces[0], e.Pieces[1]
		if e.Impact != uint8(rankUp) {
			c.pieces[0].rank = c.impact
		}
		if !e.Pieces[1].Empty() {
			c.pieces[1].rank = rankUnknown
		}
		l.episodes[e.Key] = c
	}
	for _, one := range s.Silences {
		if one.Series < 0 || one.Series >= len(list) {
			return fmt.Errorf("a silence of %q refers to what is not there", one.Source)
		}
		to := list[one.Series]
		l.silences[silenceKey{to.tenant, one.Source, to.service, one.From}] = &contribution{
			to: to, impact: rankUnknown, done: one.To != Forever, touched: one.Touched,
			pieces: [2]piece{{Interval{one.From, one.To}, rankUnknown}, {}},
		}
	}
	return l.loadWindows(s)
}

func (l *Ledger) loadWindows(s *snapshot) error {
	for _, saved := range s.Windows {
		last := len(saved.Told) - 1
		if last < 0 {
			return fmt.Errorf("window %q of %q was never told", saved.ID, saved.Source)
		}
		w := &sentWindow{service: saved.Service, Interval: Interval{saved.From, saved.To}}
		for _, t := range saved.Told[:last] {
			w.superseded = append(w.superseded, telling{t.Words, t.At})
		}
		w.now = telling{saved.Told[last].Words, saved.Told[last].At}
		l.remember(saved.Tenant, sentKey{saved.Source, saved.ID}, w)
		l.hold(seriesKey{saved.Tenant, saved.Service}, w.Interval, +1)
	}
	return nil
}

func (l *Ledger) loadServices(s *snapshot) error {
	p := &plan{l: l, root: DefaultZone, zones: l.zones, hours: l.hours}
	hours := []*agreed{nil}
	for _, c := range s.Calendars {
		a, err := p.agreed(c)
		if err != nil {
			return err
		}
		l.hours[a.key] = a
		hours = append(hours, a)
	}
	for _, saved := range s.Services {
		of := &service{name: saved.Name, present: saved.Present, rules: saved.Rules, since: saved.Since, cover: saved.Cover, planned: saved.Planned}
		var err error
		if of.impact, err = newImpact(saved.Rules); err != nil {
			return err
		}
		for _, a := range saved.Agreements {
			z, err := p.zone(a.Zone)
			if err != nil {
				return err
			}
			if a.Calendar < 0 || a.Calendar >= len(hours) {
				return fmt.Errorf("agreement %q of %q refers to a calendar that is not there", a.Name, saved.Name)
			}
			of.agreements = append(of.agreements, &agreement{name: a.Name, zone: z, hours: hours[a.Calendar], since: a.Since, until: a.Until})
		}
		l.services[saved.Name] = of
	}
	return nil
}

func (l *Ledger) loadSeries(saved savedSeries) (*series, error) {
	if len(saved.N) != 3*len(saved.At) {
		return nil, fmt.Errorf("series of %q has %d counts for %d steps", saved.Service, len(saved.N), len(saved.At))
	}
	s := &series{seriesKey: seriesKey{saved.Tenant, saved.Service}, of: l.services[saved.Service]}
	if s.of != nil {
		s.of.series = append(s.of.series, s)
	}
	var at int64
	for i, d := range saved.At {
		at += d
		s.line = append(s.line, step{at: ingest.Millis(at), n: [3]int32(saved.N[3*i:])})
	}
	l.series[s.seriesKey] = s
	return s, nil
}
