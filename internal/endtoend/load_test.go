package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// load is a few senders that post alerts as Alertmanager does, until they are stopped:
// what is not answered 200 is posted again, the same bytes, until it is. Every alert carries a
// label of its own, and every answer is remembered.
type load struct {
	url     string
	stop    context.CancelFunc
	senders sync.WaitGroup

	mu       sync.Mutex
	seen     map[sighting]answers
	posts    int // requests that were answered 200
	failures int // and those that were not
	statuses map[int]int
}

// sighting is one alert in one state: what a row of events is about.
type sighting struct{ test, status string }

// answers are how often a delivery with the sighting was accepted, and how often it may have been:
// a request without an answer, or a 503, can have landed.
type answers struct{ accepted, unknown int }

// loadAlert is an alert of the webhook, version 4.
type loadAlert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

func (a loadAlert) sighting() sighting { return sighting{a.Labels["test"], a.Status} }

const (
	senders       = 3
	servicesOfAll = 12
)

// startLoad begins to post to url. The load ends with t, or when it is ended.
func startLoad(t *testing.T, url string) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{url: url, stop: stop, seen: map[sighting]answers{}, statuses: map[int]int{}}
	for n := range senders {
		l.senders.Go(func() { l.send(ctx, n) })
	}
	t.Cleanup(l.end)
	return l
}

// end stops the senders and returns when none posts any more.
func (l *load) end() {
	l.stop()
	l.senders.Wait()
}

// send posts firings; most of them are resolved later, and every fifth delivery comes
// twice, as from the other one of a pair of Alertmanagers.
func (l *load) send(ctx context.Context, sender int) {
	dice := rand.New(rand.NewPCG(uint64(sender), 7))
	var firing []loadAlert
	for n := 0; ctx.Err() == nil; n++ {
		alerts := newAlerts(dice, fmt.Sprintf("sender-%d-%d", sender, n))
		firing = append(firing, alerts...)
		if dice.IntN(3) > 0 {
			i := dice.IntN(len(firing))
			alerts = append(alerts, resolved(firing[i]))
			firing = append(firing[:i], firing[i+1:]...)
		}
		body := webhookBody(sender, alerts)
		for range 1 + dice.IntN(5)/4 {
			l.deliver(ctx, alerts, body)
		}
		pause(ctx, time.Duration(80+dice.IntN(120))*time.Millisecond)
	}
}

// newAlerts returns one or two alerts that fire.
func newAlerts(dice *rand.Rand, test string) []loadAlert {
	var alerts []loadAlert
	for n := range 1 + dice.IntN(2) {
		labels := map[string]string{
			"alertname": []string{"ErrorsHigh", "Slow", "Down"}[dice.IntN(3)],
			"service":   fmt.Sprintf("service-%d", dice.IntN(servicesOfAll)),
			"severity":  []string{"critical", "warning"}[dice.IntN(2)],
			"test":      fmt.Sprintf("%s-%d", test, n),
		}
		alerts = append(alerts, loadAlert{
			Status: "firing", Labels: labels, StartsAt: time.Now().UTC().Truncate(time.Millisecond), Fingerprint: labels["test"],
			Annotations: map[string]string{"summary": "Something is wrong with " + labels["service"]},
		})
	}
	return alerts
}

func resolved(a loadAlert) loadAlert {
	a.Status, a.EndsAt = "resolved", time.Now().UTC().Truncate(time.Millisecond).Add(time.Millisecond) // not empty
	return a
}

// loadConfig is a configuration with the services of the load.
func loadConfig(t *testing.T) string {
	t.Helper()
	return loadConfigWith(t, "")
}

// loadConfigWith adds further settings to it.
func loadConfigWith(t *testing.T, settings string) string {
	t.Helper()
	var catalogue strings.Builder
	catalogue.WriteString("services:\n")
	for n := range servicesOfAll {
		catalogue.WriteString(fmt.Sprintf("  - {name: service-%d, owner: team, tier: 1, agreements: [{name: public, objective: 99.9%%, zone: Europe/Berlin}]}\n", n))
	}
	return writeFile(t, "evenkeel.yml", "catalogue: ["+writeFile(t, "catalogue.yml", catalogue.String())+"]\n"+settings)
}

func webhookBody(sender int, alerts []loadAlert) []byte {
	body, err := json.Marshal(map[string]any{
		"version": "4", "receiver": "evenkeel", "status": "firing", "groupKey": fmt.Sprintf("{}:{sender=%d}", sender),
		"externalURL": "http://alertmanager:9093", "groupLabels": map[string]string{}, "commonLabels": map[string]string{},
		"commonAnnotations": map[string]string{}, "truncatedAlerts": 0, "alerts": alerts,
	})
	if err != nil {
		panic(err) // strings and times can be encoded
	}
	return body
}

// deliver posts body until it is accepted, or ctx ends. A request that is under way
// then is not cut off.
func (l *load) deliver(ctx context.Context, alerts []loadAlert, body []byte) {
	for {
		status, err := postOnce(context.WithoutCancel(ctx), l.url+ingest.PathAlertmanager, body)
		l.note(alerts, status, err)
		if status == http.StatusOK && err == nil || ctx.Err() != nil {
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// note remembers an answer. Where nobody listened, nothing landed.
func (l *load) note(alerts []loadAlert, status int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statuses[status]++
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		l.failures++
		return
	case status == http.StatusOK: // also where the rest of the answer is missing
		l.posts++
	default:
		l.failures++
	}
	for _, a := range alerts {
		known := l.seen[a.sighting()]
		if status == http.StatusOK {
			known.accepted++
		} else {
			known.unknown++
		}
		l.seen[a.sighting()] = known
	}
}

// accepted is how many sightings were accepted so far.
func (l *load) accepted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.posts
}

// refused is how many deliveries were answered 503 so far.
func (l *load) refused() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statuses[http.StatusServiceUnavailable]
}

// postOnce posts on a connection of its own, so that the answer is this request's alone: the
// client repeats nothing behind our back.
func postOnce(ctx context.Context, url string, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := oneShot.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

var oneShot = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// waitAllStored returns when the service has stored all that its journal holds.
func waitAllStored(t *testing.T, s *server) {
	t.Helper()
	eventually(t, time.Minute, "everything is stored", func() bool {
		var info map[string]any
		s.get(t, "/api/v1/status/runtimeinfo", nil, &info)
		parts, _ := info["parts"].(map[string]any)
		return parts["journal_position"] != nil && parts["journal_position"] == parts["stored_position"]
	})
}
