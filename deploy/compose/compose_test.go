package compose_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/rig"
	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// composeFile holds what compose.yml uses of Compose's format; another key is an error, so that
// a misspelt one is seen.
type composeFile struct {
	Name     string
	Services map[string]service
	Secrets  map[string]struct{ Environment string }
	Volumes  map[string]struct{}
}

type service struct {
	Image       string
	Profiles    []string
	Build       struct{ Context, Dockerfile string }
	Command     []string
	Environment map[string]string
	Volumes     []string
	Secrets     []string
	Ports       []string
	DependsOn   dependencies `yaml:"depends_on"`
	Healthcheck struct {
		Test              []string
		Interval, Timeout string
		Retries           int
	}
	Ulimits         map[string]struct{ Soft, Hard int }
	Restart         string
	StopGracePeriod string `yaml:"stop_grace_period"`
}

// dependencies are written as a list or as a map with conditions.
type dependencies []string

func (d *dependencies) UnmarshalYAML(unmarshal func(any) error) error {
	var byName map[string]struct{ Condition string }
	if unmarshal((*[]string)(d)) == nil {
		return nil
	}
	if err := unmarshal(&byName); err != nil {
		return err
	}
	for name := range byName {
		*d = append(*d, name)
	}
	return nil
}

func compose(t *testing.T) composeFile {
	t.Helper()
	var c composeFile
	strict(t, "compose.yml", &c)
	return c
}

func strict(t *testing.T, file string, into any) {
	t.Helper()
	content := read(t, file)
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestTheFiveServicesAreThereAndKafkaWhereItIsAskedFor(t *testing.T) {
	c := compose(t)
	for _, name := range []string{"alertmanager", "clickhouse", "evenkeel", "grafana", "prometheus"} {
		if s, ok := c.Services[name]; !ok || len(s.Profiles) > 0 {
			t.Errorf("no service %s without a profile", name)
		}
	}
	if profiles := c.Services["kafka"].Profiles; !slices.Equal(profiles, []string{"kafka"}) {
		t.Errorf("kafka has the profiles %q", profiles)
	}
	for name, s := range c.Services {
		for _, other := range s.DependsOn {
			if _, ok := c.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, other)
			}
		}
		if tag := s.Image[strings.LastIndex(s.Image, ":")+1:]; tag == "latest" || tag == s.Image {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
	}
}

func TestEveryFileAndVolumeThatIsMountedIsThere(t *testing.T) {
	c := compose(t)
	used := map[string]bool{}
	for name, s := range c.Services {
		for _, mount := range s.Volumes {
			source, _, _ := strings.Cut(mount, ":")
			if !strings.HasPrefix(source, ".") {
				used[source] = true
				if _, ok := c.Volumes[source]; !ok {
					t.Errorf("%s mounts the volume %s, which is not declared", name, source)
				}
				continue
			}
			if _, err := os.Stat(source); err != nil {
				t.Errorf("%s mounts %s: %v", name, source, err)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].Environment == "" {
				t.Errorf("%s uses the secret %s, which is not declared", name, secret)
			}
		}
		if s.Build.Context != "" {
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s is built from: %v", name, err)
			}
		}
	}
	for volume := range c.Volumes {
		if !used[volume] {
			t.Errorf("nobody mounts the volume %s", volume)
		}
	}
}

// Nothing here asks for a login but Grafana and ClickHouse.
func TestPortsArePublishedOnTheLoopbackOnly(t *testing.T) {
	seen := map[string]string{}
	for name, s := range compose(t).Services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s beyond this machine", name, port)
			}
			outer := strings.Split(port, ":")[1]
			if other, taken := seen[outer]; taken {
				t.Errorf("%s and %s publish port %s", name, other, outer)
			}
			seen[outer] = name
		}
	}
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)`)

func TestEveryPasswordIsMadeByTheCommandOfTheReadme(t *testing.T) {
	readme := read(t, "README.md")
	for _, m := range variable.FindAllSubmatch(read(t, "compose.yml"), -1) {
		if who := bytes.TrimSuffix(m[1], []byte("_PASSWORD")); !regexp.MustCompile(`for name in [A-Z ]*\b` + string(who) + `\b`).Match(readme) {
			t.Errorf("README.md makes no %s", m[1])
		}
	}
}

func TestEvenkeelsOwnFilesAreRight(t *testing.T) {
	loaded, warnings, err := config.Load("evenkeel/evenkeel.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings { // the password is there only in the container
		if !strings.Contains(w.String(), "password_file") {
			t.Errorf("warning: %v", w)
		}
	}
	c := compose(t)
	secret := path.Base(loaded.ClickHouse.PasswordFile)
	if path.Dir(loaded.ClickHouse.PasswordFile) != "/run/secrets" || !slices.Contains(c.Services["evenkeel"].Secrets, secret) {
		t.Errorf("the password is read from %s, which is no secret of the service", loaded.ClickHouse.PasswordFile)
	}
}

// commented are the lines of a configuration that a comment sign stands right before.
var commented = regexp.MustCompile(`(?m)^#(\w|  )`)

// The stream is written down, and read once its comment signs are taken off: without the profile there is no broker.
func TestTheStreamOfTheProfileIsRight(t *testing.T) {
	dir := t.TempDir()
	text := commented.ReplaceAll(read(t, "evenkeel/evenkeel.yml"), []byte("$1"))
	for name, content := range map[string][]byte{"evenkeel.yml": text, "catalogue.yml": read(t, "evenkeel/catalogue.yml")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, _, err := config.Load(filepath.Join(dir, "evenkeel.yml"))
	if err != nil {
		t.Fatal(err)
	}
	streams := loaded.Streams()
	if len(streams) != 1 || len(streams[0].Heartbeats) != 1 {
		t.Fatalf("the streams are %+v", streams)
	}
	kafka := compose(t).Services["kafka"]
	if listens := kafka.Environment["KAFKA_ADVERTISED_LISTENERS"]; listens != "PLAINTEXT://"+strings.Join(streams[0].Brokers, ",") {
		t.Errorf("the stream reads from %v, the broker is at %s", streams[0].Brokers, listens)
	}
	if data := kafka.Environment["KAFKA_LOG_DIRS"]; !slices.Contains(kafka.Volumes, "kafka:"+data) {
		t.Errorf("the broker writes to %s, which is no volume of %q", data, kafka.Volumes)
	}
	for _, topic := range streams[0].Topics {
		if !strings.Contains(string(read(t, "README.md")), "--create --topic "+topic.Name+" ") {
			t.Errorf("README.md does not make the topic %s", topic.Name)
		}
	}
	if _, version, _ := strings.Cut(kafka.Image, ":"); version != parts.KafkaVersion {
		t.Errorf("the image is %s, the tests run against %s", version, parts.KafkaVersion)
	}
}

func TestPrometheusAndAlertmanagerAcceptTheirFiles(t *testing.T) {
	if out, err := rig.Promtool(t, "check", "config", "prometheus/prometheus.yml"); err != nil || !strings.Contains(out, "2 rules found") {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	if out, err := rig.Amtool(t, "check-config", "alertmanager/alertmanager.yml"); err != nil {
		t.Errorf("amtool: %v\n%s", err, out)
	}
}

// The names and ports by which the parts find each other are written in many files.
func TestThePartsPointAtEachOther(t *testing.T) {
	c := compose(t)
	for file, hosts := range map[string][]string{
		"prometheus/prometheus.yml":     {"alertmanager:9093", "evenkeel:9095", "clickhouse:9363", "grafana:3000"},
		"alertmanager/alertmanager.yml": {"http://evenkeel:9095/api/v1/ingest/alertmanager"},
		"evenkeel/evenkeel.yml":         {"evenkeel@clickhouse:9000"},
		"clickhouse/metrics.xml":        {"<port>9363</port>"},
	} {
		content := string(read(t, file))
		for _, host := range hosts {
			if !strings.Contains(content, host) {
				t.Errorf("%s does not name %s", file, host)
			}
		}
	}
	if got := c.Services["evenkeel"].Command; !slices.Contains(got, "--web.listen-address=0.0.0.0:9095") {
		t.Errorf("evenkeel is started as %q", got)
	}
}

// What Grafana is provisioned with belongs to the dashboards; this file must set all that it asks for,
// and show the dashboards where their provider looks.
func TestGrafanaGetsWhatItsProvisioningAsksFor(t *testing.T) {
	grafana := compose(t).Services["grafana"]
	var asked int
	provisioning := os.DirFS("../../dashboards/grafana/provisioning")
	for _, file := range []string{"datasources/evenkeel.yml", "dashboards/evenkeel.yml"} {
		content, err := fs.ReadFile(provisioning, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range variable.FindAllSubmatch(content, -1) {
			asked++
			if grafana.Environment[string(m[1])] == "" {
				t.Errorf("%s asks for %s, which is not set", file, m[1])
			}
		}
		if _, where, ok := strings.Cut(string(content), "path: "); ok {
			where = strings.TrimSpace(where)
			if !slices.ContainsFunc(grafana.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+where+":ro") }) {
				t.Errorf("%s looks into %s, where nothing is mounted", file, where)
			}
		}
	}
	if asked == 0 {
		t.Error("the data source asks for nothing: this test looks at the wrong file")
	}
	user := grafana.Environment["EVENKEEL_CLICKHOUSE_USER"]
	if !bytes.Contains(read(t, "clickhouse/users.xml"), []byte("<"+user+">")) {
		t.Errorf("clickhouse/users.xml has no user %s", user)
	}
}

func TestTheAlertmanagerIsTheOneThatTheTestsRunAgainst(t *testing.T) {
	mod := read(t, filepath.Join(rig.Root(t), "go.mod"))
	_, version, _ := strings.Cut(compose(t).Services["alertmanager"].Image, ":")
	if want := "github.com/prometheus/alertmanager " + version + "\n"; !bytes.Contains(mod, []byte(want)) {
		t.Errorf("the image is %s, which go.mod does not name", version)
	}
}

func TestClickHousesFilesAreXML(t *testing.T) {
	for _, file := range []string{"clickhouse/users.xml", "clickhouse/metrics.xml"} {
		d := xml.NewDecoder(bytes.NewReader(read(t, file)))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
}

func TestTheImageCopiesWhatIsThere(t *testing.T) {
	root := rig.Root(t)
	for line := range strings.Lines(string(read(t, "Dockerfile"))) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "COPY" || strings.HasPrefix(fields[1], "--from") {
			continue
		}
		for _, source := range fields[1 : len(fields)-1] {
			if _, err := os.Stat(filepath.Join(root, source)); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
		}
	}
}

var flag = regexp.MustCompile(`--[a-z][a-z.-]+`)

// A flag that does not exist keeps the service from starting, on the day that it is deployed.
func TestEveryFlagOfEvenkeelExists(t *testing.T) {
	help := rig.Help(t, "serve")
	unit := string(read(t, "../systemd/evenkeel.service"))
	_, start, _ := strings.Cut(unit, "ExecStart=")
	start, _, _ = strings.Cut(start, "\n")
	for _, command := range []string{strings.Join(compose(t).Services["evenkeel"].Command, " "), start} {
		if !strings.Contains(command, "serve") {
			t.Errorf("%q does not serve", command)
		}
		for _, f := range flag.FindAllString(command, -1) {
			if !strings.Contains(help, f) {
				t.Errorf("evenkeel serve has no flag %s", f)
			}
		}
	}
}
