package simulate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/simulate"
	"github.com/evenkeel/evenkeel/sla"
)

var histories = []uint64{1, 2, 3}

func TestAHistoryHasThirtyToEightyAlertsADay(t *testing.T) {
	for _, seed := range histories {
		s := simulate.History(historyOptions(seed))
		days := map[string]int{}
		for _, truth := range s.Truth {
			days[truth.StartsAt.String()[:10]]++
		}
		if mean := len(s.Truth) / 90; mean < 30 || mean > 80 {
			t.Errorf("seed %d: %d alerts a day", seed, mean)
		}
		if len(days) < 90 {
			t.Errorf("seed %d: alerts on %d days only", seed, len(days))
		}
		between(t, seed, "records", s.Len(), 4000, 12000)
	}
}

// weekly counts the faults at the given roots by whole week, Monday to Sunday.
func weekly(s *simulate.Story, roots ...string) []int {
	const week = 7 * ingest.Day
	monday := at("2026-08-24T00:00:00Z") // the history's first day
	counts, seen := make([]int, 12), map[string]bool{}
	for _, truth := range s.Truth {
		w := int((truth.StartsAt - monday) / week)
		if w < len(counts) && slices.Contains(roots, truth.Root) && !seen[truth.Fault] && strings.HasPrefix(truth.Fault, "fault-") {
			seen[truth.Fault] = true
			counts[w]++
		}
	}
	return counts
}

func TestFulfilmentGetsBetterAndTheOthersDoNot(t *testing.T) {
	for _, seed := range histories {
		s := simulate.History(historyOptions(seed))
		weeks := weekly(s, "stock", "shipping-labels", "orders", "returns-desk")
		first, last := mean(weeks[:4]), mean(weeks[8:])
		if first < 12 || 3*last > 2*first {
			t.Errorf("seed %d: fulfilment has %v faults a week: %.1f at first, %.1f at last", seed, weeks, first, last)
		}
		others := weekly(s, "storefront", "checkout", "identity", "reports", "articles-db", "events", "prices", "basket")
		first, last = mean(others[:4]), mean(others[8:])
		if last < first/2 || last > 2*first {
			t.Errorf("seed %d: the others have %v faults a week, want no trend", seed, others)
		}
	}
}

func mean(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	return float64(total) / float64(len(counts))
}

func TestTheFiguresOfTheWeekLockTheDatabaseEveryMonday(t *testing.T) {
	s := ninetyDays()
	mondays := map[string]bool{}
	for _, truth := range s.Truth {
		if truth.AlertName == "LockWaits" && truth.Root == "reports" {
			mondays[truth.StartsAt.String()[:10]] = true
		}
	}
	for d := time.Date(2026, 8, 24, 0, 0, 0, 0, time.UTC); d.Before(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); d = d.AddDate(0, 0, 7) {
		if !mondays[d.Format(time.DateOnly)] {
			t.Errorf("the database was not locked on %s", d.Format(time.DateOnly))
		}
	}
	if len(mondays) != 13 {
		t.Errorf("locked on %d days, want 13 Mondays", len(mondays))
	}
}

func TestMailersAlertIsTheNoisiest(t *testing.T) {
	s := ninetyDays()
	counts := map[string]int{}
	for _, truth := range s.Truth {
		counts[truth.Service+" "+truth.AlertName]++
	}
	noisy := counts["mailer QueueDepthHigh"]
	for name, n := range counts {
		if n >= noisy && name != "mailer QueueDepthHigh" {
			t.Errorf("%s fired %d times, mailer's queue alert %d", name, n, noisy)
		}
	}
	if share := noisy * 100 / len(s.Truth); share < 20 || share > 50 {
		t.Errorf("mailer's queue alert is %d %% of all, want a fifth to a half", share)
	}
}

func TestEverythingIsOverWhenTheHistoryEnds(t *testing.T) {
	for hour := range ingest.Millis(24) { // of the Thursday of a bad release
		o := simulate.HistoryOptions{Seed: uint64(hour), End: at("2026-11-12T08:00:00Z") + hour*ingest.Hour, Days: 2}
		for k, still := range open(t, simulate.History(o)) {
			if still {
				t.Errorf("%v still fires when the history ends at %v", k, o.End)
			}
		}
	}
}

// open says of every firing of a story whether nobody has told of its end.
func open(t *testing.T, s *simulate.Story) map[key]bool {
	t.Helper()
	open := map[key]bool{}
	for _, e := range events(t, s) {
		if e.Alert == nil {
			continue
		}
		k := key{e.Alert.Fingerprint, e.Alert.StartsAt}
		if _, known := open[k]; !known || e.Alert.Resolved {
			open[k] = !e.Alert.Resolved
		}
	}
	return open
}

// The report of any whole month of a history has promises that were kept and promises that were not.
func TestEveryMonthKeepsSomePromisesAndBreaksSome(t *testing.T) {
	for _, seed := range histories[:2] {
		s := simulate.History(historyOptions(seed))
		levels := catalogueOf(t, s).Levels()
		down := downtime(t, s)
		for _, period := range []string{"2026-09", "2026-10"} {
			window, err := sla.Period(period, simulate.ShopZone)
			if err != nil {
				t.Fatal(err)
			}
			met, missed := 0, 0
			for _, service := range levels.Services {
				for _, a := range service.Agreements {
					budget := int64(float64(window.Length()) * (1 - a.Objective))
					if down[service.Name].Subtract(planned(service)).Clip(window).Length() > budget {
						missed++
					} else {
						met++
					}
				}
			}
			if met < 4 || missed < 1 {
				t.Errorf("seed %d: in %s %d promises were kept and %d broken", seed, period, met, missed)
			}
		}
	}
}

func planned(service sla.ServiceLevels) sla.Set {
	var windows []sla.Interval
	for _, m := range service.Maintenance {
		windows = append(windows, sla.Interval{From: ingest.Millis(m.From), To: ingest.Millis(m.To)})
	}
	return sla.Union(windows...)
}

// downtime is the time in which a critical alert fired, by the service that its labels name.
func downtime(t *testing.T, s *simulate.Story) map[string]sla.Set {
	t.Helper()
	intervals := map[string][]sla.Interval{}
	for _, e := range events(t, s) {
		if e.Alert == nil || !e.Alert.Resolved || !slices.Contains([]string{"critical", "page"}, e.Alert.Labels.Get("severity")) {
			continue
		}
		for _, label := range []string{"service", "app"} {
			if name := e.Alert.Labels.Get(label); name != "" {
				intervals[name] = append(intervals[name], sla.Interval{From: e.Alert.StartsAt, To: e.Alert.EndsAt})
			}
		}
	}
	down := map[string]sla.Set{}
	for name, is := range intervals {
		down[name] = sla.Union(is...)
	}
	return down
}

func TestTheShopsCatalogueIsComplete(t *testing.T) {
	c := catalogueOf(t, ninetyDays())
	services := c.Correlation().Services
	if len(services) < 12 || len(services) > 20 {
		t.Errorf("the shop has %d services, want 12 to 20", len(services))
	}
	if i := slices.IndexFunc(services, func(s correlate.Service) bool { return s.Owner == "" || s.Tier == 0 || s.DisplayName == "" }); i >= 0 {
		t.Errorf("%s lacks an owner, a tier or a name", services[i].Name)
	}
	agreements, windows := 0, 0
	for _, s := range c.Levels().Services {
		agreements += len(s.Agreements)
		windows += len(s.Maintenance)
	}
	if agreements < 10 || windows < 6 {
		t.Errorf("%d agreements and %d maintenance windows", agreements, windows)
	}
}
