package simulate

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

// someFirings draws alerts of a few kinds that come and go.
func someFirings(t *rapid.T, p *pair, end ingest.Millis) []firing {
	fs := newFirings(p.apart())
	because := &fault{name: "f", root: "r", roots: []string{"r"}}
	for range rapid.IntRange(1, 25).Draw(t, "firings") {
		from := ingest.Millis(rapid.Int64Range(1, int64(end)-1).Draw(t, "from"))
		to := from + ingest.Millis(rapid.Int64Range(1, int64(2*hour)).Draw(t, "length"))
		if rapid.Bool().Draw(t, "forever") {
			to = 0
		}
		labels := ingest.LabelsOf(map[string]string{
			"alertname": fmt.Sprintf("A%d", rapid.IntRange(0, 2).Draw(t, "alert")),
			"cluster":   "c",
			"pod":       fmt.Sprintf("p%d", rapid.IntRange(0, 3).Draw(t, "pod")),
		})
		fs.add(firing{labels: labels, from: from, to: to, because: because})
	}
	return fs.inOrder()
}

func TestThePairKeepsToItsTimesAndTellsEveryEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := usualPair()
		end := 24 * hour
		all := someFirings(t, p, end)
		var sent []notification
		for _, g := range p.groups(all) {
			var last ingest.Millis
			p.dispatch(g, end, func(n notification) {
				if last != 0 && (n.sentAt-last < p.interval && n.reason != "first notification" || n.sentAt <= last) {
					t.Errorf("%s notifies at %d and again at %d: %s", g.key, last, n.sentAt, n.reason)
				}
				if last != 0 && n.reason == "repeat interval elapsed" && n.sentAt-last <= p.repeat {
					t.Errorf("%s repeats itself after %d ms", g.key, n.sentAt-last)
				}
				last = n.sentAt
				sent = append(sent, n)
			})
		}
		fired, resolved := map[*firing]bool{}, map[*firing]bool{}
		for _, n := range sent {
			for _, m := range n.members {
				if over := m.to != 0 && m.to <= n.sentAt; over != m.resolved || m.from > n.sentAt {
					t.Errorf("at %d a firing from %d to %d is said to be resolved: %v", n.sentAt, m.from, m.to, m.resolved)
				}
				if m.resolved {
					resolved[m.firing] = true
				} else {
					fired[m.firing] = true
				}
			}
		}
		for i := range all {
			f := &all[i]
			longEnough := f.to == 0 || f.to-f.from > p.wait+p.interval
			if longEnough && f.from+p.wait+p.interval < end && !fired[f] {
				t.Errorf("a firing from %d to %d was never told of", f.from, f.to)
			}
			if fired[f] && f.to != 0 && f.to+p.interval < end && !resolved[f] {
				t.Errorf("the end at %d of a firing was never told of", f.to)
			}
		}
	})
}

func TestAnAlertThatIsTooNearToItselfDoesNotFire(t *testing.T) {
	labels := ingest.LabelsOf(map[string]string{"alertname": "A"})
	for _, c := range []struct {
		name     string
		from, to ingest.Millis
		taken    bool
	}{
		{"while it fires", 150, 160, false},
		{"just after it stopped", 205, 300, false},
		{"just before it fires", 50, 95, false},
		{"around it", 50, 300, false},
		{"without an end, before it", 50, 0, false},
		{"long after it", 210, 300, true},
		{"long before it", 50, 90, true},
	} {
		fs := newFirings(10)
		fs.add(firing{labels: labels, from: 100, to: 200})
		fs.add(firing{labels: labels, from: c.from, to: c.to})
		if got := len(fs.all) == 2; got != c.taken {
			t.Errorf("%s: taken is %v, want %v", c.name, got, c.taken)
		}
	}
}

func TestDiceStayInTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := roll(rapid.Uint64().Draw(t, "seed"), "test")
		median := ingest.Millis(rapid.Int64Range(100, int64(day)).Draw(t, "median"))
		if got := d.around(median); got < median/4 || got > 4*median {
			t.Errorf("around %d gives %d", median, got)
		}
		low := ingest.Millis(rapid.Int64Range(0, 1000).Draw(t, "low"))
		high := ingest.Millis(rapid.Int64Range(0, 1000).Draw(t, "high"))
		if got := d.between(low, high); got < low || got >= max(high, low+1) {
			t.Errorf("between %d and %d is %d", low, high, got)
		}
		items := []int{1, 2, 3, 4, 5}
		n := rapid.IntRange(0, 7).Draw(t, "n")
		chosen := some(d, items, n)
		if len(chosen) != min(n, 5) {
			t.Errorf("some %d of 5 are %v", n, chosen)
		}
	})
}
