package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
)

// Every read says that a header names no tenant; none answers as if it were not there.
func TestAHeaderThatNamesNoTenantIsRefused(t *testing.T) {
	h := handler(apitest.Shop())
	for _, c := range []struct {
		name   string
		header []string
		want   string
	}{
		{"a slash", []string{"a/b"}, `header X-Scope-OrgID: "a/b" has a character other than letters, digits and !-_.*'()`},
		{"two tenants in one", []string{"a|b"}, `header X-Scope-OrgID: "a|b" has a character`},
		{"the header twice", []string{"a", "b"}, "header X-Scope-OrgID: is there twice; give one"},
		{"a name that climbs", []string{".."}, `header X-Scope-OrgID: ".." is not the name of a tenant`},
		{"a long name", []string{strings.Repeat("a", 151)}, "header X-Scope-OrgID: has 151 bytes, at most 150"},
	} {
		for _, path := range []string{
			"/incidents", "/incidents/i-01hq8payment", "/alerts", "/services", "/services/postgres", "/availability", "/changes",
			"/dead-letters", "/reports", "/reports/2026-10", "/status/buildinfo", "/status/runtimeinfo", "/status/config",
		} {
			req := httptest.NewRequest(http.MethodGet, "/api/v1"+path, http.NoBody)
			req.Header[http.CanonicalHeaderKey(api.TenantHeader)] = c.header
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			text := strings.ReplaceAll(w.Body.String(), `\"`, `"`)
			if w.Code != http.StatusBadRequest || !strings.Contains(text, `"errorType":"bad_data"`) || !strings.Contains(text, c.want) {
				t.Errorf("%s, %s: %d %s", c.name, path, w.Code, text)
			}
		}
	}
}
