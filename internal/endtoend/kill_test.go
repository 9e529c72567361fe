package endtoend

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// kill -9 of the service at any moment, start-up included, loses nothing that was acknowledged
// and stores nothing twice; what is stored is what its journal says.
func TestKilledServiceLosesNothing(t *testing.T) {
	dice := newDice(t)
	config, storage, port := loadConfig(t), t.TempDir(), rig.FreePort(t)
	l := startLoad(t, fmt.Sprintf("http://127.0.0.1:%d", port))
	for range kills {
		p := begin(t, config, storage, port)
		after := 300*time.Millisecond + time.Duration(dice.Int64N(int64(2200*time.Millisecond)))
		select {
		case <-time.After(after):
		case <-p.Done():
			t.Fatalf("the service ended by itself:\n%s", p.Log())
		}
		p.Kill()
		t.Logf("killed %s after its start; %d deliveries accepted so far", after.Round(time.Millisecond), l.accepted())
	}
	s := serveOn(t, config, storage, port)
	time.Sleep(500 * time.Millisecond)
	l.end()
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	checkAll(t, storage, l)
}

// kill -9 of the engine's process at any moment loses nothing and stores nothing twice; the
// service goes on accepting meanwhile.
func TestKilledEngineLosesNothing(t *testing.T) {
	dice := newDice(t)
	config, storage := loadConfig(t), t.TempDir()
	s := serve(t, config, storage)
	l := startLoad(t, s.url)
	last := 0
	for range kills {
		time.Sleep(time.Duration(dice.Int64N(int64(1500 * time.Millisecond))))
		var pid int
		eventually(t, 30*time.Second, "another engine runs", func() bool {
			pid = childOf(t, s.PID())
			return pid != 0 && pid != last
		})
		last = pid
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		before := l.accepted()
		eventually(t, 10*time.Second, "a delivery is accepted without the engine", func() bool { return l.accepted() > before })
		t.Logf("killed engine %d; %d deliveries accepted so far", pid, before)
	}
	l.end()
	if l.failures > 0 {
		t.Errorf("%d deliveries were not accepted at once while the engine was away: %v", l.failures, l.statuses)
	}
	waitAllStored(t, s)
	stopGracefully(t, s.Process)
	checkAll(t, storage, l)
}

// checkAll compares all that is left with what was sent and with a replay.
func checkAll(t *testing.T, storage string, l *load) {
	t.Helper()
	left := openLeftovers(t, storage)
	left.checkLoad(t, l)
	left.checkReplay(t)
	left.checkReconciled(t)
	left.checkReplayCommand(t)
}

func newDice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// begin starts the service and does not wait for it.
func begin(t *testing.T, config, storage string, port int) *rig.Process {
	t.Helper()
	cmd := exec.Command(rig.Binary(t), "serve", "--config.file="+config, "--storage.path="+storage,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	return rig.Start(t, "evenkeel", cmd, fmt.Sprintf("http://127.0.0.1:%d", port), "")
}

// stopGracefully sends SIGTERM and checks that the service ends with success, in time.
func stopGracefully(t *testing.T, p *rig.Process) {
	t.Helper()
	const within = 15 * time.Second
	began := time.Now()
	p.Signal(t, syscall.SIGTERM)
	select {
	case <-p.Done():
	case <-time.After(within):
		t.Errorf("the service has not stopped within %s", within)
	}
	if err := p.Stop(); err != nil {
		t.Errorf("the service stopped with %v", err)
	}
	t.Logf("stopped in %s", time.Since(began).Round(time.Millisecond))
}

// childOf returns a child of the process, 0 where there is none.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(lists) == 0 {
		rig.Missing(t, "this system does not list the children of process %d in /proc", pid)
	}
	for _, list := range lists {
		children, _ := os.ReadFile(list) // the thread may have ended
		if fields := strings.Fields(string(children)); len(fields) > 0 {
			child, err := strconv.Atoi(fields[0])
			if err != nil {
				t.Fatal(err)
			}
			return child
		}
	}
	return 0
}
