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

// floodFor is how long each flood lasts; EVENKEEL_FLOOD sets another time.
const floodFor = 10 * time.Second

// floodLimits allow as many alerts as a flood can bring.
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
// durable as ever, and then waits until all of it is folded and stored. The CPU of the program, of
// its engine and of the generator (this process) are told apart.
func BenchmarkFlood(b *testing.B) {
	for _, kind := range []struct {
		name     string
		distinct bool
	}{{"repeats", false}, {"distinct", true}} {
		b.Run(kind.name, func(b *testing.B) {
			dir := b.TempDir()
			config := filepath.Join(dir, "evenkeel.yml")
			if err := os.WriteFile(config, []byte(floodConfig()), 0o600); err != nil {
				b.Fatal(err)
			}
			s := serve(b, config, filepath.Join(dir, "data"))
			flood := simulate.Flood{
				Address: strings.TrimPrefix(s.url, "http://"), Path: ingest.PathAlerts,
				Connections: 8, Batch: 64, Open: 8192, Distinct: kind.distinct,
			}
			if !kind.distinct { // all of them are known before it counts
				known, cancel := context.WithTimeout(b.Context(), floodFor)
				if _, err := flood.Run(known); err != nil {
					b.Fatal(err)
				}
				cancel()
				drain(b, s)
			}
			b.ResetTimer()
			measureFlood(b, s, flood)
		})
	}
}

func measureFlood(b *testing.B, s *server, flood simulate.Flood) {
	length := floodFor
	if text := os.Getenv("EVENKEEL_FLOOD"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			b.Fatal(err)
		}
		length = d
	}
	before, mine := cpuOf(b, s.PID()), ownCPU(b)
	ctx, cancel := context.WithTimeout(b.Context(), length)
	defer cancel()
	result, err := flood.Run(ctx)
	if err != nil {
		b.Fatal(err)
	}
	mine = ownCPU(b) - mine
	accepted := cpuOf(b, s.PID())
	lag := drain(b, s)
	after := cpuOf(b, s.PID())
	if result.Refused > 0 {
		b.Errorf("%d of %d requests were refused", result.Refused, result.Requests)
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(result.Alerts) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(result.Alerts)/result.Took.Seconds(), "alerts/s")
	b.ReportMetric(float64(result.Quantile(0.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(result.Quantile(0.99).Microseconds())/1000, "p99-ms")
	b.ReportMetric(lag.Seconds(), "lag-s")
	b.ReportMetric(float64(result.Alerts)/(result.Took+lag).Seconds(), "stored/s")
	b.ReportMetric(each(mine), "generator-us/alert")
	b.ReportMetric(each(accepted.program-before.program), "program-us/alert-accepting")
	b.ReportMetric(each(after.program-before.program), "program-us/alert")
	b.ReportMetric(each(after.engine-before.engine), "engine-us/alert")
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

func ownCPU(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
