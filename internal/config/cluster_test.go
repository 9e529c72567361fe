package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAJournalOfSeveralReplicasIsReadWhole(t *testing.T) {
	file := filepath.Join(t.TempDir(), "evenkeel.yml")
	write(t, file, `
clickhouse: {dsn: "clickhouse://evenkeel@db.example:9000", cluster: main}
journal:
  max_bytes: 100GiB
  kafka:
    brokers: [kafka1.example:9092, kafka2.example:9092]
    partitions: 12
    domain_label: cluster
    session_timeout: 20s
    tls: {ca_file: ca.pem}
    sasl: {mechanism: SCRAM-SHA-512, username: evenkeel, password_file: secret}
`)
	c, warnings, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	k := c.Journal.Kafka
	if len(k.Brokers) != 2 || k.Partitions != 12 || k.DomainLabel != "cluster" || k.SessionTimeout != 20*time.Second || c.ClickHouse.Cluster != "main" {
		t.Errorf("got %+v", k)
	}
	if want := filepath.Join(filepath.Dir(file), "secret"); k.SASL.PasswordFile != want || len(warnings) != 2 {
		t.Errorf("password_file is %s, want %s; warnings: %v", k.SASL.PasswordFile, want, warnings)
	}
}

func TestAJournalOfSeveralReplicasNeedsAServerOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "evenkeel.yml")
	write(t, file, "journal: {kafka: {brokers: [kafka1.example:9092, nowhere]}}\n")
	_, _, err := Load(file)
	if err == nil || !strings.Contains(err.Error(), "clickhouse.dsn") || !strings.Contains(err.Error(), `"nowhere" is not an address`) {
		t.Errorf("got %v", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
