package alertmanager_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/api/apitest"
)

// Alertmanager's own specification says what clients expect. Every read is held to it, on a full,
// an empty and a hostile site.
func TestAnswersAreAsAlertmanagersSpecificationSays(t *testing.T) {
	spec := alertmanagersSpecification(t)
	router, err := legacy.NewRouter(spec)
	if err != nil {
		t.Fatal(err)
	}
	sites := map[string]*apitest.Site{"small": small(), "full": apitest.Shop(), "empty": apitest.Empty(), "hostile": apitest.Hostile()}
	for name, site := range sites {
		h := handler(site)
		for _, target := range []string{
			"/alerts", "/alerts?filter=nonsense", "/alerts?receiver=(", "/alerts/groups", "/alerts/groups?filter=nonsense",
			"/receivers", "/receivers?receiver_matchers=nonsense", "/status", "/silences", "/silence/00000000-0000-0000-0000-000000000000",
		} {
			t.Run(name+target, func(t *testing.T) {
				req := httptest.NewRequest(http.MethodGet, "/api/v2"+target, http.NoBody)
				route, params, err := router.FindRoute(req)
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}
				err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
					RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options},
					Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())), Options: options,
				})
				if err != nil {
					t.Errorf("%d: %v\n%.2000s", w.Code, err, w.Body)
				}
			})
		}
	}
}

// alertmanagersSpecification reads it out of the module that go.mod pins.
func alertmanagersSpecification(t *testing.T) *openapi3.T {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/prometheus/alertmanager").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "api", "v2", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	text, err = json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var old openapi2.T
	if err := json.Unmarshal(text, &old); err != nil {
		t.Fatal(err)
	}
	spec, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
