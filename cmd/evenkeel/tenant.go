package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/ingest"
)

// addTenant adds the flag that says whose data are read.
func addTenant(cmd *kingpin.CmdClause) *string {
	name := tenantName(ingest.DefaultTenant)
	cmd.Flag("tenant", "Whose: what was received with this name in X-Scope-OrgID, or from a source of this tenant.").
		Default(ingest.DefaultTenant).PlaceHolder("NAME").SetValue(&name)
	return (*string)(&name)
}

// tenantName is the value of --tenant.
type tenantName string

// Set implements kingpin.Value.
func (t *tenantName) Set(text string) error {
	*t = tenantName(text)
	return ingest.CheckTenant(text)
}

// String implements kingpin.Value.
func (t *tenantName) String() string { return string(*t) }
