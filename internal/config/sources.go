package config

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// sourceEntry is one of the root's sources.
type sourceEntry struct {
	Name      placed[string]
	Tenant    string
	TokenFile placed[string]
	Heartbeat *heartbeatEntry
	Mapping   *wire.Mapping
}

func sourceKeys() reader[sourceEntry] {
	return object(
		key(spec{Name: "name", Required: true, Text: "its name, as senders give it with ?source=; alerts of two sources are never the same alert"},
			at(scalar("name", named(ingest.CheckSource))), func(s *sourceEntry) *placed[string] { return &s.Name }),
		key(spec{Name: "tenant", Text: "whose all that it sends is; without it senders name the tenant with X-Scope-OrgID"},
			scalar("name", named(ingest.CheckTenant)), func(s *sourceEntry) *string { return &s.Tenant }),
		key(spec{Name: "bearer_token_file", Text: "the file that holds its tokens, one a line, relative to this file; as soon as one source has a token, nobody can send without"},
			at(asText), func(s *sourceEntry) *placed[string] { return &s.TokenFile }),
		key(spec{Name: "heartbeat", Text: "how it shows that it is alive; without it, it is never taken to be silent. See [silence](incidents.md#sources-that-fall-silent)"},
			heartbeatKeys(), func(s *sourceEntry) **heartbeatEntry { return &s.Heartbeat }),
		key(spec{Name: "mapping", Text: "how its own JSON is read; see [mapped JSON](formats/mapped.md)"},
			mappingKeys(), func(s *sourceEntry) **wire.Mapping { return &s.Mapping }),
	)
}

// named makes a parser of a check of names.
func named(check func(string) error) func(string) (string, error) {
	return func(s string) (string, error) { return s, check(s) }
}

// Sources returns the sources that are known by name, sorted.
func (c *Config) Sources() []ingest.Source { return slices.Clone(c.sources) }

// source is the entry as receiving knows it.
func (s *sourceEntry) source() ingest.Source {
	return ingest.Source{Name: s.Name.Value, Tenant: s.Tenant, BearerTokenFile: s.TokenFile.Value}
}

// placeSources makes the names of the sources' files absolute, or relative to the working folder as path is.
func (r *rootFile) placeSources(path string) {
	for i := range r.Sources {
		if f := &r.Sources[i].TokenFile; f.Value != "" && !filepath.IsAbs(f.Value) {
			f.Value = filepath.Join(filepath.Dir(path), f.Value)
		}
	}
}

func (l *loader) checkSources() {
	first := make(map[string]Position, len(l.root.Sources))
	for i := range l.root.Sources {
		s := &l.root.Sources[i]
		if at, twice := first[s.Name.Value]; twice && s.Name.Value != "" {
			l.errorf(s.Name.At, "source %q is already described at %s", s.Name.Value, at)
			continue
		}
		first[s.Name.Value] = s.Name.At
		if s.Heartbeat != nil {
			l.checkHeartbeat(s)
		}
		if s.TokenFile.Value == "" {
			continue
		}
		if _, err := os.Stat(s.TokenFile.Value); err != nil {
			l.warnf(s.TokenFile.At, "bearer_token_file %s: %v", s.TokenFile.Value, plain(err))
		}
	}
}
