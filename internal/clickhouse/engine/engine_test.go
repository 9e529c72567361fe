package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// start starts an engine for one test.
func start(t *testing.T, o Options) *Engine {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	e, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

// ask sends one query over HTTP, as the given user, and returns status and answer.
func ask(t *testing.T, e *Engine, user, password, sql string) (int, string) {
	t.Helper()
	target := url.URL{Scheme: "http", Host: address(e.settings.HTTPPort), Path: "/"}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target.String(), strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.Header.Set("X-ClickHouse-User", user)
		req.Header.Set("X-ClickHouse-Key", password)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(body))
}

// service is ask as the service's user; the query is to succeed.
func service(t *testing.T, e *Engine, sql string) string {
	t.Helper()
	status, body := ask(t, e, e.settings.User, e.settings.Password, sql)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d: %s", sql, status, body)
	}
	return body
}

func TestWhoHasNoPasswordReadsNothing(t *testing.T) {
	e := start(t, Options{})
	service(t, e, "CREATE DATABASE secret")
	service(t, e, "CREATE TABLE secret.t (a String) ENGINE = MergeTree ORDER BY a")
	service(t, e, "INSERT INTO secret.t VALUES ('treasure')")

	for _, sql := range []string{
		"SELECT * FROM secret.t",
		"SELECT count() FROM secret.t",
		"SELECT * FROM merge('secret', 't')",
		"SELECT * FROM remote('127.0.0.1', 'secret', 't')",
		fmt.Sprintf("SELECT * FROM remote('127.0.0.1:%d', 'secret', 't')", e.settings.TCPPort),
		"SELECT * FROM file('" + e.settings.Folder + "/users.xml', 'LineAsString')",
		"SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
		"SELECT * FROM system.processes",
		"SHOW CREATE TABLE secret.t",
		"DROP TABLE secret.t",
		"INSERT INTO secret.t VALUES ('x')",
		"CREATE TABLE secret.u (a String) ENGINE = Memory",
		"SYSTEM SHUTDOWN",
	} {
		if status, body := ask(t, e, "", "", sql); status == http.StatusOK {
			t.Errorf("%s was answered: %s", sql, body)
		}
	}
	for _, sql := range []string{"SHOW DATABASES", "SELECT database, name FROM system.tables", "SELECT query FROM system.columns"} {
		if _, body := ask(t, e, "", "", sql); strings.Contains(body, "secret") {
			t.Errorf("%s tells of what is there: %s", sql, body)
		}
	}
	if status, _ := ask(t, e, e.settings.User, "wrong", "SELECT 1"); status == http.StatusOK {
		t.Error("a wrong password is accepted")
	}
	if got := service(t, e, "SELECT * FROM secret.t"); got != "treasure" {
		t.Errorf("the service reads %q", got)
	}
}

func TestWhoHasNoPasswordCannotStopTheListeners(t *testing.T) {
	e := start(t, Options{})
	for _, sql := range []string{"SYSTEM STOP LISTEN TCP", "SYSTEM STOP LISTEN HTTP"} {
		if status, body := ask(t, e, "", "", sql); status == http.StatusOK {
			t.Errorf("%s was obeyed: %s", sql, body)
		}
	}
	if err := e.pinger.ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSecretsAreInNoOpenFileAndNoArgument(t *testing.T) {
	e := start(t, Options{})
	err := filepath.WalkDir(e.settings.Folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(content, []byte(e.settings.Password)) {
			t.Errorf("the password is in %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.xml", "users.xml"} {
		info, err := os.Stat(filepath.Join(e.settings.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if args := strings.Join(e.child.Load().cmd.Args, " "); strings.Contains(args, e.settings.Password) {
		t.Error("the password is in the arguments of the process")
	}
}

func TestMemoryIsBoundedAndInsertsReachTheDisk(t *testing.T) {
	e := start(t, Options{MaxMemoryBytes: 1 << 30, CacheBytes: 64 << 20})
	for setting, want := range map[string]string{
		"max_server_memory_usage":            "1073741824",
		"mark_cache_size":                    "67108864",
		"primary_index_cache_size":           "67108864",
		"index_mark_cache_size":              "67108864",
		"vector_similarity_index_cache_size": "67108864",
	} {
		if got := service(t, e, "SELECT value FROM system.server_settings WHERE name = '"+setting+"'"); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	for setting, want := range map[string]string{"fsync_after_insert": "1", "fsync_part_directory": "1"} {
		if got := service(t, e, "SELECT value FROM system.merge_tree_settings WHERE name = '"+setting+"'"); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	for setting, want := range map[string]string{"async_insert": "0", "insert_deduplicate": "0"} {
		if got := service(t, e, "SELECT value FROM system.settings WHERE name = '"+setting+"'"); got != want {
			t.Errorf("%s is %s, want %s", setting, got, want)
		}
	}
	if got := service(t, e, "SELECT timezone()"); got != "UTC" {
		t.Errorf("the zone is %s", got)
	}
}

func TestEngineThatWasKilledComesBackAsItWas(t *testing.T) {
	registry := prometheus.NewRegistry()
	e := start(t, Options{Registerer: registry})
	dsn := e.DSN("x")
	service(t, e, "CREATE TABLE default.t (a UInt64) ENGINE = MergeTree ORDER BY a")
	service(t, e, "INSERT INTO default.t SELECT number FROM numbers(1000)")
	killed := e.PID()
	kill(t, killed)
	eventually(t, 30*time.Second, "a new child answers", func() bool {
		return e.PID() != 0 && e.PID() != killed && e.pinger.ping(t.Context()) == nil
	})
	if e.DSN("x") != dsn {
		t.Errorf("the address was %s and is %s", dsn, e.DSN("x"))
	}
	if got := service(t, e, "SELECT count(), sum(a) FROM default.t"); got != "1000\t499500" {
		t.Errorf("after the kill the table holds %q", got)
	}
	eventually(t, 5*time.Second, "the metrics say so", func() bool {
		return testutil.ToFloat64(e.metrics.restarts) == 1 && testutil.ToFloat64(e.metrics.up) == 1
	})
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v, %v", problems, err)
	}
}

// The library would abort at the first of them. See takeTerminal.
func TestClientsThatHangUpOrTalkNonsenseDoNotEndTheChild(t *testing.T) {
	e := start(t, Options{})
	pid := e.PID()
	login := "X-ClickHouse-User: " + e.settings.User + "\r\nX-ClickHouse-Key: " + e.settings.Password + "\r\n"
	for range 25 {
		for _, client := range []struct {
			port int
			says string
		}{
			{e.settings.TCPPort, ""},
			{e.settings.TCPPort, "GET / HTTP/1.1\r\n\r\n"},
			{e.settings.TCPPort, "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
			{e.settings.HTTPPort, "GET /?query=SELECT"},
			{e.settings.HTTPPort, "GET /?query=SELECT+number+FROM+system.numbers HTTP/1.1\r\nHost: x\r\n" + login + "\r\n"},
		} {
			hangUpOn(t, client.port, client.says)
		}
	}
	if got := service(t, e, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
	if e.PID() != pid || testutil.ToFloat64(e.metrics.restarts) != 0 {
		t.Errorf("the child was %d and is %d", pid, e.PID())
	}
}

// hangUpOn connects, speaks, waits until it is answered, if it is, and resets the connection.
func hangUpOn(t *testing.T, port int, says string) {
	t.Helper()
	conn, err := net.Dial("tcp4", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, says); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, _ = conn.Read(make([]byte, 1))
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
}

func TestStopEndsTheChildAndFreesFolderAndMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	folder := t.TempDir()
	for range 2 { // the second finds nothing in its way
		e, err := Start(t.Context(), Options{Folder: folder, Registerer: registry})
		if err != nil {
			t.Fatal(err)
		}
		pid := e.PID()
		begun := time.Now()
		e.Stop()
		e.Stop()
		if took := time.Since(begun); took > 5*time.Second { // it is killed then
			t.Errorf("stopping took %s", took)
		}
		if alive(pid) {
			t.Errorf("process %d is still there", pid)
		}
	}
}

func TestSignalsForTheWholeGroupDoNotEndTheChild(t *testing.T) {
	e := start(t, Options{})
	pid := e.PID()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	if err := e.pinger.ping(t.Context()); err != nil || e.PID() != pid {
		t.Errorf("after the signals: %v, process %d was %d", err, e.PID(), pid)
	}
}

// parentEnv makes the test binary start an engine in the named folder, say the child's process
// id, and wait: see TestMain.
const parentEnv = "EVENKEEL_TEST_ENGINE_PARENT"

func runParent(folder string) int {
	e, err := Start(context.Background(), Options{Folder: folder})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(e.PID())
	select {}
}

// killedParent starts an engine in a process of its own, kills that process, and returns the id of
// the engine's process.
func killedParent(t *testing.T, folder string) (child int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.CommandContext(t.Context(), self)
	parent.Env = append(os.Environ(), parentEnv+"="+folder)
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if child, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	if !alive(child) {
		t.Fatalf("there is no child %d", child)
	}
	kill(t, parent.Process.Pid)
	_ = parent.Wait() // it was killed
	return child
}

func TestChildEndsWithAKilledParent(t *testing.T) {
	child := killedParent(t, t.TempDir())
	eventually(t, 5*time.Second, "the child has ended", func() bool { return !alive(child) })
}

func TestFolderOfAKilledParentIsTakenOverAtOnce(t *testing.T) {
	folder := t.TempDir()
	killedParent(t, folder)
	begun := time.Now()
	start(t, Options{Folder: folder})
	t.Logf("taken over after %s", time.Since(begun))
}

func TestDataThatAnotherEngineHasOpenIsSaid(t *testing.T) {
	first := start(t, Options{})
	folder := t.TempDir() // not locked itself, but its data is
	if err := os.Symlink(filepath.Join(first.settings.Folder, "data"), filepath.Join(folder, "data")); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Folder: folder}); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestFolderThatIsInUseIsSaidAndLeftAlone(t *testing.T) {
	first := start(t, Options{})
	config, err := os.ReadFile(first.settings.configPath())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{Folder: first.settings.Folder})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), first.settings.Folder) {
		t.Errorf("got %v", err)
	}
	if err := first.pinger.ping(t.Context()); err != nil {
		t.Errorf("the first engine suffers: %v", err)
	}
	now, err := os.ReadFile(first.settings.configPath())
	if err != nil || !bytes.Equal(now, config) {
		t.Errorf("the first engine's configuration was changed: %v", err)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	notALibrary := filepath.Join(t.TempDir(), "libchdb.so")
	if err := os.WriteFile(notALibrary, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		options Options
		want    string
	}{
		"a port that is taken": {
			Options{Folder: t.TempDir(), TCPPort: portOf(taken)}, "the engine's port is taken or not allowed: " + strconv.Itoa(portOf(taken)),
		},
		"a library that is missing": {
			Options{Folder: t.TempDir(), Library: "/nowhere/libchdb.so"}, "run `evenkeel engine fetch`",
		},
		"a library that is none": {
			Options{Folder: t.TempDir(), Library: notALibrary}, "open engine: " + notALibrary,
		},
		"an executable that does not know the subcommand": {
			Options{Folder: t.TempDir(), Executable: "/bin/false"}, "exit status 1",
		},
		"no folder": {
			Options{}, "no folder",
		},
		"a folder that cannot be made": {
			Options{Folder: "/dev/null/x"}, "not a directory",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), test.options)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestPortThatIsTakenMeanwhileIsWaitedFor(t *testing.T) {
	for name, port := range map[string]func(settings) int{
		"tcp":  func(s settings) int { return s.TCPPort },
		"http": func(s settings) int { return s.HTTPPort },
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, Options{MaxPause: 200 * time.Millisecond})
			killed := e.PID()
			kill(t, killed)
			thief := listenSoon(t, port(e.settings))
			eventually(t, 20*time.Second, "a child has tried", func() bool { return testutil.ToFloat64(e.metrics.restarts) >= 2 })
			thief.Close()
			eventually(t, 20*time.Second, "the engine is back", func() bool {
				return e.PID() != 0 && e.PID() != killed && e.pinger.ping(t.Context()) == nil
			})
		})
	}
}

// listenSoon takes the port as soon as it is free.
func listenSoon(t *testing.T, port int) net.Listener {
	t.Helper()
	var l net.Listener
	eventually(t, 5*time.Second, "the port is free", func() bool {
		var err error
		l, err = net.Listen("tcp4", address(port))
		return err == nil
	})
	return l
}

func TestFreePortThatIsLostBeforeTheStartIsReplaced(t *testing.T) {
	e, err := prepare(Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	lost := e.settings.TCPPort
	thief := listenSoon(t, lost)
	defer thief.Close()
	if err := e.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	if e.settings.TCPPort == lost {
		t.Errorf("it listens on %d", lost)
	}
	if got := service(t, e, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{Folder: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestIdleEngineIsQuiet(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	e := start(t, Options{})
	time.Sleep(2 * time.Second)
	before := cpuTime(t, e.PID())
	const window = 4 * time.Second
	time.Sleep(window)
	used := cpuTime(t, e.PID()) - before
	t.Logf("idle: %.1f %% of one core, %d MB resident", 100*used.Seconds()/window.Seconds(), resident(t, e.PID())>>20)
	if used > window/5 {
		t.Errorf("the idle engine used %s of CPU in %s", used, window)
	}
}

func TestEnginesLogHasLevels(t *testing.T) {
	tests := map[string]struct {
		level   slog.Level
		message string
	}{
		"2026.11.22 18:32:19.916080 [ 1765 ] {2aeb} <Error> executeQuery: Code: 201.":      {slog.LevelWarn, "executeQuery: Code: 201."},
		"2026.11.22 18:32:19.916080 [ 1765 ] {} <Warning> Context: Effective user differs": {slog.LevelWarn, "Context: Effective user differs"},
		"2026.11.22 18:32:19.916080 [ 1765 ] {} <Fatal> BaseDaemon: Segmentation fault":    {slog.LevelError, "BaseDaemon: Segmentation fault"},
		"2026.11.22 18:32:19.916080 [ 1765 ] {} <Information> Application: Listening":      {slog.LevelInfo, "Application: Listening"},
		"12. ? @ 0x000000001c8fa4b3":   {slog.LevelDebug, "12. ? @ 0x000000001c8fa4b3"},
		"engine-child: open engine: x": {slog.LevelError, "open engine: x"},
	}
	for line, want := range tests {
		if level, message := parseLine(line); level != want.level || message != want.message {
			t.Errorf("%s: got %v %q", line, level, message)
		}
	}
}

func TestWhatTheEngineSaysIsLogged(t *testing.T) {
	var buf bytes.Buffer
	e := start(t, Options{Logger: slog.New(slog.NewJSONHandler(&buf, nil))})
	_, _ = ask(t, e, e.settings.User, e.settings.Password, "SELECT nonsense_here")
	e.Stop() // nothing is written after this
	for _, want := range []string{"Engine is up", "nonsense_here", `"level":"WARN"`} {
		if !strings.Contains(buf.String(), want) {
			t.Errorf("%s is not in the log:\n%s", want, buf.String())
		}
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// alive says whether there is such a process that is not a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) && exists("/proc/self") {
		return false
	}
	if err != nil { // no /proc here
		return syscall.Kill(pid, 0) == nil
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// cpuTime is the CPU time of a process, of fields 14 and 15 of /proc/PID/stat in hundredths of a
// second (proc(5)).
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	var ticks int
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// resident is the memory of a process in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(within); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}
