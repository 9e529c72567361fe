package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// server is a running `evenkeel serve` with an engine inside.
type server struct {
	*rig.Process
	url     string
	config  string
	storage string
}

// serve starts the program on the storage folder, which may hold what an earlier
// run left there, and waits until it is ready.
func serve(t testing.TB, config, storage string) *server {
	t.Helper()
	return serveOn(t, config, storage, rig.FreePort(t))
}

func serveOn(t testing.TB, config, storage string, port int) *server {
	t.Helper()
	s := &server{url: fmt.Sprintf("http://127.0.0.1:%d", port), config: config, storage: storage}
	cmd := exec.Command(rig.Binary(t), "serve", "--config.file="+config, "--storage.path="+storage,
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	s.Process = rig.Start(t, "evenkeel", cmd, s.url, "/-/ready")
	return s
}

// evenkeel runs a subcommand and returns its output; anything but success ends t.
func evenkeel(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(rig.Binary(t), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("evenkeel %v: %v\n%s", args, err, stderr.String())
	}
	return stdout.String()
}

// get reads path from the API into data.
func (s *server) get(t *testing.T, path string, query url.Values, data any) {
	t.Helper()
	target := s.url + path + "?" + query.Encode()
	body := fetch(t, target)
	envelope := struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   any    `json:"data"`
	}{Data: data}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Status != "success" {
		t.Fatalf("GET %s: %v %s", target, err, body)
	}
}

// fetch returns what url answers, which must be 200.
func fetch(t testing.TB, url string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v\n%.2000s", url, resp.Status, err, body)
	}
	return body
}

// post sends a webhook body and returns the status, or an error where no answer came.
func (s *server) post(ctx context.Context, path string, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// writeFile writes content to a file of that name in a folder of t's.
func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually calls ok until it is true, at most for so long.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
