package config

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/correlate"
)

// rootFile is the root configuration as it is written.
type rootFile struct {
	Zone        string
	Catalogue   []placed[string]
	Services    []serviceEntry
	Calendars   []calendarEntry
	Correlation correlationEntry
	Levels      levelsEntry
	Journal     Journal
	ClickHouse  ClickHouse
	Ingest      ingestEntry
	Sources     []sourceEntry
	Streams     []streamEntry
}

// Journal says where the journal is, and what it may take.
type Journal struct {
	MaxBytes int64  // of disk; full is a 503
	Kafka    *Kafka // nil: on this machine
}

// ClickHouse says where rows are stored: in the server of DSN, or embedded where there is none.
type ClickHouse struct {
	DSN          string // clickhouse://user@host:9000; "" is the embedded engine
	PasswordFile string // absolute; read at each connection
	Database     string
	Cluster      string // of ClickHouse's configuration; "" is one server
	Embedded     Embedded
}

// Embedded bounds the engine that runs inside.
type Embedded struct {
	MemoryBytes int64 // max_server_memory_usage
	CacheBytes  int64 // of each of its caches
	TCPPort     int   // 0: any free one
	HTTPPort    int   // 0: any free one
}

func rootKeys() reader[rootFile] {
	return object(
		key(spec{Name: "zone", Default: "UTC", Text: "the IANA zone in which days, weeks and months are cut"},
			asZone, func(r *rootFile) *string { return &r.Zone }),
		key(spec{Name: "catalogue", Text: "files of the catalogue, relative to this file; * and ? stand for parts of names"},
			list(at(asText)), func(r *rootFile) *[]placed[string] { return &r.Catalogue }),
		key(spec{Name: "services", Text: "services, as in a catalogue file"},
			list(serviceKeys()), func(r *rootFile) *[]serviceEntry { return &r.Services }),
		key(spec{Name: "calendars", Text: "calendars of agreed service time, as in a catalogue file"},
			list(calendarKeys()), func(r *rootFile) *[]calendarEntry { return &r.Calendars }),
		key(spec{Name: "correlation", Text: "how alerts become episodes and episodes incidents"},
			correlationKeys(), func(r *rootFile) *correlationEntry { return &r.Correlation }),
		key(spec{Name: "levels", Text: "how episodes become states of services"},
			levelsKeys(), func(r *rootFile) *levelsEntry { return &r.Levels }),
		key(spec{Name: "journal", Text: "the durable log of what arrived"},
			journalKeys(), func(r *rootFile) *Journal { return &r.Journal }),
		key(spec{Name: "clickhouse", Text: "where rows are stored"},
			clickhouseKeys(), func(r *rootFile) *ClickHouse { return &r.ClickHouse }),
		key(spec{Name: "ingest", Text: "what may be sent"},
			ingestKeys(), func(r *rootFile) *ingestEntry { return &r.Ingest }),
		key(spec{Name: "sources", Text: "the systems that send, where they are told apart by name, tenant or token"},
			list(sourceKeys()), func(r *rootFile) *[]sourceEntry { return &r.Sources }),
		key(spec{Name: "streams", Text: "topics of Kafka that deliveries are read from"},
			list(streamKeys()), func(r *rootFile) *[]streamEntry { return &r.Streams }),
	)
}

// correlationEntry is the root's correlation section.
type correlationEntry struct {
	ServiceLabels []string
	CopyWindow    time.Duration
	StaleAfter    time.Duration
	ForgetAfter   time.Duration
	ReopenWindow  time.Duration
	Grouping      correlate.Grouping
}

func correlationKeys() reader[correlationEntry] {
	return object(
		key(spec{Name: "service_labels", Default: "[service, deployment, app, job]", Text: "the labels that name an alert's service where no matchers do; the first that is present wins"},
			list(asText), func(c *correlationEntry) *[]string { return &c.ServiceLabels }),
		key(spec{Name: "copy_window", Default: "15m", Text: "so long after an episode closed, the same firing again is a copy; later it reopens the episode"},
			asDuration, func(c *correlationEntry) *time.Duration { return &c.CopyWindow }),
		key(spec{Name: "stale_after", Default: "9h", Text: "an open episode that was not seen for so long is unknown; two repeat_intervals of Alertmanager and a margin"},
			asDuration, func(c *correlationEntry) *time.Duration { return &c.StaleAfter }),
		key(spec{Name: "forget_after", Default: "7d", Text: "an episode that was unknown for so long ends as unknown: nothing more is expected of it"},
			asDuration, func(c *correlationEntry) *time.Duration { return &c.ForgetAfter }),
		key(spec{Name: "reopen_window", Default: "30m", Text: "so long after an incident was resolved, more of the same reopens it; later it is a new incident"},
			asDuration, func(c *correlationEntry) *time.Duration { return &c.ReopenWindow }),
		key(spec{Name: "grouping", Text: "what is expected of faults and their symptoms; to be measured with evenkeel replay and eval, not guessed"},
			groupingKeys(), func(c *correlationEntry) *correlate.Grouping { return &c.Grouping }),
	)
}

func journalKeys() reader[Journal] {
	return object(
		key(spec{Name: "max_bytes", Default: "10GiB", Text: "the disk that it may take; when it is full, senders get 503 and retry"},
			scalar("size", parseJournalSize), func(j *Journal) *int64 { return &j.MaxBytes }),
		key(spec{Name: "kafka", Default: "a folder below the storage path", Text: "a topic that several replicas share; see [cluster mode](cluster.md)"},
			kafkaKeys(), func(j *Journal) **Kafka { return &j.Kafka }),
	)
}

// parseJournalSize refuses what the journal itself would.
func parseJournalSize(s string) (int64, error) {
	n, err := parseSize(s)
	if err == nil && n < 1<<20 {
		return 0, fmt.Errorf("%q is too small for a journal; at least 1MiB", s)
	}
	return n, err
}

func clickhouseKeys() reader[ClickHouse] {
	return object(
		key(spec{Name: "dsn", Default: "the embedded engine", Text: "the server, as clickhouse://user@host:9000; several hosts by commas"},
			asDSN, func(c *ClickHouse) *string { return &c.DSN }),
		key(spec{Name: "password_file", Text: "the file that holds the password of the user in dsn, relative to this file"},
			asText, func(c *ClickHouse) *string { return &c.PasswordFile }),
		key(spec{Name: "database", Default: "evenkeel", Text: "the database; it is made if it is not there"},
			asDatabase, func(c *ClickHouse) *string { return &c.Database }),
		key(spec{Name: "cluster", Default: "one server", Text: "the cluster of the servers' configuration on which tables are made: Replicated and Distributed ones"},
			scalar("name", parseDatabase), func(c *ClickHouse) *string { return &c.Cluster }),
		key(spec{Name: "embedded", Text: "the engine that runs inside where there is no dsn"},
			embeddedKeys(), func(c *ClickHouse) *Embedded { return &c.Embedded }),
	)
}

func embeddedKeys() reader[Embedded] {
	return object(
		key(spec{Name: "memory", Default: "2GiB", Text: "the memory that it may take"},
			asSize, func(e *Embedded) *int64 { return &e.MemoryBytes }),
		key(spec{Name: "caches", Default: "256MiB", Text: "the size of each of its caches"},
			asSize, func(e *Embedded) *int64 { return &e.CacheBytes }),
		key(spec{Name: "tcp_port", Default: "0", Text: "its native port on the loopback; 0 is any free one"},
			asPort, func(e *Embedded) *int { return &e.TCPPort }),
		key(spec{Name: "http_port", Default: "0", Text: "its HTTP port on the loopback; 0 is any free one"},
			asPort, func(e *Embedded) *int { return &e.HTTPPort }),
	)
}
