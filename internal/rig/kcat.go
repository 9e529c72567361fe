package rig

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// Kcat runs kcat, a Kafka client on librdkafka, with the input, and returns what it wrote to
// its standard output. Consuming wants -e, so that it ends at the topic's end.
func Kcat(t testing.TB, input string, args ...string) string {
	t.Helper()
	cmd := KcatCommand(t, args...)
	cmd.Stdin = strings.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kcat %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// KcatCommand is kcat, not started yet, for who writes to it bit by bit.
func KcatCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	binary := part(t, parts.Kcat)
	cmd := exec.Command(binary, args...)
	dir := strings.TrimSuffix(binary, filepath.FromSlash(parts.KcatProgram))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+parts.KcatLibraries(dir))
	cmd.Stderr = io.Discard
	return cmd
}
