package simulate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

// pair is a pair of Alertmanagers that share one configuration and gossip about
// what they sent. What the first has sent the second keeps to itself, unless the
// gossip was slower than its wait: then the receiver gets a copy.
type pair struct {
	receiver string
	groupBy  []string
	wait     ingest.Millis // group_wait
	interval ingest.Millis // group_interval
	repeat   ingest.Millis // repeat_interval
	address  [2]string     // external URL of each

	copies   float64          // share of notifications that the second sends as well
	peerWait ingest.Millis    // how long the second waits for gossip: peer_timeout
	late     float64          // share of notifications of which a copy arrives late
	lateness [2]ingest.Millis // by how much, at least and at most
}

// usualPair is a pair as most companies run it.
func usualPair() *pair {
	return &pair{
		receiver: "evenkeel", groupBy: []string{"alertname", "cluster"},
		wait: 30 * second, interval: 5 * minute, repeat: 4 * hour,
		address: [2]string{"http://alertmanager-0.monitoring:9093", "http://alertmanager-1.monitoring:9093"},
		copies:  0.12, peerWait: 15 * second,
		late: 0.03, lateness: [2]ingest.Millis{30 * second, 290 * second},
	}
}

// apart is how long an alert must be gone before it fires anew, so that the
// pair surely told of its end.
func (p *pair) apart() ingest.Millis { return p.wait + p.interval + p.wait }

// notification is one message of one of the pair.
type notification struct {
	at      ingest.Millis // received
	sentAt  ingest.Millis
	group   *group
	sender  int
	reason  string
	members []member
}

// member is an alert in a notification, as it was when that was sent.
type member struct {
	*firing
	resolved bool
}

// group is the alerts that share the values of the labels to group by.
type group struct {
	key     string
	labels  ingest.Labels
	firings []*firing // by start
}

// notify plays the story of all firings up to the end and returns what arrives, in order of arrival.
func (p *pair) notify(all []firing, end ingest.Millis, d dice) []notification {
	var sent []notification
	for _, g := range p.groups(all) {
		p.dispatch(g, end, func(n notification) { sent = append(sent, p.deliver(n, d)...) })
	}
	slices.SortFunc(sent, func(a, b notification) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.group.key, b.group.key),
			cmp.Compare(a.sender, b.sender), cmp.Compare(a.sentAt, b.sentAt))
	})
	return slices.DeleteFunc(sent, func(n notification) bool { return n.at >= end })
}

// groups splits firings by the labels to group by.
func (p *pair) groups(all []firing) []*group {
	var groups []*group
	byKey := map[string]*group{}
	for i := range all {
		labels := p.groupLabels(all[i].labels)
		key := "{}:" + printLabels(labels)
		g := byKey[key]
		if g == nil {
			g = &group{key: key, labels: labels}
			byKey[key] = g
			groups = append(groups, g)
		}
		g.firings = append(g.firings, &all[i])
	}
	return groups
}

func (p *pair) groupLabels(labels ingest.Labels) ingest.Labels {
	var own ingest.Labels
	for _, l := range labels {
		if slices.Contains(p.groupBy, l.Name) {
			own = append(own, l)
		}
	}
	return own
}

// printLabels writes labels as they stand in a groupKey.
func printLabels(labels ingest.Labels) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = l.Name + "=" + quote(l.Value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// dispatch plays one group: its first flush comes group_wait after its first
// alert, then one every group_interval; a flush is silent where nothing changed
// and the repeat is not yet due. A group that has nothing left to tell ends, and
// the next alert begins it anew.
func (p *pair) dispatch(g *group, end ingest.Millis, send func(notification)) {
	log := nflog{}
	next := 0 // first firing that the group has not taken in
	for next < len(g.firings) {
		at := g.firings[next].from + p.wait
		var in []*firing
		for at < end {
			for next < len(g.firings) && g.firings[next].from <= at {
				in = append(in, g.firings[next])
				next++
			}
			members := membersAt(in, at)
			if reason := log.reason(members, at, p.repeat); reason != "" {
				send(notification{sentAt: at, group: g, reason: reason, members: members})
				log.note(members, at)
			}
			in = slices.DeleteFunc(in, func(f *firing) bool { return f.to != 0 && f.to <= at })
			if len(in) == 0 {
				break
			}
			at = p.nextFlush(at, in, g.firings[next:], log.at)
		}
		if at >= end {
			return
		}
	}
}

// nextFlush skips the flushes at which nothing can have changed.
func (p *pair) nextFlush(at ingest.Millis, in, coming []*firing, lastSent ingest.Millis) ingest.Millis {
	target := lastSent + p.repeat + 1
	for _, f := range in {
		if f.to != 0 {
			target = min(target, f.to)
		}
	}
	if len(coming) > 0 {
		target = min(target, coming[0].from)
	}
	steps := max(1, (target-at+p.interval-1)/p.interval)
	return at + steps*p.interval
}

// membersAt lists a group's alerts as they are at one moment, in Alertmanager's order.
func membersAt(in []*firing, at ingest.Millis) []member {
	members := make([]member, len(in))
	for i, f := range in {
		members[i] = member{f, f.to != 0 && f.to <= at}
	}
	slices.SortFunc(members, func(a, b member) int {
		return cmp.Or(
			cmp.Compare(a.labels.Get("job"), b.labels.Get("job")),
			cmp.Compare(a.labels.Get("instance"), b.labels.Get("instance")),
			cmp.Compare(a.fingerprint, b.fingerprint),
		)
	})
	return members
}

// nflog is what Alertmanager remembers of the last notification of a group.
type nflog struct {
	sent     bool
	at       ingest.Millis
	firing   []string
	resolved []string
}

// reason says why the group notifies now, in Alertmanager's own words and by its
// rules (DedupStage.needsUpdate); "" where it does not.
func (l *nflog) reason(members []member, at, repeat ingest.Millis) string {
	firing, resolved := split(members)
	switch {
	case len(firing) > 0 && (!l.sent || len(l.firing) == 0):
		return "first notification"
	case !l.sent:
		return ""
	case !subset(firing, l.firing):
		return "new alerts added"
	case len(firing) == 0 && len(l.firing) > 0:
		return "all alerts resolved"
	case len(firing) == 0:
		return ""
	case !subset(resolved, l.resolved):
		return "some alerts resolved"
	case at-l.at > repeat:
		return "repeat interval elapsed"
	}
	return ""
}

func (l *nflog) note(members []member, at ingest.Millis) {
	l.sent, l.at = true, at
	l.firing, l.resolved = split(members)
}

func split(members []member) (firing, resolved []string) {
	for _, m := range members {
		if m.resolved {
			resolved = append(resolved, m.fingerprint)
		} else {
			firing = append(firing, m.fingerprint)
		}
	}
	return firing, resolved
}

func subset(part, whole []string) bool {
	for _, p := range part {
		if !slices.Contains(whole, p) {
			return false
		}
	}
	return true
}

// deliver brings a notification over the network, with its copies.
func (p *pair) deliver(n notification, d dice) []notification {
	n.at = n.sentAt + d.between(40, 900)
	arrivals := []notification{n}
	if d.chance(p.copies) {
		twin := n
		twin.sender = 1
		twin.at = n.sentAt + p.peerWait + d.between(40, 3000)
		arrivals = append(arrivals, twin)
	}
	if d.chance(p.late) {
		// A retry behind a proxy that buffered: the sender gave up, the message did not.
		again := n
		again.at = n.sentAt + d.between(p.lateness[0], p.lateness[1])
		arrivals = append(arrivals, again)
	}
	return arrivals
}
