package rig_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestKafkaKeepsWhatKcatProducedOverAKilledNode(t *testing.T) {
	begun := time.Now()
	k := rig.Kafka(t)
	t.Logf("usable after %s", time.Since(begun))
	k.CreateTopic(t, "alerts", 2)
	broker := strings.Join(k.Addresses(), ",")
	rig.Kcat(t, "one\ntwo\n", "-P", "-b", broker, "-t", "alerts", "-p", "1", "-X", "acks=all")
	k.Kill(0)
	k.Restart(t, 0)
	if got := rig.Kcat(t, "", "-C", "-b", broker, "-t", "alerts", "-e", "-q"); got != "one\ntwo\n" {
		t.Errorf("read %q", got)
	}
	if diff := cmp.Diff([]int64{0, 2}, k.Ends(t, "alerts")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{-1, -1}, k.Committed(t, "nobody", "alerts")); diff != "" {
		t.Errorf("offsets of a group that never was (-want +got):\n%s", diff)
	}
}

func TestThreeNodesOfKafkaGoOnWithoutOne(t *testing.T) {
	begun := time.Now()
	k := rig.Kafka(t, rig.Brokers(3))
	t.Logf("usable after %s", time.Since(begun))
	k.CreateTopic(t, "alerts", 3, "min.insync.replicas", "2")
	broker := strings.Join(k.Addresses(), ",")
	k.Kill(1)
	rig.Kcat(t, "one\n", "-P", "-b", broker, "-t", "alerts", "-p", "1", "-X", "acks=all")
	k.Restart(t, 1)
	k.Kill(0)
	if got := rig.Kcat(t, "", "-C", "-b", broker, "-t", "alerts", "-p", "1", "-e", "-q"); got != "one\n" {
		t.Errorf("read %q", got)
	}
}

// SCRAM is tried by the streams' own tests: Debian 12's kcat is refused with it.
func TestASecuredKafkaLetsInWhoKnowsThePassword(t *testing.T) {
	k := rig.Kafka(t, rig.KafkaUser("alice", "secret"), rig.KafkaTLS())
	k.CreateTopic(t, "alerts", 1)
	login := []string{
		"-b", k.Addresses()[0], "-t", "alerts", "-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location=" + k.CAFile,
		"-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=alice",
	}
	rig.Kcat(t, "one\n", append(slices.Clone(login), "-P", "-X", "sasl.password=secret")...)
	wrong := rig.KcatCommand(t, append(slices.Clone(login), "-C", "-e", "-X", "sasl.password=guessed", "-m", "3")...)
	if out, err := wrong.Output(); err == nil {
		t.Errorf("a wrong password read %q", out)
	}
	if ends := k.Ends(t, "alerts"); ends[0] != 1 {
		t.Errorf("%d records were written", ends[0])
	}
}
