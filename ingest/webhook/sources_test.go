package webhook_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/webhook"
)

// tokens writes files of tokens and returns the path of each.
func tokens(t *testing.T, files map[string]string) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

// guarded is a server with one source that has tokens, and others that have none.
func guarded(t *testing.T) *server {
	t.Helper()
	file := tokens(t, map[string]string{"eu": "old-secret\nnew-secret\n"})
	sources, err := webhook.NewSources([]ingest.Source{
		{Name: "eu", Tenant: "shop", BearerTokenFile: file("eu")},
		{Name: "us"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	s.handler.Configure(webhook.Settings{Sources: sources})
	return s
}

func TestATokenTellsTheSourceAndItsTenant(t *testing.T) {
	for _, secret := range []string{"old-secret", "new-secret"} {
		s := guarded(t)
		equal(t, s.post(ingest.PathAlertmanager, delivery, "Authorization", "Bearer "+secret).Code, 200)
		equal(t, s.post(ingest.PathAlertmanager+"?source=eu", delivery, "authorization", "bearer "+secret).Code, 200)
		equal(t, s.post(ingest.PathAlertmanager, delivery, webhook.TokenHeader, secret, "Authorization", "Basic eDp5").Code, 200)
		equal(t, s.post(ingest.PathAlertmanager, delivery, webhook.TokenHeader, secret, "X-Scope-OrgID", "shop").Code, 200)
		for _, r := range s.journal.records {
			equal(t, []string{r.Source, r.Tenant}, []string{"eu", "shop"})
		}
	}
}

func TestWithoutARightTokenNothingIsTakenAndNoneIsRepeated(t *testing.T) {
	for _, test := range []struct {
		name, query string
		headers     []string
		code        int
		outcome     string
	}{
		{"no token", "", nil, 401, "unauthorized"},
		{"another token", "", []string{"Authorization", "Bearer old-secrets"}, 401, "unauthorized"},
		{"an empty token", "", []string{"Authorization", "Bearer "}, 401, "unauthorized"},
		{"a password", "", []string{"Authorization", "Basic b2xkLXNlY3JldA=="}, 401, "unauthorized"},
		{"the name alone", "?source=eu", nil, 401, "unauthorized"},
		{"a source without a token of its own", "?source=us", nil, 401, "unauthorized"},
		{"the token of another source", "?source=us", []string{"Authorization", "Bearer old-secret"}, 403, "forbidden"},
		{"another tenant", "", []string{"Authorization", "Bearer old-secret", "X-Scope-OrgID", "bank"}, 403, "forbidden"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := guarded(t)
			r := s.post(ingest.PathAlertmanager+test.query, delivery, test.headers...)
			equal(t, []any{r.Code, r.Type}, []any{test.code, test.outcome})
			if strings.Contains(r.Error, "secret") {
				t.Error(r.Error)
			}
			if test.code == 401 {
				equal(t, r.Header.Get("WWW-Authenticate"), "Bearer")
			}
			s.kept()
			s.counts(ingest.PathAlertmanager, test.outcome, 1)
		})
	}
}

func TestAReloadRotatesTokens(t *testing.T) {
	file := tokens(t, map[string]string{"a": "one", "b": "two\r\n\n"})
	s := serve(t)
	for _, step := range []struct {
		file, good, bad string
	}{{"a", "one", "two"}, {"b", "two", "one"}} {
		sources, err := webhook.NewSources([]ingest.Source{{Name: "eu", BearerTokenFile: file(step.file)}})
		if err != nil {
			t.Fatal(err)
		}
		s.handler.Configure(webhook.Settings{Sources: sources})
		equal(t, s.post(ingest.PathAlertmanager, delivery, "Authorization", "Bearer "+step.good).Code, 200)
		equal(t, s.post(ingest.PathAlertmanager, delivery, "Authorization", "Bearer "+step.bad).Code, 401)
	}
}

func TestAByteOrderMarkIsNoPartOfAToken(t *testing.T) {
	file := tokens(t, map[string]string{"a": "\ufeffone\r\ntwo\r\n", "empty": "\ufeff\r\n"})
	s := serve(t)
	sources, err := webhook.NewSources([]ingest.Source{{Name: "eu", BearerTokenFile: file("a")}})
	if err != nil {
		t.Fatal(err)
	}
	s.handler.Configure(webhook.Settings{Sources: sources})
	for _, token := range []string{"one", "two"} {
		equal(t, s.post(ingest.PathAlertmanager, delivery, "Authorization", "Bearer "+token).Code, 200)
	}
	if _, err := webhook.NewSources([]ingest.Source{{Name: "eu", BearerTokenFile: file("empty")}}); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("a mark alone: %v", err)
	}
}

func TestASourceWithATenantNeedsNoHeader(t *testing.T) {
	sources, err := webhook.NewSources([]ingest.Source{{Name: "eu", Tenant: "shop"}, {Name: "us"}})
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	s.handler.Configure(webhook.Settings{Sources: sources})
	equal(t, s.post(ingest.PathAlertmanager+"?source=eu", delivery).Code, 200)
	equal(t, s.post(ingest.PathAlertmanager+"?source=us", delivery).Code, 200)
	equal(t, s.post(ingest.PathAlertmanager, delivery, "X-Scope-OrgID", "bank").Code, 200)
	r := s.post(ingest.PathAlertmanager+"?source=eu", delivery, "X-Scope-OrgID", "bank")
	equal(t, r.Code, 403)
	if want := `source "eu" is of tenant "shop", and X-Scope-OrgID names "bank"`; r.Error != want {
		t.Errorf("%q", r.Error)
	}
	var got []string
	for _, rec := range s.journal.records {
		got = append(got, rec.Tenant+"/"+rec.Source)
	}
	equal(t, got, []string{"shop/eu", "default/us", "bank/alertmanager"})
}

func TestTwoHeadersThatNameATenantAreRefused(t *testing.T) {
	s := serve(t)
	for _, path := range []string{ingest.PathAlertmanager, ingest.PathDetect} {
		for _, names := range [][]string{{"shop", "bank"}, {"shop", "shop"}, {"", "bank"}} {
			req, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(delivery))
			if err != nil {
				t.Fatal(err)
			}
			req.Header["X-Scope-Orgid"] = names
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "X-Scope-OrgID: is there twice; give one") {
				t.Error(names, resp.Status, string(text), err)
			}
		}
	}
	s.kept()
}

func TestWhatASenderSaysTwiceIsRefused(t *testing.T) {
	file := tokens(t, map[string]string{"eu": "secret"})
	s := serve(t)
	sources, err := webhook.NewSources([]ingest.Source{{Name: "eu", BearerTokenFile: file("eu")}})
	if err != nil {
		t.Fatal(err)
	}
	s.handler.Configure(webhook.Settings{Sources: sources})
	type headers = map[string][]string
	for _, test := range []struct {
		query string
		headers
		want string
	}{
		{"?source=eu&source=us", headers{"Authorization": {"Bearer secret"}}, "source: is there twice; give one"},
		{"?source=eu&source=eu", headers{"Authorization": {"Bearer secret"}}, "source: is there twice; give one"},
		{"", headers{"X-Evenkeel-Token": {"secret", "other"}}, "the token is there twice; give one"},
		{"", headers{"Authorization": {"Bearer secret", "Bearer other"}}, "the token is there twice; give one"},
		{"", headers{"Authorization": {"bearer secret"}, "X-Evenkeel-Token": {"other"}}, "the token is there twice; give one"},
	} {
		req, err := http.NewRequest(http.MethodPost, s.url+ingest.PathAlertmanager+test.query, strings.NewReader(delivery))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = test.headers
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), test.want) {
			t.Error(test, resp.Status, string(text), err)
		}
	}
	s.kept()
}

func TestADeliveryThatNamesNoSourceIsOfTheTenantOfWhatItHolds(t *testing.T) {
	sources, err := webhook.NewSources([]ingest.Source{{Name: "alertmanager", Tenant: "shop"}, {Name: "changes", Tenant: "ops"}})
	if err != nil {
		t.Fatal(err)
	}
	const sample = `{"service":"s","good":1,"total":1,"at":"2026-09-07T00:04:56Z"}`
	for _, test := range []struct{ name, path, body, header, want string }{
		{"a change", ingest.PathDetect, change, "", "200 ops/"},
		{"a change of its tenant", ingest.PathDetect, change, "ops", "200 ops/"},
		{"a change of another", ingest.PathDetect, change, "shop", `403 source "changes" is of tenant "ops", and X-Scope-OrgID names "shop"`},
		{"a change by its own path", ingest.PathChanges, change, "", "200 ops/changes"},
		{"an alert", ingest.PathDetect, delivery, "", "200 shop/"},
		{"a sample", ingest.PathDetect, sample, "", "200 default/"},
		{"a sample of a tenant", ingest.PathDetect, sample, "bank", "200 bank/"},
		{"both", ingest.PathCloudEvents, "[" + cloudEvent(delivery) + "," + cloudEvent(change) + "]", "",
			`403 it holds what is of source "alertmanager", of tenant "shop", and of source "changes", of tenant "ops": send them apart, or name a source`},
		{"both, of one source", ingest.PathCloudEvents + "?source=eu", "[" + cloudEvent(delivery) + "," + cloudEvent(change) + "]", "", "200 default/eu"},
		{"nothing", ingest.PathDetect, "{}", "", "400 shop/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t)
			s.handler.Configure(webhook.Settings{Sources: sources})
			var headers []string
			if test.header != "" {
				headers = []string{"X-Scope-OrgID", test.header}
			}
			r := s.post(test.path, test.body, headers...)
			got := fmt.Sprint(r.Code, " ", r.Error)
			for _, rec := range s.journal.records {
				got = fmt.Sprint(r.Code, " ", rec.Tenant, "/", rec.Source)
			}
			equal(t, got, test.want)
		})
	}
}

func TestWhatCannotBeUnpackedIsTreatedAsWhatCannotBeDecoded(t *testing.T) {
	sources, err := webhook.NewSources([]ingest.Source{{Name: "alertmanager", Tenant: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, path, tenant, want string }{
		{"of no tenant", ingest.PathDetect, "", "400 shop/"},
		{"of its source's tenant", ingest.PathDetect, "shop", "400 shop/"},
		{"of a source by its path", ingest.PathAlertmanager, "", "400 shop/alertmanager"},
		{"of another tenant than its source's", ingest.PathDetect, "bank", "403"},
		{"of another source", ingest.PathChanges, "bank", "400 bank/changes"},
		{"of one tenant too many", ingest.PathChanges, "typo", "403"},
	} {
		for _, body := range []struct{ kind, encoding string }{{"JSON", "identity"}, {"gzip", "gzip"}} {
			t.Run(body.kind+" "+test.name, func(t *testing.T) {
				s := serve(t, func(o *webhook.Options) { o.MaxTenants = 1 })
				s.handler.Configure(webhook.Settings{Sources: sources})
				equal(t, s.post(ingest.PathChanges, change, "X-Scope-OrgID", "bank").Code, 200)
				headers := []string{"Content-Encoding", body.encoding}
				if test.tenant != "" {
					headers = append(headers, "X-Scope-OrgID", test.tenant)
				}
				var got strings.Builder
				got.WriteString(fmt.Sprint(s.post(test.path, "{", headers...).Code))
				for _, rec := range s.journal.records[1:] {
					got.WriteString(" " + rec.Tenant + "/" + rec.Source)
				}
				equal(t, got.String(), test.want)
			})
		}
	}
}

func cloudEvent(data string) string {
	return `{"specversion":"1.0","id":"1","source":"s","type":"t","data":` + data + `}`
}

func TestTokenFilesThatAreWrongAreAllSaid(t *testing.T) {
	file := tokens(t, map[string]string{
		"empty": "\n \n", "two": "one two\n", "a": "same", "b": "same", "huge": strings.Repeat("x\n", 40<<10),
	})
	_, err := webhook.NewSources([]ingest.Source{
		{Name: "1", BearerTokenFile: file("missing")},
		{Name: "2", BearerTokenFile: file("empty")},
		{Name: "3", BearerTokenFile: file("two")},
		{Name: "4", BearerTokenFile: file("a")},
		{Name: "5", BearerTokenFile: file("b")},
		{Name: "6", BearerTokenFile: filepath.Dir(file("a"))},
		{Name: "7", BearerTokenFile: file("huge")},
	})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		`source "1": bearer_token_file ` + file("missing") + `: no such file or directory`,
		`is empty; it holds one token a line`,
		`a line with a space`,
		`holds a token of source "4", too`,
		`is a directory`,
		`larger than 64 KiB`,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("%q is not in line %d of\n%s", want, i, err)
		}
	}
	if strings.Contains(err.Error(), "same") {
		t.Error("a token is repeated")
	}
}

func TestTenantsThatAreOnlyNamedAreBounded(t *testing.T) {
	s := serve(t, func(o *webhook.Options) { o.MaxTenants = 2 })
	for _, test := range []struct {
		tenant string
		code   int
	}{{"a", 200}, {"b", 200}, {"c", 403}, {"a", 200}, {"c", 403}} {
		r := s.post(ingest.PathAlertmanager, delivery, "X-Scope-OrgID", test.tenant)
		equal(t, r.Code, test.code)
		if test.code == 403 && !strings.Contains(r.Error, "max_tenants") {
			t.Error(r.Error)
		}
	}
	equal(t, len(s.journal.records), 3)
}

func TestTenantsOfTheConfigurationAreNotBounded(t *testing.T) {
	s := serve(t, func(o *webhook.Options) { o.MaxTenants = 1 })
	sources, err := webhook.NewSources([]ingest.Source{{Name: "eu", Tenant: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	s.handler.Configure(webhook.Settings{Sources: sources})
	for _, test := range []struct {
		query, tenant, body string
		code                int
	}{
		{"", "default", delivery, 200},
		{"?source=eu", "shop", delivery, 200},
		{"", "shop", delivery, 200},
		{"", "typo", "{", 400}, // nothing came of it: it does not count
		{"", "a", delivery, 200},
		{"", "b", delivery, 403},
		{"", "b", "{", 403},
		{"", "default", delivery, 200},
		{"?source=eu", "shop", delivery, 200},
	} {
		if r := s.post(ingest.PathAlertmanager+test.query, test.body, "X-Scope-OrgID", test.tenant); r.Code != test.code {
			t.Errorf("%+v: %d %s", test, r.Code, r.Error)
		}
	}
}

func TestAnAnswerSaysHowManyWarningsItLeavesOut(t *testing.T) {
	s := serve(t)
	change := `{"id":"1","service":"s","started_at":"2026-09-07T00:04:56Z"` + strings.Repeat(`,"x":1`, 105) + `}`
	r := s.post(ingest.PathChanges, "["+change+",1,1]")
	equal(t, len(r.Warn), 11)
	equal(t, r.Warn[10], "and 97 more")
}

func TestAlertsThatPrometheusPostsAreAnsweredAsByAlertmanager(t *testing.T) {
	const good, bad = `{"labels":{"alertname":"Up"},"startsAt":"2026-11-22T11:54:21Z"}`, `{"labels":{}}`
	s := serve(t)
	status, body := s.raw(ingest.PathAlerts, "["+good+"]")
	equal(t, []any{status, body}, []any{200, ""})
	status, body = s.raw(ingest.PathAlerts, "["+good+","+bad+"]")
	equal(t, []any{status, body}, []any{400, "\"alerts[1].labels: none\"\n"})
	equal(t, len(s.journal.records), 2)
	s.counts(ingest.PathAlerts, "partial", 1)
	status, body = s.raw(ingest.PathAlerts, "["+good)
	if status != 400 || !strings.HasPrefix(body, `"line 1, column`) {
		t.Error(status, body)
	}
	s.journal.err = os.ErrClosed
	status, body = s.raw(ingest.PathAlerts, "["+good+"]")
	equal(t, []any{status, body}, []any{503, "\"file already closed\"\n"})
}

func TestACloudEventInHeadersIsKeptAsOneBody(t *testing.T) {
	s := serve(t)
	r := s.post(ingest.PathCloudEvents, change, "Content-Type", "application/json", "ce-specversion", "1.0",
		"ce-id", "7", "ce-source", "ci", "ce-type", "evenkeel.changes", "Traceparent", "x")
	equal(t, r.Code, 200)
	s.kept(ingest.Record{
		Kind: ingest.KindDelivery, Tenant: "default", Path: ingest.PathCloudEvents,
		Body: []byte(`{"id":"7","source":"ci","specversion":"1.0","type":"evenkeel.changes","data":` + change + `}`),
	})
	equal(t, s.post(ingest.PathCloudEvents, string(s.journal.records[0].Body), "Content-Type", "application/cloudevents+json").Code, 200)
	equal(t, s.post(ingest.PathCloudEvents, "["+string(s.journal.records[0].Body)+"]", "Content-Type", "application/cloudevents-batch+json").Code, 200)
	equal(t, s.post(ingest.PathAlertmanager, delivery, "ce-specversion", "1.0").Code, 200) // is not of this path
	equal(t, string(s.journal.records[3].Body), delivery)
}
