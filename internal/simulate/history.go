package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the same days on a machine that has no zones

	"github.com/evenkeel/evenkeel/ingest"
)

// HistoryOptions say which part of the shop's life is told.
type HistoryOptions struct {
	Seed uint64
	End  ingest.Millis // when the history ends; everything is over by then
	Days int           // default 90
}

// History is three months in the life of a shop, of 30 to 80 alerts a day:
//
//   - fulfilment's services leak memory. The team takes out one leak after another;
//     eighteen bad half hours a week become one or two.
//   - every Monday at six the figures of the week lock the database of orders, and
//     checkout is slow. Nobody has fixed that.
//   - mailer's queue alert flaps all day long. Nobody looks any more.
//   - there are five or six deployments on a working day, most of them from Tuesday
//     to Thursday; one in twelve goes wrong and is rolled back.
//   - on the second Thursday of a month checkout breaks for an hour.
//   - on Saturday evenings the shop is full, and slow.
//   - every other Sunday night the databases are maintained, and say so loudly.
//   - a node dies every two or three weeks; a few small things happen every day.
func History(o HistoryOptions) *Story {
	if o.Days == 0 {
		o.Days = 90
	}
	pair := usualPair()
	pair.late = 0.01
	e := shop(o.Seed)
	h := &history{
		spreader: spreader{estate: e, dice: roll(o.Seed, "spread"), out: newFirings(pair.apart())},
		seed:     o.Seed,
		start:    o.End - ingest.Millis(o.Days)*day,
		end:      o.End,
	}
	h.live()

	sent := pair.notify(h.out.inOrder(), o.End, roll(o.Seed, "network"))
	story := tell(pair, sent, h.changes, o.End)
	story.Catalogue = shopCatalogue(e, h.works)
	story.blame(h.faults)
	return story
}

// history is the shop's life while it is being written.
type history struct {
	spreader
	seed       uint64
	start, end ingest.Millis
	faults     []outage
	changes    []change
	works      []work
}

// today is one local day of the history.
type today struct {
	number int       // since the start
	date   time.Time // its local noon
}

// at returns the instant of a local time of the day.
func (t today) at(hour, minute int) ingest.Millis {
	return ingest.MillisOf(time.Date(t.date.Year(), t.date.Month(), t.date.Day(), hour, minute, 0, 0, t.date.Location()))
}

func (t today) weekday() time.Weekday { return t.date.Weekday() }

func (t today) weekend() bool {
	return t.weekday() == time.Saturday || t.weekday() == time.Sunday
}

// live writes the history a day at a time. Every habit rolls its own dice.
func (h *history) live() {
	habits := []struct {
		name string
		live func(today, dice)
	}{
		{"leaks", h.leaks()},
		{"monday", h.mondayFigures},
		{"mailer", h.flappingMailer},
		{"releases", h.releases},
		{"thursday", h.secondThursday},
		{"saturday", h.saturdayEvening},
		{"maintenance", h.sundayMaintenance},
		{"nodes", h.lostNodes},
		{"small", h.smallThings},
	}
	for _, habit := range habits {
		h.dice = roll(h.seed, habit.name)
		for _, t := range h.days() {
			habit.live(t, h.dice)
		}
	}
	slices.SortFunc(h.faults, func(a, b outage) int { return cmp.Compare(a.from, b.from) })
}

// days lists the local days that the history touches.
func (h *history) days() []today {
	zone, err := time.LoadLocation(ShopZone)
	if err != nil {
		panic("simulate: " + err.Error()) // the zones are linked in
	}
	var days []today
	first := h.start.Time().In(zone)
	for i := 0; ; i++ {
		noon := time.Date(first.Year(), first.Month(), first.Day()+i, 12, 0, 0, 0, zone)
		if ingest.MillisOf(noon)-12*hour > h.end {
			return days
		}
		days = append(days, today{i, noon})
	}
}

// fails begins a fault; false where it would not lie wholly within the history.
func (h *history) fails(root string, from, length ingest.Millis, change string) (outage, bool) {
	o := outage{
		fault: &fault{name: fmt.Sprintf("fault-%d", len(h.faults)), root: root, roots: []string{root}, change: change},
		from:  from, to: from + length,
	}
	if from < h.start || o.to+hour > h.end {
		return o, false
	}
	h.faults = append(h.faults, o)
	return o, true
}

// leaks are fulfilment's: from eighteen bad half hours a week down to one, in a
// straight line, because every fortnight a release takes out one leak.
func (h *history) leaks() func(today, dice) {
	const first, last = 18_000, 1_000 // thousandths a week
	due := 0
	return func(t today, d dice) {
		weight := 12 // tenths: a working day sees more of it
		if t.weekend() {
			weight = 5
		}
		days := max(1, int((h.end-h.start)/day))
		due += (first + (last-first)*t.number/days) / 7 * weight / 10
		slot := 0
		for ; due >= 1000; due -= 1000 {
			leaking := pick(d, []string{"stock", "stock", "shipping-labels", "orders", "returns-desk"})
			at := t.at(7, 0) + ingest.Millis(slot)*4*hour + d.between(0, 3*hour)
			slot++
			if o, ok := h.fails(leaking, at, d.around(25*minute), ""); ok {
				h.breakService(o, leak())
			}
		}
		if t.number%14 == 9 {
			h.deploy(d, "stock", t.at(10, 30), fmt.Sprintf("Take out leak %d of the stock cache", t.number/14+1))
		}
	}
}

func leak() trouble {
	return trouble{
		name: "memory that leaks",
		symptoms: []symptom{
			{"MemoryPressure", "warning", 0.9, 1, 0, 60 * second},
			{"ContainerRestarting", "critical", 0.5, 0.7, 60 * second, 3 * minute},
			{"SlowResponses", "warning", 0.9, 0.7, 60 * second, 2 * minute},
		},
		callers: []symptom{{"SlowResponses", "warning", 0.5, 0.7, 20 * second, 90 * second}},
		reach:   0.5,
	}
}

// mondayFigures is the recurring problem.
func (h *history) mondayFigures(t today, d dice) {
	if t.weekday() != time.Monday {
		return
	}
	o, ok := h.fails("reports", t.at(6, 0)+d.between(0, 2*minute), 30*minute+d.between(0, 20*minute), "")
	if !ok {
		return
	}
	o.roots = []string{"reports", "orders-db"}
	h.raise(o, h.find("reports"), symptom{"BatchJobLate", "warning", 0, 1, 4 * minute, 2 * minute}, 0)
	h.raise(o, h.find("orders-db"), symptom{"LockWaits", "warning", 0.6, 1, 30 * second, minute}, 0)
	for _, waiting := range []string{"checkout", "orders", "payments", "stock"} {
		h.raise(o, h.find(waiting), symptom{"SlowResponses", "warning", 0.4, 0.8, minute, 3 * minute}, 0)
	}
}

// flappingMailer is the alert that nobody looks at.
func (h *history) flappingMailer(t today, d dice) {
	on := h.find("mailer")
	labels := h.serviceLabels("QueueDepthHigh", "warning", on)
	flaps := 13 + d.IntN(5)
	if t.weekend() {
		flaps = 5 + d.IntN(3)
	}
	at := t.at(8, 0) + d.between(0, hour)
	for range flaps {
		to := at + d.between(2*minute, 7*minute)
		if at >= h.start && to+hour <= h.end {
			because := &fault{name: "flap-" + t.date.Format(time.DateOnly), root: on.name, roots: []string{on.name}}
			h.out.add(firing{labels: labels, annotations: annotate(labels, on.name), from: at, to: to, because: because, service: on.name})
		}
		at = to + d.between(12*minute, 50*minute)
	}
}

// releases are the deployments of a working day, and what they break.
func (h *history) releases(t today, d dice) {
	if t.weekend() {
		return
	}
	count := 3 + d.IntN(2)
	if t.weekday() != time.Monday && t.weekday() != time.Friday {
		count += 3
	}
	var deployable []string
	for _, s := range h.services {
		if !s.store && s.name != "checkout" {
			deployable = append(deployable, s.name)
		}
	}
	for range count {
		on := pick(d, deployable)
		c := h.deploy(d, on, t.at(9, 0)+d.between(0, 8*hour), "")
		if !d.chance(1.0 / 12) {
			continue
		}
		o, ok := h.fails(on, c.FinishedAt+d.between(minute, 4*minute), d.around(16*minute), c.ID)
		if !ok {
			continue
		}
		h.breakService(o, pick(d, serviceTroubles()[:2]))
		back := deployed(d, c.ID+"-back", on, "previous", o.to-3*minute)
		back.Title = "Roll back " + c.ID
		h.changes = append(h.changes, back)
		h.changes[slices.IndexFunc(h.changes, func(other change) bool { return other.ID == c.ID })].Outcome = "rolled_back"
	}
}

// deploy notes a deployment.
func (h *history) deploy(d dice, service string, at ingest.Millis, title string) change {
	c := deployed(d, fmt.Sprintf("%s-r%d", service, len(h.changes)+1), service, fmt.Sprintf("r%d", len(h.changes)+1), at)
	c.Title = title
	if at >= h.start {
		h.changes = append(h.changes, c)
	}
	return c
}

// secondThursday is the bad release of checkout that comes every month.
func (h *history) secondThursday(t today, d dice) {
	if t.weekday() != time.Thursday || t.date.Day() < 8 || t.date.Day() > 14 {
		return
	}
	c := h.deploy(d, "checkout", t.at(15, 40)+d.between(0, 10*minute), "Monthly release of checkout")
	o, ok := h.fails("checkout", c.FinishedAt+d.between(minute, 3*minute), 55*minute+d.between(0, 20*minute), c.ID)
	if !ok {
		return
	}
	h.breakService(o, trouble{
		name: "a release that cannot talk to payments",
		symptoms: []symptom{
			{"ErrorBudgetBurn", "page", 0, 1, 10 * second, 30 * second},
			{"RequestErrors", "critical", 1, 1, 5 * second, 50 * second},
			{"ReplicasUnavailable", "warning", 0, 0.7, minute, minute},
		},
		callers: []symptom{{"SlowResponses", "warning", 0.6, 1, 20 * second, minute}},
		reach:   1, starved: 0.6,
	})
}

// saturdayEvening is the shop at its fullest.
func (h *history) saturdayEvening(t today, d dice) {
	if t.weekday() != time.Saturday {
		return
	}
	o, ok := h.fails("storefront", t.at(19, 15)+d.between(0, 40*minute), d.around(50*minute), "")
	if !ok {
		return
	}
	h.raise(o, h.find("storefront"), symptom{"SlowResponses", "warning", 1, 1, 0, 5 * minute}, 0)
	h.raise(o, h.find("product-search"), symptom{"WorkersExhausted", "warning", 0.6, 0.7, minute, 5 * minute}, 0)
	h.raise(o, h.find("basket-cache"), symptom{"ConnectionSlotsFull", "warning", 0.4, 0.4, minute, 5 * minute}, 0)
}

// sundayMaintenance is announced in the catalogue, and loud all the same.
func (h *history) sundayMaintenance(t today, d dice) {
	if t.weekday() != time.Sunday || t.number/7%2 != 0 {
		return
	}
	on := []string{"orders-db", "articles-db"}[t.number/14%2]
	from := t.at(3, 0)
	if t.at(5, 0)-from != 2*hour {
		from = t.at(5, 0) - 2*hour // the clocks change tonight
	}
	h.works = append(h.works, work{on, from, from + 2*hour, "Minor version and vacuum"})
	o, ok := h.fails(on, from+10*minute, 70*minute, "")
	if !ok {
		return
	}
	h.raise(o, h.find(on), symptom{"InstanceRestarted", "critical", 0.6, 1, 0, 20 * minute}, 0)
	h.raise(o, h.find(on), symptom{"ReplicaLagging", "warning", 0.3, 1, 10 * minute, 10 * minute}, 0)
}

// lostNodes are machines that die.
func (h *history) lostNodes(t today, d dice) {
	if t.number%17 != 11 {
		return
	}
	n := pick(d, h.nodes)
	if o, ok := h.fails(n.name, t.at(1, 0)+d.between(0, 20*hour), d.around(22*minute), ""); ok {
		h.breakNode(o, n)
	}
}

// smallThings happen every day, more of them while people work.
func (h *history) smallThings(t today, d dice) {
	for range 5 + d.IntN(3) {
		at := t.at(0, 30) + d.between(0, 22*hour)
		if d.chance(0.6) {
			at = t.at(8, 0) + d.between(0, 10*hour)
		}
		on := pick(d, h.services)
		sym := pick(d, bystanders())
		sym.odds, sym.within = 1, second
		if o, ok := h.fails(on.name, at, d.around(18*minute), ""); ok {
			h.raise(o, on, oneOnly(sym), 0)
		}
	}
}
