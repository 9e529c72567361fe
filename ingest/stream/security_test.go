package stream_test

import (
	"os"
	"testing"

	"github.com/evenkeel/evenkeel/ingest/stream"
	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestASecuredBrokerIsReadByWhoKnowsThePassword(t *testing.T) {
	dir := t.TempDir()
	password := dir + "/password"
	if err := os.WriteFile(password, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, k := range map[string]*rig.KafkaCluster{
		"encrypted": rig.Kafka(t, rig.KafkaUser("alice", "secret"), rig.KafkaTLS()),
		"plain":     rig.Kafka(t, rig.KafkaUser("alice", "secret")),
	} {
		k.CreateTopic(t, "secured", 1)
		k.CreateTopic(t, "secured-dead", 1)
		for _, mechanism := range stream.Mechanisms {
			t.Run(name+" "+mechanism, func(t *testing.T) {
				c := config(k, "secured-"+mechanism, "secured")
				c.DeadLetterTopic = "secured-dead"
				if k.CAFile != "" {
					c.TLS = &stream.TLS{CAFile: k.CAFile}
				}
				c.SASL = &stream.SASL{Mechanism: mechanism, Username: "alice", PasswordFile: password}
				rig.Kcat(t, "broken\n", produceSecured(k)...)
				s := start(t, c, stream.Options{Journal: &memory{}})
				allCommitted(t, k, c.Group, "secured", soon)
				if s.metric(t, "evenkeel_stream_dead_letters_sent_total") < 1 {
					t.Error("the dead letter was not written")
				}
				wrong := dir + "/wrong-" + name + mechanism
				if err := os.WriteFile(wrong, []byte("guessed"), 0o600); err != nil {
					t.Fatal(err)
				}
				c.SASL.PasswordFile, c.Group = wrong, c.Group+"-wrong"
				s = start(t, c, stream.Options{Journal: &memory{}})
				eventually(t, soon, func() (bool, string) {
					return s.metric(t, "evenkeel_stream_errors_total", "ask") > 0, "a wrong password is no error"
				})
			})
		}
	}
}

func produceSecured(k *rig.KafkaCluster) []string {
	args := []string{"-P", "-b", k.Addresses()[0], "-t", "secured", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=alice", "-X", "sasl.password=secret"}
	if k.CAFile == "" {
		return append(args, "-X", "security.protocol=SASL_PLAINTEXT")
	}
	return append(args, "-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location="+k.CAFile)
}
