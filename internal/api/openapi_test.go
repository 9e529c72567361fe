package api_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/evenkeel/evenkeel/internal/api/apitest"
)

func contextDeadline() error { return context.DeadlineExceeded }

func loadSpecification(t *testing.T) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	spec, err := loader.LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(loader.Context); err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestAnswersAreAsTheSpecificationSays validates the specification, then real requests and
// answers against it: of a full, an empty and a hostile site, right and wrong ones.
func TestAnswersAreAsTheSpecificationSays(t *testing.T) {
	openapi3filter.RegisterBodyDecoder("application/yaml", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/markdown", openapi3filter.PlainBodyDecoder)
	spec := loadSpecification(t)
	router, err := legacy.NewRouter(spec)
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{
		"/incidents", "/incidents?state=open&limit=1", "/incidents?state=nope", "/incidents/i-01hq8payment", "/incidents/i-01hq8merged",
		"/incidents/i-hostile", "/incidents/i-nope", "/alerts", "/alerts?from=1", "/services", "/services/postgres", "/services/nope",
		"/availability", "/availability?service=postgres&intervals=true", "/availability?agreement=", "/availability?from=5&to=4",
		"/changes", "/dead-letters", "/reports", "/reports/2026-10", "/reports/2026-10?format=md", "/reports/2026-10?format=html", "/reports/x",
		"/status/buildinfo", "/status/runtimeinfo", "/status/config", "/openapi.yaml",
	}
	covered := map[string]bool{}
	for name, site := range map[string]*apitest.Site{"full": apitest.Shop(), "empty": apitest.Empty(), "hostile": apitest.Hostile()} {
		h := handler(site)
		for _, target := range targets {
			t.Run(name+target, func(t *testing.T) {
				req := httptest.NewRequest(http.MethodGet, "/api/v1"+target, http.NoBody)
				route, params, err := router.FindRoute(req)
				if err != nil {
					t.Fatal(err)
				}
				covered[route.Path] = true
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
	for path := range spec.Paths.Map() {
		if !covered[path] {
			t.Errorf("%s was never asked for", path)
		}
	}
}

// TestTheSpecificationNamesEveryPathThatIsServed reads the paths out of api.go: a path
// that the specification lacks cannot be found by asking.
func TestTheSpecificationNamesEveryPathThatIsServed(t *testing.T) {
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, m := range regexp.MustCompile(`(?m)^\t\t"([a-z/{}-]+)":`).FindAllSubmatch(source, -1) {
		served = append(served, "/api/v1/"+string(m[1]))
	}
	for _, m := range regexp.MustCompile(`"GET (/api/v1/[^"]+)", a\.`).FindAllSubmatch(source, -1) {
		served = append(served, string(m[1]))
	}
	var named []string
	for path := range loadSpecification(t).Paths.Map() {
		named = append(named, path)
	}
	slices.Sort(served)
	slices.Sort(named)
	if !slices.Equal(served, named) {
		t.Errorf("served %q\nnamed  %q", served, named)
	}
}
