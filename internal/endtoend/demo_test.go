package endtoend

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/rig"
)

// The demo ends by itself, leaves the report in three formats, and the same seed and end of
// history give the same bytes whenever it runs.
func TestTheDemoGivesTheSameReportTwice(t *testing.T) {
	var first map[string][]byte
	for range 2 {
		out := t.TempDir()
		began := time.Now()
		evenkeel(t, "demo", "--once", "--output="+out, "--seed=3", "--now=2026-11-01T00:00:00Z",
			fmt.Sprintf("--web.listen-address=127.0.0.1:%d", rig.FreePort(t)))
		t.Logf("the demo took %s", time.Since(began).Round(time.Second))
		reports := map[string][]byte{}
		for _, name := range []string{"report.html", "report.md", "report.json"} {
			b, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(b) < 1000 {
				t.Errorf("%s has %d bytes: there is nothing in it", name, len(b))
			}
			reports[name] = b
		}
		if first == nil {
			first = reports
			continue
		}
		for name, b := range reports {
			if !bytes.Equal(b, first[name]) {
				t.Errorf("%s differs between two runs of the same demo", name)
			}
		}
	}
}
