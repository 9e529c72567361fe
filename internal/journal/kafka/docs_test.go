package kafka_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/internal/journal/kafka"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// The page tells operators what topics to make: it must be what would be made for them.
func TestThePageOnClustersSaysWhatIsMadeAndMeasured(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(rig.Root(t), "docs", "cluster.md"))
	must(t, err)
	page := string(b)
	o := options(fake(t, 3).ListenAddrs())
	o.Replication = 3
	reg := prometheus.NewRegistry()
	o.Registerer = reg
	open(t, o)
	for name, values := range map[string]map[string]bool{o.Topic: settingsOf(t, o, o.Topic), o.Topic + "-checkpoints": settingsOf(t, o, o.Topic+"-checkpoints")} {
		for setting := range values {
			if !strings.Contains(page, "`"+setting+"`") {
				t.Errorf("%s is made with %s, and the page does not say so", name, setting)
			}
		}
	}
	families, err := reg.Gather()
	must(t, err)
	local, err := os.ReadFile(filepath.Join(rig.Root(t), "internal", "journal", "metrics.go"))
	must(t, err)
	for _, f := range families {
		if !strings.Contains(string(local), f.GetName()) && !strings.Contains(page, "`"+f.GetName()+"`") {
			t.Errorf("the page does not name %s", f.GetName())
		}
	}
}

// settingsOf returns what a topic was given, as name=value.
func settingsOf(t *testing.T, o kafka.Options, topic string) map[string]bool {
	t.Helper()
	transport := new(kafkago.Transport)
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: transport}
	res, err := client.DescribeConfigs(t.Context(), &kafkago.DescribeConfigsRequest{
		Resources: []kafkago.DescribeConfigRequestResource{{ResourceType: kafkago.ResourceTypeTopic, ResourceName: topic}},
	})
	must(t, err)
	const ofTopic = 1 // the source of a value that is the topic's own
	values := map[string]bool{}
	for _, e := range res.Resources[0].ConfigEntries {
		if e.ConfigSource == ofTopic {
			values[e.ConfigName+"="+e.ConfigValue] = true
		}
	}
	if len(values) == 0 {
		t.Fatalf("%s was given nothing", topic)
	}
	return values
}
