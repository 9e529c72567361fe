package eval_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/correlate/eval"
	"github.com/evenkeel/evenkeel/ingest"
)

type delivery struct {
	ReceivedAt ingest.Millis   `json:"received_at"`
	Path       string          `json:"path"`
	Body       json.RawMessage `json:"body"`
}

type record struct {
	at     ingest.Millis
	events []ingest.Event
}

func decode(d delivery) record {
	r := record{at: d.ReceivedAt}
	if strings.HasSuffix(d.Path, "changes") {
		var c struct {
			ID, Kind, Service, Outcome, Version, Author string
			Started                                     ingest.Millis `json:"started_at"`
			Finished                                    ingest.Millis `json:"finished_at"`
		}
		if err := json.Unmarshal(d.Body, &c); err != nil {
			panic(err)
		}
		r.events = append(r.events, ingest.Event{Source: "s", ReceivedAt: d.ReceivedAt, Change: &ingest.Change{ID: c.ID, Kind: c.Kind, Service: c.Service, StartedAt: c.Started, FinishedAt: c.Finished, Outcome: c.Outcome}})
		return r
	}
	var b struct {
		Alerts []struct {
			Status              string
			Labels, Annotations ingest.Labels
			StartsAt, EndsAt    ingest.Millis
			Fingerprint         string
		}
	}
	if err := json.Unmarshal(d.Body, &b); err != nil {
		panic(err)
	}
	for _, a := range b.Alerts {
		r.events = append(r.events, ingest.Event{Source: "s", ReceivedAt: d.ReceivedAt, Alert: &ingest.Alert{Fingerprint: a.Fingerprint, Resolved: a.Status == "resolved", StartsAt: a.StartsAt, EndsAt: a.EndsAt, Labels: a.Labels, Annotations: a.Annotations}})
	}
	return r
}

func load(dir string) ([]record, []eval.Truth, []correlate.Service) {
	f, err := os.Open(filepath.Join(dir, "deliveries.jsonl.gz"))
	if err != nil {
		panic(err)
	}
	z, _ := gzip.NewReader(f)
	var rs []record
	dec := json.NewDecoder(z)
	for dec.More() {
		var d delivery
		if err := dec.Decode(&d); err != nil {
			panic(err)
		}
		rs = append(rs, decode(d))
	}
	tf, _ := os.Open(filepath.Join(dir, "truth.jsonl"))
	truth, err := eval.ReadTruth(tf)
	if err != nil {
		panic(err)
	}
	cf, _ := os.Open(filepath.Join(dir, "catalogue.yml"))
	var services []correlate.Service
	sc := bufio.NewScanner(cf)
	for sc.Scan() {
		l := strings.TrimSpace(sc.Text())
		if n, ok := strings.CutPrefix(l, "- name: "); ok {
			services = append(services, correlate.Service{Name: n})
		}
		if n, ok := strings.CutPrefix(l, "depends_on: ["); ok {
			for _, d := range strings.Split(strings.TrimSuffix(n, "]"), ",") {
				if d = strings.TrimSpace(d); d != "" {
					s := &services[len(services)-1]
					s.DependsOn = append(s.DependsOn, d)
				}
			}
		}
	}
	return rs, truth, services
}

func run(rs []record, services []correlate.Service, g correlate.Grouping) (map[correlate.EpisodeKey]correlate.Episode, map[string]correlate.Incident) {
	f := correlate.New(0)
	if err := f.Configure(correlate.Config{Services: services, Grouping: g}); err != nil {
		panic(err)
	}
	eps := map[correlate.EpisodeKey]correlate.Episode{}
	incs := map[string]correlate.Incident{}
	for _, r := range rs {
		f.Advance(r.at)
		for _, e := range r.events {
			f.Apply(e)
		}
		out := f.Flush()
		for _, e := range out.Episodes {
			eps[e.EpisodeKey] = e
		}
		for _, i := range out.Incidents {
			incs[i.ID] = i
		}
	}
	return eps, incs
}

func TestDev(t *testing.T) {
	for _, s := range []string{"calm", "busy", "dense"} {
		rs, truth, services := load("/work/shared/data/storms/" + s)
		eps, incs := run(rs, services, correlate.Grouping{})
		var list []correlate.Episode
		for _, e := range eps {
			list = append(list, e)
		}
		sc := eval.Score(truth, eval.Assignments(list))
		fmt.Printf("%-6s %.3f (%.3f %.3f) faults %.3f (%.3f %.3f) missing %d groups %d inc %d\n", s, sc.All.F1, sc.All.Precision, sc.All.Recall, sc.Faults.F1, sc.Faults.Precision, sc.Faults.Recall, sc.All.Missing, sc.All.Groups, len(incs))
	}
}
