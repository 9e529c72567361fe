package endtoend

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/simulate"
)

// floodFor is how long alerts are repeated; EVENKEEL_FLOOD sets another time.
const floodFor = 10 * time.Second

// floodOf is how many new alerts come in one go: as many as one source may have by default.
const floodOf = 100_000

// Rates of new alerts that are tried, a second: from the first, each higher by a fourth, until they are not kept
// up with, which means that so long after the last one all is folded and stored.
const (
	firstRate = 8000
	nextRate  = 1.25
	mostLag   = 2 * time.Second
)

// floodLimits allow as many alerts as floods bring.
const floodLimits = "ingest: {limits: {alerts_per_source: 10000000, alerts_per_tenant: 10000000}}\n"

// floodConfig has the services that a flood is of.
func floodConfig() string {
	var b strings.Builder
	b.WriteString("services:\n")
	for n := range simulate.FloodServices {
		fmt.Fprintf(&b, "  - {name: %s, owner: team, tier: 1}\n", simulate.FloodService(n))
	}
	return b.String() + floodLimits
}

// BenchmarkFlood posts alerts in batches of 64 from 8 connections to the program with its engine, as
// durable as ever, and waits until all of it is folded and stored; and to Alertmanager, which keeps them in memory,
// to compare with in one run (times-alertmanager). The CPU of the program, of its engine and of the generator (this
// process) are told apart.
//
//   - repeats are known alerts that are sent again, as fast as they are taken.
//   - distinct are new ones, as fast as they are taken.
//   - paced are new ones at the highest rate that is kept up with.
func BenchmarkFlood(b *testing.B) {
	flood := simulate.Flood{Path: ingest.PathAlerts, Connections: 8, Batch: 64, Open: 8192}
	b.Run("repeats", func(b *testing.B) {
		repeat := func(to floodable) flooded {
			to.measure(b, flood, floodFor/2) // now all of them are known
			return to.measure(b, flood, floodTime(b))
		}
		alertmanager := floodAlertmanager(b, repeat)
		floodEvenkeel(b, repeat).report(b, alertmanager)
	})
	flood.Distinct, flood.Most = true, floodOf
	once := func(to floodable) flooded { return to.measure(b, flood, time.Minute) }
	b.Run("distinct", func(b *testing.B) {
		alertmanager := floodAlertmanager(b, once)
		floodEvenkeel(b, once).report(b, alertmanager)
	})
	b.Run("paced", func(b *testing.B) {
		alertmanager := floodAlertmanager(b, once)
		var best flooded
		for flood.Rate = firstRate; ; flood.Rate *= nextRate {
			one := floodEvenkeel(b, once)
			if !one.keptUp(flood) {
				one = floodEvenkeel(b, once) // it may have been the machine
			}
			b.Logf("%.0f alerts/s: %.0f were accepted, lag %.2f s", flood.Rate, one.rate(), one.lag.Seconds())
			if !one.keptUp(flood) {
				break
			}
			best = one
		}
		if best.Alerts == 0 {
			b.Fatalf("%d new alerts a second are not kept up with", firstRate)
		}
		best.report(b, alertmanager)
	})
}

// floodTime is for how long alerts are repeated.
func floodTime(b *testing.B) time.Duration {
	text := os.Getenv("EVENKEEL_FLOOD")
	if text == "" {
		return floodFor
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// floodable is a service that takes alerts.
type floodable struct {
	*rig.Process
	drain func() time.Duration // waits until all that was accepted is stored, and returns how long that took
}

// flooded is how it did.
type flooded struct {
	simulate.Flooded
	lag       time.Duration // from the last answer until all was stored
	generator time.Duration // CPU of this process
	accepting cpu           // until the last answer
	all       cpu
	memory    int // the most that the program alone had, in bytes
}

func floodEvenkeel(b *testing.B, measure func(floodable) flooded) flooded {
	b.Helper()
	dir := b.TempDir()
	config := filepath.Join(dir, "evenkeel.yml")
	if err := os.WriteFile(config, []byte(floodConfig()), 0o600); err != nil {
		b.Fatal(err)
	}
	s := serve(b, config, filepath.Join(dir, "data"))
	result := measure(floodable{s.Process, func() time.Duration { return drain(b, s) }})
	if err := s.Stop(); err != nil {
		b.Fatal(err)
	}
	return result
}

// floodAlertmanager floods Alertmanager, which is done when it has answered.
func floodAlertmanager(b *testing.B, measure func(floodable) flooded) flooded {
	b.Helper()
	am := rig.Alertmanager(b, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	result := measure(floodable{am, func() time.Duration { return 0 }})
	_ = am.Stop()
	return result
}

// measure floods f until all is posted or the time is over, and waits until it is stored.
func (f floodable) measure(b *testing.B, flood simulate.Flood, atMost time.Duration) flooded {
	b.Helper()
	flood.Address = strings.TrimPrefix(f.URL, "http://")
	before, mine := cpuOf(b, f.PID()), ownCPU(b)
	ctx, cancel := context.WithTimeout(b.Context(), atMost)
	defer cancel()
	result, err := flood.Run(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if result.Refused > 0 {
		b.Errorf("%d of %d requests were refused", result.Refused, result.Requests)
	}
	mine = ownCPU(b) - mine
	accepted := cpuOf(b, f.PID())
	lag := f.drain()
	return flooded{result, lag, mine, accepted.since(before), cpuOf(b, f.PID()).since(before), mostMemory(b, f.PID())}
}

// rate is how many alerts were accepted a second.
func (f flooded) rate() float64 { return float64(f.Alerts) / f.Took.Seconds() }

// keptUp tells whether alerts were taken at the flood's rate, and stored soon after.
func (f flooded) keptUp(flood simulate.Flood) bool {
	return f.lag < mostLag && f.rate() > 0.95*flood.Rate
}

// each is how much of a time one alert took, in microseconds.
func (f flooded) each(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1000 / float64(f.Alerts)
}

func (f flooded) report(b *testing.B, alertmanager flooded) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(f.rate(), "alerts/s")
	b.ReportMetric(f.rate()/alertmanager.rate(), "times-alertmanager")
	b.ReportMetric(float64(f.Quantile(0.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(f.Quantile(0.99).Microseconds())/1000, "p99-ms")
	b.ReportMetric(f.lag.Seconds(), "lag-s")
	b.ReportMetric(float64(f.Alerts)/(f.Took+f.lag).Seconds(), "stored/s")
	b.ReportMetric(f.each(f.generator), "generator-us/alert")
	b.ReportMetric(f.each(f.accepting.program), "program-us/alert-accepting")
	b.ReportMetric(f.each(f.all.program), "program-us/alert")
	b.ReportMetric(f.each(f.all.engine), "engine-us/alert")
	b.ReportMetric(float64(f.memory>>20), "program-MiB")
	b.ReportMetric(alertmanager.rate(), "alertmanager-alerts/s")
	b.ReportMetric(alertmanager.each(alertmanager.all.program), "alertmanager-us/alert")
	b.ReportMetric(float64(alertmanager.Quantile(0.99).Microseconds())/1000, "alertmanager-p99-ms")
	b.ReportMetric(float64(alertmanager.memory>>20), "alertmanager-MiB")
}

// drain waits until all that was accepted is stored, and returns how long that took.
func drain(b *testing.B, s *server) time.Duration {
	began := time.Now()
	last := metric(b, s, "evenkeel_journal_last_position")
	for metric(b, s, "evenkeel_partition_stored_position") < last {
		if time.Since(began) > 10*time.Minute {
			b.Fatal("what was accepted is not stored after ten minutes")
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(began)
}

// metric returns the value of a metric without labels.
func metric(t testing.TB, s *server, name string) float64 {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(fetch(t, s.url+"/metrics")))
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), name+" "); found {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// cpu is the time that a program and the engine below it have taken.
type cpu struct{ program, engine time.Duration }

// since is what was taken after an earlier time.
func (c cpu) since(before cpu) cpu { return cpu{c.program - before.program, c.engine - before.engine} }

// cpuOf reads it from /proc, where there is one.
func cpuOf(t testing.TB, pid int) cpu {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		rig.Missing(t, "/proc, to tell the CPU of the program from the engine's")
	}
	c := cpu{program: processCPU(t, pid)}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range children {
		text, _ := os.ReadFile(name) // a thread may have ended
		for child := range strings.FieldsSeq(string(text)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				t.Fatal(err)
			}
			c.engine += processCPU(t, id)
		}
	}
	return c
}

// processCPU reads utime and stime, in hundredths of a second.
// Source: proc_pid_stat(5), fields 14 and 15.
func processCPU(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var sum time.Duration
	for _, ticks := range fields[11:13] {
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// mostMemory is the most that the process had in memory at any time.
// Source: proc_pid_status(5), VmHWM, in KiB.
func mostMemory(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

func ownCPU(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
