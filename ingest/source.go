package ingest

import (
	"fmt"
	"strings"
)

// Source is a sending system that the configuration knows by name.
type Source struct {
	Name string
	// Tenant is whose all that it sends is. "": the sender names it, or it is DefaultTenant.
	Tenant string
	// BearerTokenFile holds the tokens that tell it, one a line: two while one is being replaced
	// by the other. "": it needs none.
	BearerTokenFile string
}

const (
	maxNameBytes = 150

	letters          = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	tenantCharacters = "!-_.*'()"
	sourceCharacters = "-_.:/@"
)

// CheckTenant returns an error where tenant is no name of a tenant. It takes what Mimir
// takes, so that one header serves both.
func CheckTenant(tenant string) error {
	if tenant == "." || tenant == ".." {
		return fmt.Errorf("%q is not the name of a tenant", tenant)
	}
	return checkName(tenant, tenantCharacters)
}

// CheckSource returns an error where source is no name of a source.
func CheckSource(source string) error { return checkName(source, sourceCharacters) }

func checkName(name, special string) error {
	switch {
	case name == "":
		return fmt.Errorf("is empty")
	case len(name) > maxNameBytes:
		return fmt.Errorf("has %d bytes, at most %d", len(name), maxNameBytes)
	case strings.IndexFunc(name, func(r rune) bool { return !strings.ContainsRune(letters+special, r) }) >= 0:
		return fmt.Errorf("%q has a character other than letters, digits and %s", name, special)
	}
	return nil
}
