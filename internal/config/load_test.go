package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/sla"
)

var update = flag.Bool("update", false, "write what the files of testdata and docs should hold")

// Each file of testdata holds a configuration and every message that it must
// give: its errors in "want", its warnings in "want warnings".
func TestEveryMistakeIsReportedWithItsPlace(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories in testdata: %v", err)
	}
	for _, story := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(story), ".txtar"), func(t *testing.T) { tell(t, story) })
	}
}

func tell(t *testing.T, story string) {
	archive, err := txtar.ParseFile(story)
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, archive)
	_, warnings, err := config.Load(filepath.Join(dir, "evenkeel.yml"))
	got := map[string]string{"want warnings": warnings.String()}
	if err != nil {
		got["want"] = err.Error()
	}
	checked := false
	for i, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want") {
			continue
		}
		checked = true
		text := strings.ReplaceAll(got[f.Name], dir+string(filepath.Separator), "") + "\n"
		delete(got, f.Name)
		if *update {
			archive.Files[i].Data = []byte(text)
			continue
		}
		if diff := cmp.Diff(string(f.Data), text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
	for name, text := range got {
		if text != "" {
			t.Errorf("%s: the story says nothing of\n%s", name, text)
		}
	}
	if !checked {
		t.Error("the story wants nothing")
	}
	if *update {
		write(t, story, txtar.Format(archive))
	}
}

func unpack(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want") {
			write(t, filepath.Join(dir, f.Name), f.Data)
		}
	}
	return dir
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	name := filepath.Join(t.TempDir(), "evenkeel.yml")
	write(t, name, []byte(text))
	c, _, err := config.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnEmptyFileIsTheDefault(t *testing.T) {
	got, want := load(t, ""), config.Default()
	if diff := cmp.Diff(want.Correlation(), got.Correlation()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want.Levels(), got.Levels()); diff != "" {
		t.Error(diff)
	}
	if got.Journal != want.Journal || got.ClickHouse != want.ClickHouse || got.Ingest != want.Ingest || got.Zone != "UTC" {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTheLeastThatMustLoad(t *testing.T) {
	c := load(t, `
services:
  - name: checkout
    owner: team-payments
    tier: 1
    depends_on: [cart, payment]
`)
	want := []correlate.Service{{Name: "checkout", Owner: "team-payments", Tier: 1, DependsOn: []string{"cart", "payment"}}}
	if diff := cmp.Diff(want, c.Correlation().Services); diff != "" {
		t.Error(diff)
	}
}

func TestAWholeServiceBecomesWhatTheStagesKnow(t *testing.T) {
	c := load(t, `
zone: Europe/Berlin
sources:
  - {name: other, heartbeat: {every: 1h}}
  - {name: am, tenant: team, heartbeat: {matchers: alertname="Watchdog", every: 5m, services: [b, a]}}
correlation: {copy_window: 10m, stale_after: 1d, forget_after: 3d, reopen_window: 1h30m, service_labels: [svc], grouping: {span: 20m, spread: 50%, own: 2.5, hops: 2}}
levels:
  impact:
    - matchers: [severity=~"page|critical", env!="test"]
      state: down
calendars:
  - name: office
    hours:
      - {weekdays: [saturday:sunday, friday], from: "8:00", to: "18:30"}
    holidays: [2026-12-26, 2026-12-25, 2026-12-25]
services:
  - name: b
    matchers: '{job="b", env="prod"}'
    agreements:
      - {name: z, objective: 99.95%, calendar: office, window: quarter, policy: {preset: gcp, degraded_weight: 50%}}
      - {name: a, objective: 0.999, policy: aws, zone: America/New_York}
    maintenance:
      - {from: 2026-07-01 02:00, to: "2026-07-01T02:00:00Z", reason: upgrade}
      - {from: 2026-01-05 09:00, to: 2026-01-05 10:00, zone: Asia/Tokyo}
  - name: a
    impact: [{matchers: alertname="Known", state: up}]
    matchers:
      - [job="a"]
      - [team="x", env="prod"]
    depends_on: [b, b, a]
`)
	wantCorrelation := correlate.Config{
		ServiceLabels: []string{"svc"}, CopyWindow: 600_000, StaleAfter: 86_400_000, ForgetAfter: 3 * 86_400_000, ReopenWindow: 5_400_000,
		Limits:   correlate.DefaultLimits,
		Grouping: correlate.Grouping{Span: 1_200_000, Spread: 0.5, Own: 2.5, Hops: 2},
		Heartbeats: []correlate.Heartbeat{
			{Tenant: "team", Source: "am", Every: 300_000, Services: []string{"a", "b"}, Matchers: []correlate.Match{{Name: "alertname", Op: "=", Value: "Watchdog"}}},
			{Source: "other", Every: 3_600_000},
		},
		Services: []correlate.Service{
			{Name: "a", DependsOn: []string{"b"}, Matchers: [][]correlate.Match{
				{{Name: "job", Op: "=", Value: "a"}},
				{{Name: "team", Op: "=", Value: "x"}, {Name: "env", Op: "=", Value: "prod"}},
			}},
			{Name: "b", Matchers: [][]correlate.Match{{{Name: "job", Op: "=", Value: "b"}, {Name: "env", Op: "=", Value: "prod"}}}},
		},
	}
	if diff := cmp.Diff(wantCorrelation, c.Correlation()); diff != "" {
		t.Error("correlation (-want +got):\n" + diff)
	}
	wantLevels := sla.Config{
		Zone: "Europe/Berlin",
		Impact: []sla.ImpactRule{{State: sla.Down, Matchers: []correlate.Match{
			{Name: "severity", Op: "=~", Value: "page|critical"}, {Name: "env", Op: "!=", Value: "test"},
		}}},
		Calendars: []sla.Calendar{{
			Name: "office", Zone: "Europe/Berlin", Holidays: []string{"2026-12-25", "2026-12-26"},
			Hours: []sla.Hours{{Weekdays: []int{0, 5, 6}, From: 480, To: 1110}},
		}},
		Services: []sla.ServiceLevels{
			{Name: "a", Impact: []sla.ImpactRule{{State: sla.Up, Matchers: []correlate.Match{{Name: "alertname", Op: "=", Value: "Known"}}}}},
			{
				Name: "b",
				Agreements: []sla.Agreement{
					{Name: "a", Objective: 0.999, Zone: "America/New_York", Window: "month", Policy: sla.Policy{Preset: "aws", Maintenance: "excluded", Unknown: "up"}},
					{Name: "z", Objective: 0.9995, Zone: "Europe/Berlin", Window: "quarter", Calendar: "office",
						Policy: sla.Policy{Preset: "gcp", Maintenance: "counts", Unknown: "up", DegradedWeight: 0.5}},
				},
				Maintenance: []sla.Maintenance{
					{From: 1767571200000, To: 1767574800000},                    // 2026-01-05 00:00 to 01:00 UTC
					{From: 1782864000000, To: 1782871200000, Reason: "upgrade"}, // 2026-07-01 00:00 to 02:00 UTC
				},
			},
		},
	}
	if diff := cmp.Diff(wantLevels, c.Levels()); diff != "" {
		t.Error("levels (-want +got):\n" + diff)
	}
}

func TestAStreamKnowsTheTenantsOfAllSources(t *testing.T) {
	c := load(t, `
sources:
  - {name: eu, tenant: shop}
  - {name: us}
streams:
  - {name: s, brokers: ["127.0.0.1:9092"], group: g, topics: [t]}
`)
	if diff := cmp.Diff(map[string]string{"eu": "shop"}, c.Streams()[0].Tenants); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAStreamKnowsTheSourcesThatLiveAsLongAsItIsRead(t *testing.T) {
	c := load(t, `
sources:
  - {name: us, heartbeat: {stream: s, every: 1m}}
  - {name: eu, tenant: shop, heartbeat: {stream: s, every: 5m}}
  - {name: am, heartbeat: {every: 5m}}
streams:
  - {name: s, brokers: ["127.0.0.1:9092"], group: g, topics: [b, {name: a, source: eu}, {name: d, tenant: shop}, {name: c, source: us}]}
`)
	s := c.Streams()[0]
	want := []stream.Heartbeat{{Tenant: "shop", Source: "eu", Every: 5 * time.Minute}, {Source: "us", Every: time.Minute}}
	if diff := cmp.Diff(want, s.Heartbeats); diff != "" {
		t.Errorf("heartbeats (-want +got)\n%s", diff)
	}
	for _, h := range []struct{ tenant, source, topics string }{{"shop", "eu", "a b d"}, {"", "us", "b c"}} {
		if got := strings.Join(s.Carry(h.tenant, h.source), " "); got != h.topics {
			t.Errorf("%s of tenant %q is carried by %s, want %s", h.source, h.tenant, got, h.topics)
		}
	}
	if got := c.Correlation().Heartbeats[1]; got.Stream != "s" || got.Source != "eu" {
		t.Errorf("the fold knows %+v", got)
	}
}

func TestCatalogueFilesOnTheCommandLineReplaceTheRootsServices(t *testing.T) {
	dir := t.TempDir()
	root, other := filepath.Join(dir, "evenkeel.yml"), filepath.Join(dir, "other.yml")
	write(t, root, []byte("zone: Asia/Tokyo\ncatalogue: [nowhere.yml]\nservices: [{name: a}]\n"))
	write(t, other, []byte("services: [{name: b}]\n"))
	c, _, err := config.Load(root, other)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Correlation().Services; len(s) != 1 || s[0].Name != "b" || c.Zone != "Asia/Tokyo" {
		t.Errorf("services %v in zone %s, want b of other.yml in the root's Asia/Tokyo", s, c.Zone)
	}
	if diff := cmp.Diff([]string{root, other}, c.Files()); diff != "" {
		t.Error(diff)
	}
}

func TestTheOrderOfFilesAndServicesDoesNotMatter(t *testing.T) {
	one := load(t, "services: [{name: a, depends_on: [c, b]}, {name: b}, {name: c}]")
	two := load(t, "services: [{name: c}, {name: b}, {name: a, depends_on: [b, c]}]")
	first, err1 := json.Marshal([]any{one.Correlation(), one.Levels()})
	second, err2 := json.Marshal([]any{two.Correlation(), two.Levels()})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("the same services in another order give another record:\n%s\n%s", first, second)
	}
}

func TestPasswordFileIsRelativeToTheRoot(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), []byte("x"))
	write(t, filepath.Join(dir, "evenkeel.yml"), []byte("clickhouse: {dsn: 'clickhouse://me@db:9000', password_file: secret}\n"))
	c, warnings, err := config.Load(filepath.Join(dir, "evenkeel.yml"))
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	if want := filepath.Join(dir, "secret"); c.ClickHouse.PasswordFile != want {
		t.Errorf("password_file is %s, want %s", c.ClickHouse.PasswordFile, want)
	}
}

func TestAFileThatIsNotThereIsSaidPlainly(t *testing.T) {
	_, _, err := config.Load("nowhere.yml")
	if want := "nowhere.yml: cannot be read: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEnvironmentIsNotExpanded(t *testing.T) {
	t.Setenv("OWNER", "team-web")
	c := load(t, "services: [{name: a, owner: '${OWNER}'}]")
	if got := c.Correlation().Services[0].Owner; got != "${OWNER}" {
		t.Errorf("owner is %q, want it as it was written", got)
	}
}

func TestTheSampleCataloguesLoad(t *testing.T) {
	for _, name := range []string{"calm", "busy", "dense"} {
		c, _, err := config.LoadCatalogue(rig.Shared(t, "data/storms/"+name+"/catalogue.yml"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(c.Correlation().Services); n < 60 {
			t.Errorf("%s: %d services, want at least 60", name, n)
		}
	}
}

func TestTheExamplesLoadWithoutAWarning(t *testing.T) {
	c, warnings, err := config.Load("../../examples/evenkeel.yml")
	if err != nil || len(warnings) > 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	if len(c.Correlation().Services) < 5 || len(c.Levels().Calendars) == 0 {
		t.Errorf("the examples say too little: %+v", c)
	}
}
