package correlate

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// alertKey names an alert within its tenant.
type alertKey struct{ source, fingerprint string }

// alert is what is remembered of one alert: its open episode and those that
// ended and are not forgotten yet. At most one episode is open.
type alert struct {
	open  *episode
	ended []*episode
	said  saidLately
}

// episode is an episode inside the fold: the row, and what the rules need beside it.
type episode struct {
	row      Episode
	at       ingest.Millis // its place in the order of decisions; see place
	lastSeen ingest.Millis // received_at of the newest delivery that showed it firing
	holds    ingest.Millis // until when that delivery said that it fires; 0 where it did not say
	said     ingest.Millis // since when its sender says that it does not know
	hidden   ingest.Millis // since when it is out of sight for a reason that was told
	hiddenBy ingest.Millis // received_at of the resolve by timeout that hid it; 0 where another reason did
	back     ingest.Millis // when its source was heard of again after that, until it is seen itself
	told     ingest.Millis // the end that was told while its source was silent
	toldAt   ingest.Millis // received_at of the delivery that did
	ahead    ingest.Millis // the end that was told of it before it could be known, 0 where none was; see believe
	watched  ingest.Millis // when the timer is due that was set last
	again    ingest.Millis // received_at of the delivery that brought it back after it was forgotten
	closedBy ingest.Millis // received_at of the delivery that ended it
	previous *episode      // the alert's episode before this one, as far as it is remembered
	resumes  ingest.Millis // when that one was last known to fire, or ended
	fixedIn  *episode      // the first episode of the incident that this one is decided to be in for good
	id       string        // of the incident that this episode would begin

	covers   []cover      // what could explain it; see model
	direct   int          // covers up to here are at most one dependency away
	site     *root        // where it is felt: its service, or else itself
	far      *root        // where it is felt by way of another service; nil without a service
	incident *incident    // where it is now
	counted  EpisodeState // as which it is in its incident's sums
	dirty    bool         // its row changed since the last Flush
}

// standing is as what an episode counts in its incident: its state, or lost where it ended as unknown.
func (e *episode) standing() EpisodeState {
	if e.row.State == Unknown && e.row.Over() {
		return lost
	}
	return e.row.State
}

// lost is as what an episode counts that ended as unknown.
const lost EpisodeState = "lost"

// find returns the remembered episode that a starts_at names, by its own start or
// else as an alias.
func (a *alert) find(startsAt ingest.Millis) *episode {
	named := func(e *episode) bool { return e.row.StartsAt == startsAt }
	also := func(e *episode) bool { return e.alsoNamed(startsAt) }
	for _, means := range []func(*episode) bool{named, also} {
		if a.open != nil && means(a.open) {
			return a.open
		}
		if i := slices.IndexFunc(a.ended, means); i >= 0 {
			return a.ended[i]
		}
	}
	return nil
}

// mostAliases is how many other starts of one episode are listed, the newest: a sender that gives
// another one each time would make its row ever longer.
const mostAliases = 100

// addAlias adds a starts_at to e's aliases, sorted, once, and tells whether that changed them.
func (e *episode) addAlias(startsAt ingest.Millis) bool {
	i, found := slices.BinarySearch(e.row.Aliases, startsAt)
	if found || i == 0 && len(e.row.Aliases) == mostAliases {
		return false
	}
	aliases := slices.Insert(slices.Clone(e.row.Aliases), i, startsAt)
	e.row.Aliases = aliases[max(0, len(aliases)-mostAliases):]
	return true
}

// alsoNamed tells whether a starts_at is another start of e: one that is listed, or one that may have been before
// newer ones took its place.
func (e *episode) alsoNamed(startsAt ingest.Millis) bool {
	full := len(e.row.Aliases) == mostAliases
	return slices.Contains(e.row.Aliases, startsAt) || full && e.row.StartsAt < startsAt && startsAt < e.row.Aliases[0]
}

// compareEpisodes is the order of decisions: place, then key.
func compareEpisodes(a, b *episode) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at) // nearly always: the names are not looked at
	}
	return compareKeys(&a.row.EpisodeKey, &b.row.EpisodeKey)
}

// compareKeys orders episodes of one tenant: start, source, fingerprint.
func compareKeys(a, b *EpisodeKey) int {
	return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.StartsAt, b.StartsAt),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Fingerprint, b.Fingerprint))
}
