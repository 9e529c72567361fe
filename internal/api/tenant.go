package api

import (
	"cmp"
	"net/http"

	"github.com/evenkeel/evenkeel/ingest"
)

// TenantHeader names the tenant whose data a request asks for; without it those are the default one's.
const TenantHeader = "X-Scope-OrgID"

// AskedBy returns the reads of the tenant that a request names, or of r's own where it names
// none. A name that cannot be one, or a second header, is a [*ParamError]: whoever stands
// between added one, and which of the two counts must not be a guess.
func (r *Reads) AskedBy(req *http.Request) (*Reads, error) {
	asked := *r
	asked.Tenant = r.tenant()
	named := req.Header.Values(TenantHeader)
	if len(named) > 1 {
		return nil, &ParamError{Problems: []string{"header " + TenantHeader + ": is there twice; give one"}}
	}
	if len(named) == 0 || named[0] == "" {
		return &asked, nil
	}
	if err := ingest.CheckTenant(named[0]); err != nil {
		return nil, &ParamError{Problems: []string{"header " + TenantHeader + ": " + err.Error()}}
	}
	asked.Tenant = named[0]
	return &asked, nil
}

// tenant is whose data is read.
func (r *Reads) tenant() string { return cmp.Or(r.Tenant, ingest.DefaultTenant) }
