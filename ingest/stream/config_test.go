package stream_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func valid() stream.Config {
	return stream.Config{Name: "s", Brokers: []string{"127.0.0.1:9092"}, Group: "g", Topics: []stream.Topic{{Name: "t"}}}
}

func TestAWrongConfigurationSaysAllThatIsWrong(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*stream.Config)
		want   []string
	}{
		"nothing at all":          {func(c *stream.Config) { *c = stream.Config{} }, []string{"name", "group", "brokers", "topics"}},
		"a broker without a port": {func(c *stream.Config) { c.Brokers = []string{"kafka"} }, []string{`"kafka" is not HOST:PORT`}},
		"a topic twice":           {func(c *stream.Config) { c.Topics = append(c.Topics, c.Topics[0]) }, []string{"t stands there twice"}},
		"a topic with a space":    {func(c *stream.Config) { c.Topics[0].Name = "a b" }, []string{`"a b" cannot be the name`}},
		"an unknown format":       {func(c *stream.Config) { c.Topics[0].Format = "xml" }, []string{`"xml" is not one of alertmanager, `}},
		"a loop":                  {func(c *stream.Config) { c.DeadLetterTopic = "t" }, []string{"come back for ever"}},
		"a certificate alone":     {func(c *stream.Config) { c.TLS = &stream.TLS{CertFile: "c"} }, []string{"cert_file and key_file"}},
		"an unknown mechanism":    {func(c *stream.Config) { c.SASL = &stream.SASL{Mechanism: "GSSAPI"} }, []string{`"GSSAPI"`, "username"}},
	} {
		config := valid()
		c.change(&config)
		err := config.Validate()
		if err == nil {
			t.Errorf("%s: nothing is wrong", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v: does not say %s", name, err, want)
			}
		}
	}
}

func TestAStreamIsNotMadeWithFilesThatAreNotThere(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*stream.Config){
		"no authority":       func(c *stream.Config) { c.TLS = &stream.TLS{CAFile: "missing.pem"} },
		"an empty authority": func(c *stream.Config) { c.TLS = &stream.TLS{CAFile: empty} },
		"no certificate":     func(c *stream.Config) { c.TLS = &stream.TLS{CertFile: empty, KeyFile: empty} },
		"no password": func(c *stream.Config) {
			c.SASL = &stream.SASL{Mechanism: "PLAIN", Username: "u", PasswordFile: "missing"}
		},
	} {
		c := valid()
		change(&c)
		if _, err := stream.New(c, stream.Options{Journal: &memory{}}); err == nil || !strings.HasPrefix(err.Error(), "stream s: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAStartIsEarliestLatestOrATime(t *testing.T) {
	for text, want := range map[string]string{"": "earliest", "earliest": "earliest", "latest": "latest", "2026-11-22T06:00:00Z": "2026-11-22T06:00:00Z"} {
		if got, err := stream.ParseStart(text); err != nil || got.String() != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "2026-11-22", "1960-01-01T00:00:00Z", "Latest"} {
		if got, err := stream.ParseStart(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

func TestMetricsAreNamedWellAndDescribedInTheDocs(t *testing.T) {
	reg := prometheus.NewRegistry()
	m, err := stream.NewMetrics(reg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.New(valid(), stream.Options{Journal: &memory{}, Metrics: m}); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	page, err := os.ReadFile(filepath.Join(rig.Root(t), "docs", "kafka.md"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(evenkeel_stream_[a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(names) < 10 {
		t.Fatalf("only %d metrics were found", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name[1]) {
			t.Errorf("docs/kafka.md says nothing of %s", name[1])
		}
	}
	for _, header := range []string{
		stream.HeaderReason, stream.HeaderResult, stream.HeaderStream, stream.HeaderTopic, stream.HeaderPartition, stream.HeaderOffset,
		stream.HeaderTime, stream.HeaderKey, stream.HeaderTruncated, stream.HeaderDropped, stream.TenantHeader, stream.SourceHeader,
	} {
		if !strings.Contains(string(page), "`"+header+"`") {
			t.Errorf("docs/kafka.md says nothing of the header %s", header)
		}
	}
}
