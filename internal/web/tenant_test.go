package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/api"
	"github.com/evenkeel/evenkeel/internal/api/apitest"
	"github.com/evenkeel/evenkeel/internal/web"
)

func getAs(site *apitest.Site, tenant, target string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	req.Header.Set(api.TenantHeader, tenant)
	w := httptest.NewRecorder()
	web.New(web.Options{Reads: site.Reads()}).ServeHTTP(w, req)
	return w
}

// Whoever reads another tenant's pages sees so on each; the default one needs no name.
func TestEveryPageNamesATenantThatIsNotTheDefault(t *testing.T) {
	for _, target := range append(every, "/incidents/nope", "/reports?as_of=x") {
		d := parse(t, getAs(apitest.Shop(), "shop-(eu)", target).Body.String())
		if got := d.one("div.tenant").text(); got != "Tenant shop-(eu)" {
			t.Errorf("%s says %q", target, got)
		}
		if got := d.one("title").text(); !strings.Contains(got, "· shop-(eu) · Evenkeel") {
			t.Errorf("%s has the title %q", target, got)
		}
		for _, tenant := range []string{"", "default"} {
			d := parse(t, getAs(apitest.Shop(), tenant, target).Body.String())
			if len(d.all("div.tenant")) > 0 {
				t.Errorf("%s names the tenant %q", target, tenant)
			}
		}
	}
}

func TestAPageSaysThatAHeaderNamesNoTenant(t *testing.T) {
	for _, target := range append(every, "/reports/2026-10") {
		w := getAs(apitest.Shop(), "a/b", target)
		if w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", target, w.Code)
		}
		mustSay(t, parse(t, w.Body.String()), `header X-Scope-OrgID: "a/b" has a character other than letters`)
	}
}

// What a page says about the first alert sends it to the tenant whose page it is.
func TestTheFirstAlertOfATenantIsItsOwn(t *testing.T) {
	for _, target := range []string{"/", "/reports"} {
		d := parse(t, getAs(apitest.Empty(), "shop", target).Body.String())
		mustSay(t, d, `http_config: {http_headers: {X-Scope-OrgID: {values: ["shop"]}}}`, `-H "X-Scope-OrgID: shop" -d`)
		plain := parse(t, getAs(apitest.Empty(), "", target).Body.String()).text()
		if strings.Contains(plain, "X-Scope-OrgID") {
			t.Errorf("%s of the default tenant names the header", target)
		}
	}
	mustSay(t, parse(t, getAs(apitest.Empty(), "shop", "/reports").Body.String()), `evenkeel report --tenant="shop" --period=2026-11`)
}
