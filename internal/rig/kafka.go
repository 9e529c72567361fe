package rig

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig/parts"
)

// KafkaCluster is a Kafka of one or more nodes in KRaft mode, each broker and controller at once.
type KafkaCluster struct {
	// CAFile holds the certificate that signed the nodes', where the cluster has TLS.
	CAFile string

	setup kafkaSetup
	nodes []*kafkaNode
}

// kafkaNode is one node: its folder and ports outlive its process.
type kafkaNode struct {
	id                           int
	dir                          string
	client, internal, controller int // ports; client is internal where nothing is secured
	process                      *Process
}

// kafkaSetup is what the options say.
type kafkaSetup struct {
	brokers    int
	user       string
	password   string
	tls        bool
	properties map[string]string
}

// KafkaOption changes how a cluster is set up.
type KafkaOption func(*kafkaSetup)

// Brokers is the number of nodes; 1 where it is not given.
func Brokers(n int) KafkaOption { return func(s *kafkaSetup) { s.brokers = n } }

// KafkaUser makes clients log in: by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
func KafkaUser(name, password string) KafkaOption {
	return func(s *kafkaSetup) { s.user, s.password = name, password }
}

// KafkaTLS makes the nodes speak TLS with clients, with certificates that the cluster's CAFile signed.
func KafkaTLS() KafkaOption { return func(s *kafkaSetup) { s.tls = true } }

// KafkaProperty sets a property of every node, as in server.properties.
func KafkaProperty(name, value string) KafkaOption {
	return func(s *kafkaSetup) { s.properties[name] = value }
}

// Kafka starts a cluster with data in t's temporary folder and returns when all its
// nodes can be used. Topics are not made by themselves. Replicated topics of its own (offsets)
// have as many replicas as there are nodes, up to three.
func Kafka(t testing.TB, options ...KafkaOption) *KafkaCluster {
	t.Helper()
	c := &KafkaCluster{setup: kafkaSetup{brokers: 1, properties: map[string]string{}}}
	for _, option := range options {
		option(&c.setup)
	}
	dir := t.TempDir()
	for i := range c.setup.brokers {
		n := &kafkaNode{id: i + 1, dir: filepath.Join(dir, fmt.Sprint(i+1)), internal: FreePort(t), controller: FreePort(t)}
		n.client = n.internal
		if c.secured() {
			n.client = FreePort(t)
		}
		c.nodes = append(c.nodes, n)
	}
	c.prepare(t, dir)
	for i := range c.nodes {
		c.start(t, i)
	}
	c.waitUsable(t)
	if c.setup.user != "" {
		c.addUser(t)
	}
	return c
}

func (c *KafkaCluster) secured() bool { return c.setup.tls || c.setup.user != "" }

// Addresses returns where clients reach the nodes, as HOST:PORT.
func (c *KafkaCluster) Addresses() []string {
	list := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		list[i] = loopback(n.client)
	}
	return list
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// Kill ends node i, from 0, at once, as a crash would.
func (c *KafkaCluster) Kill(i int) { c.nodes[i].process.Kill() }

// Restart starts node i again, with its data, on its ports, and returns when every node
// that runs can be used.
func (c *KafkaCluster) Restart(t testing.TB, i int) {
	t.Helper()
	c.start(t, i)
	c.waitUsable(t)
}

// prepare writes and formats the folders of all nodes.
func (c *KafkaCluster) prepare(t testing.TB, dir string) {
	t.Helper()
	if c.setup.tls {
		c.CAFile = writeCertificates(t, dir)
	}
	logging := write(t, dir, "log4j2.properties", kafkaLogging)
	var formatted sync.WaitGroup
	var failed sync.Map
	for _, n := range c.nodes {
		file := n.propertiesFile()
		makeFolder(t, n.dir)
		write(t, n.dir, filepath.Base(file), c.properties(n, dir))
		args := []string{"-Dlog4j2.configurationFile=" + logging, "kafka.tools.StorageTool", "format", "-t", kafkaClusterID, "-c", file}
		cmd := java(t, args...)
		formatted.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				failed.Store(fmt.Sprintf("format node %d: %v\n%s", n.id, err, out), true)
			}
		})
	}
	formatted.Wait()
	failed.Range(func(text, _ any) bool { t.Fatal(text); return false })
}

// kafkaClusterID is 16 bytes in base64, as Kafka wants it.
const kafkaClusterID = "ZXZlbmtlZWxyaWdrYWZrYQ"

// kafkaLogging shows on standard output what a node finds worth a warning, and when it has started.
const kafkaLogging = `
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.start.name = kafka.server.KafkaRaftServer
logger.start.level = info
`

func (n *kafkaNode) propertiesFile() string { return filepath.Join(n.dir, "server.properties") }

// start runs node i. It ends with t, which is the test or a part of it that restarts the node.
func (c *KafkaCluster) start(t testing.TB, i int) {
	t.Helper()
	n := c.nodes[i]
	logging := filepath.Join(filepath.Dir(n.dir), "log4j2.properties")
	cmd := java(t, "-Dlog4j2.configurationFile="+logging, "kafka.Kafka", n.propertiesFile())
	n.process = Start(t, fmt.Sprintf("kafka %d", n.id), cmd, "", "")
	t.Cleanup(n.process.Kill) // its data goes with the test; an orderly stop would hand over leaderships first
}

// java runs a class of Kafka's with little memory and a quick start.
func java(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	jars := part(t, parts.KafkaJars)
	binary := parts.Java()
	if binary == "" {
		Missing(t, "there is no Java of version 17 or later: run make fetch")
	}
	all := append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*")}, args...)
	return exec.Command(binary, all...)
}

// properties returns the text of a node's server.properties.
func (c *KafkaCluster) properties(n *kafkaNode, dir string) string {
	replicas := fmt.Sprint(min(3, c.setup.brokers))
	enough := fmt.Sprint(min(2, c.setup.brokers))
	p := map[string]string{
		"process.roles":                                    "broker,controller",
		"node.id":                                          fmt.Sprint(n.id),
		"log.dirs":                                         filepath.Join(n.dir, "data"),
		"controller.listener.names":                        "CONTROLLER",
		"controller.quorum.voters":                         c.voters(),
		"inter.broker.listener.name":                       "INTERNAL",
		"listeners":                                        fmt.Sprintf("INTERNAL://%s,CONTROLLER://%s", loopback(n.internal), loopback(n.controller)),
		"advertised.listeners":                             "INTERNAL://" + loopback(n.internal),
		"listener.security.protocol.map":                   "INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:" + c.protocol(),
		"auto.create.topics.enable":                        "false",
		"offsets.topic.num.partitions":                     "4",
		"offsets.topic.replication.factor":                 replicas,
		"transaction.state.log.replication.factor":         replicas,
		"transaction.state.log.min.isr":                    enough,
		"share.coordinator.state.topic.replication.factor": replicas,
		"share.coordinator.state.topic.min.isr":            enough,
		// A node that was killed is noticed within seconds, and so is a member of a group.
		"broker.heartbeat.interval.ms":     "500",
		"broker.session.timeout.ms":        "3000",
		"group.min.session.timeout.ms":     "1000",
		"group.initial.rebalance.delay.ms": "0",
	}
	if c.secured() {
		p["listeners"] += ",CLIENT://" + loopback(n.client)
		p["advertised.listeners"] += ",CLIENT://" + loopback(n.client)
		c.secure(p, dir)
	}
	maps.Copy(p, c.setup.properties)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&text, "%s=%s\n", name, p[name])
	}
	return text.String()
}

func (c *KafkaCluster) voters() string {
	var list []string
	for _, n := range c.nodes {
		list = append(list, fmt.Sprintf("%d@%s", n.id, loopback(n.controller)))
	}
	return strings.Join(list, ",")
}

func (c *KafkaCluster) protocol() string {
	switch {
	case c.setup.tls && c.setup.user != "":
		return "SASL_SSL"
	case c.setup.tls:
		return "SSL"
	case c.setup.user != "":
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// secure adds what the listener for clients asks of them, and shows them.
func (c *KafkaCluster) secure(p map[string]string, dir string) {
	const prefix = "listener.name.client."
	if c.setup.tls {
		p[prefix+"ssl.keystore.type"] = "PEM"
		p[prefix+"ssl.keystore.location"] = filepath.Join(dir, kafkaKeyFile)
	}
	if c.setup.user == "" {
		return
	}
	const module = "org.apache.kafka.common.security."
	p[prefix+"sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
	p[prefix+"plain.sasl.jaas.config"] = fmt.Sprintf("%splain.PlainLoginModule required user_%s=%q;", module, c.setup.user, c.setup.password)
	p[prefix+"scram-sha-256.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
	p[prefix+"scram-sha-512.sasl.jaas.config"] = module + "scram.ScramLoginModule required;"
}
