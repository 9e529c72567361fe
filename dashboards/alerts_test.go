package dashboards

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/rig"
)

type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(Alerts(), &file); err != nil {
		t.Fatal(err)
	}
	return file.Groups[0].Rules
}

func TestPromtoolTakesTheRules(t *testing.T) {
	if out, err := rig.Promtool(t, "check", "rules", "alerts.yml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := rig.Promtool(t, "test", "rules", "alerts_test.yml"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestEveryRuleHasARunbook follows each runbook_url to its section.
func TestEveryRuleHasARunbook(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(rig.Root(t), "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t) {
		if r.Annotations["runbook_url"] != "docs/runbook.md#"+strings.ToLower(r.Alert) || !strings.Contains(string(page), "\n## "+r.Alert+"\n") {
			t.Errorf("%s: %q leads to no section of docs/runbook.md", r.Alert, r.Annotations["runbook_url"])
		}
		if r.Annotations["summary"] == "" || !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("%s lacks a summary or a severity", r.Alert)
		}
	}
}

// TestRulesAskForMetricsThatExist reads the names of all metrics out of the source: a rule on a metric
// that was renamed would never fire.
func TestRulesAskForMetricsThatExist(t *testing.T) {
	name := regexp.MustCompile(`"(evenkeel_[a-z_]+)"`)
	known := map[string]bool{}
	root := rig.Root(t)
	for _, folder := range []string{"internal", "ingest"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range name.FindAllStringSubmatch(string(source), -1) {
				known[m[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rules(t) {
		for _, metric := range regexp.MustCompile(`evenkeel_[a-z_]+`).FindAllString(r.Expr, -1) {
			if !known[metric] {
				t.Errorf("%s asks for %s, which nothing exports", r.Alert, metric)
			}
		}
	}
}
