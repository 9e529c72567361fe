package webhook

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/ingest"
)

const (
	// TenantHeader names the tenant, as in Mimir, Loki and Cortex.
	TenantHeader = "X-Scope-OrgID"
	// SourceParameter of the query names the sending system where there is more than one: alerts
	// of two sources are never the same alert.
	SourceParameter = "source"
	// TokenHeader holds a source's token where Authorization is taken by the password of the listener.
	TokenHeader = "X-Evenkeel-Token" //nolint:gosec // the name of a header
)

// Sources are the sending systems that are known, with their tokens. It never changes.
type Sources struct {
	known   map[string]ingest.Source
	tenants map[string]bool // of the known
	tokens  []token
}

// token is what a sender shows to be a source. Only its hash is kept: all comparisons take as long.
type token struct {
	hash   [sha256.Size]byte
	source string
}

// maxTokenFile bounds what is read of a file that may be the wrong one.
const maxTokenFile = 64 << 10

// NewSources reads the files of tokens. All that is wrong is said at once; no token is repeated.
func NewSources(sources []ingest.Source) (*Sources, error) {
	s := &Sources{known: make(map[string]ingest.Source, len(sources)), tenants: make(map[string]bool)}
	var errs []error
	for _, source := range sources {
		s.known[source.Name] = source
		if source.Tenant != "" {
			s.tenants[source.Tenant] = true
		}
		if source.BearerTokenFile == "" {
			continue
		}
		if err := s.read(source); err != nil {
			errs = append(errs, fmt.Errorf("source %q: bearer_token_file %s: %w", source.Name, source.BearerTokenFile, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

func (s *Sources) read(source ingest.Source) error {
	text, err := readTokens(source.BearerTokenFile)
	if err != nil {
		return err
	}
	found := 0
	for line := range bytes.Lines(ingest.Unmarked(text)) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if bytes.ContainsAny(line, " \t") {
			return errors.New("holds a line with a space; a token is a line of its own")
		}
		hash := sha256.Sum256(line)
		if other := s.of(hash); other != "" && other != source.Name {
			return fmt.Errorf("holds a token of source %q, too; a token tells one source", other)
		}
		s.tokens = append(s.tokens, token{hash, source.Name})
		found++
	}
	if found == 0 {
		return errors.New("is empty; it holds one token a line")
	}
	return nil
}

func readTokens(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err) // the name is said already
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err == nil && len(text) > maxTokenFile {
		err = fmt.Errorf("is larger than %d KiB; is it the right file?", maxTokenFile>>10)
	}
	return text, err
}

// of returns the source of a token, "" where there is none, in a time that tells nothing.
func (s *Sources) of(hash [sha256.Size]byte) string {
	found := -1
	for i := range s.tokens {
		if subtle.ConstantTimeCompare(hash[:], s.tokens[i].hash[:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return ""
	}
	return s.tokens[found].source
}

// errUnauthorized is a request without a token that is known.
var errUnauthorized = errors.New("no token, or none that is known: send a source's token as \"Authorization: Bearer TOKEN\"")

// forbidden is a request that asks for what is not its sender's.
type forbidden string

func (f forbidden) Error() string { return string(f) }

// forbid makes an error the reason of a 403.
func forbid(err error) error {
	if err == nil {
		return nil
	}
	return forbidden(err.Error())
}

// identify returns whose a request is: its source and its tenant. Where only what it holds tells the source,
// that is "", and the tenant is the one that is named, "" without one; see settle.
func (s *Sources) identify(r *http.Request) (source, tenant string, err error) {
	source, err = once(r.URL.Query()[SourceParameter], ingest.CheckSource)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", SourceParameter, err)
	}
	if source, err = s.authenticate(r, source); err != nil {
		return "", "", err
	}
	named, err := named(r)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", TenantHeader, err)
	}
	if source = cmp.Or(source, ingest.DefaultSource(r.URL.Path)); source == "" {
		return "", named, nil
	}
	tenant, err = s.tenant(named, source)
	return source, tenant, err
}

// named returns the tenant that a request names, "" where it names none, for reads, too.
func named(r *http.Request) (string, error) {
	return once(r.Header.Values(TenantHeader), ingest.CheckTenant)
}

// once returns what a request says once, checked; "" where it does not say it. What it says twice, whoever
// stands between may have added: which of them counts must not be a guess.
func once(said []string, check func(string) error) (string, error) {
	switch {
	case len(said) > 1:
		return "", errors.New("is there twice; give one")
	case len(said) == 0 || said[0] == "":
		return "", nil
	}
	return said[0], check(said[0])
}

// settle gives a record that names no source its tenant: the one of the sources of what it holds.
func (s *Sources) settle(rec *ingest.Record, d *ingest.Decoded) error {
	if rec.Source != "" {
		return nil
	}
	tenant, err := d.Settle(func(source string) (string, error) { return s.tenant(rec.Tenant, source) })
	if err != nil {
		return forbidden(err.Error())
	}
	rec.Tenant = tenant
	return nil
}

// authenticate returns the source that a request is of: the one named, or the token's.
func (s *Sources) authenticate(r *http.Request, named string) (string, error) {
	if len(s.tokens) == 0 {
		return named, nil
	}
	shown, err := bearer(r)
	if err != nil {
		return "", err
	}
	if shown == "" {
		return "", errUnauthorized
	}
	source := s.of(sha256.Sum256([]byte(shown)))
	switch {
	case source == "":
		return "", errUnauthorized
	case named != "" && named != source:
		return "", forbidden(fmt.Sprintf("the token is of source %q, not of %q", source, named))
	}
	return source, nil
}

// bearer returns the token that a request shows, in either way; "" where it shows none.
func bearer(r *http.Request) (string, error) {
	const scheme = "Bearer "
	shown := slices.Clone(r.Header.Values(TokenHeader))
	for _, value := range r.Header.Values("Authorization") {
		if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
			shown = append(shown, strings.TrimSpace(value[len(scheme):]))
		}
	}
	token, err := once(shown, func(string) error { return nil })
	if err != nil {
		return "", fmt.Errorf("the token %w", err)
	}
	return token, nil
}

// configured says whether a tenant is there without being named in requests.
func (s *Sources) configured(tenant string) bool {
	return tenant == ingest.DefaultTenant || s.tenants[tenant]
}

// tenant returns the tenant of the source, or the one that the request names.
func (s *Sources) tenant(named, source string) (string, error) {
	own := s.known[source].Tenant
	switch {
	case own == "" && named == "":
		return ingest.DefaultTenant, nil
	case own == "":
		return named, nil
	case named == "" || named == own:
		return own, nil
	}
	return "", forbidden(fmt.Sprintf("source %q is of tenant %q, and %s names %q", source, own, TenantHeader, named))
}
