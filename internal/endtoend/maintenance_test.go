package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/sla"
)

// A window is told of when it runs, and cancelled later. Whatever speaks from in between has it, and whatever speaks from
// after that has not.
func TestAWindowThatIsPostedIsMaintenanceUntilItIsCancelled(t *testing.T) {
	catalogue := writeFile(t, "catalogue.yml", catalogueOfTwo)
	s := serve(t, writeFile(t, "evenkeel.yml", "catalogue: ["+catalogue+"]\n"), t.TempDir())
	begin := s.storedTime(t)
	told := func(cancelled bool) ingest.Millis {
		body := fmt.Sprintf(`{"kind":"maintenance","id":"m-1","service":"checkout","from":%q,"to":%q,"cancelled":%t}`, begin, begin+ingest.Hour, cancelled)
		expect(t, s, ingest.PathChanges, []byte(body), http.StatusOK)
		waitAllStored(t, s)
		at := s.storedTime(t)
		eventually(t, 30*time.Second, "time goes on", func() bool { return s.storedTime(t) > max(at, begin+ingest.Second) })
		return s.storedTime(t)
	}
	during := told(false)
	after := told(true)
	for _, then := range []struct {
		asOf ingest.Millis
		want sla.Buckets
		late []string
	}{
		{during, sla.Buckets{Maintenance: 1000}, []string{"checkout"}},
		{after, sla.Buckets{Up: 1000}, []string{}},
	} {
		var levels api.LevelList
		s.get(t, "/api/v1/availability", url.Values{
			"service": {"checkout"}, "agreement": {"public"}, "from": {begin.String()}, "to": {(begin + ingest.Second).String()}, "as_of": {then.asOf.String()},
		}, &levels)
		if len(levels.Levels) != 1 || levels.Levels[0].Matrix.Buckets != then.want {
			t.Errorf("as of %s: %+v, want %+v", then.asOf, levels.Levels, then.want)
		}
		var report improve.Report
		page := fmt.Sprintf("%s/api/v1/reports/%s?as_of=%s", s.url, begin.Time().UTC().Format("2006-01"), url.QueryEscape(then.asOf.String()))
		if err := json.Unmarshal(fetch(t, page), &report); err != nil {
			t.Fatal(err)
		}
		if got := report.Quality.LateWindows; !slices.Equal(got, then.late) {
			t.Errorf("as of %s the report knows of late windows of %q, want %q", then.asOf, got, then.late)
		}
	}
}
