package dashboards

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
	"github.com/evenkeel/evenkeel/internal/rig"
)

// dashboard is what the tests look at of Grafana's JSON.
type dashboard struct {
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Panels        []struct {
		ID          int        `json:"id"`
		Type        string     `json:"type"`
		Title       string     `json:"title"`
		Description string     `json:"description"`
		Datasource  dataSource `json:"datasource"`
		GridPos     struct{ H, W, X, Y int }
		Targets     []struct {
			RefID      string     `json:"refId"`
			Datasource dataSource `json:"datasource"`
			EditorType string     `json:"editorType"`
			Format     int        `json:"format"`
			RawSQL     string     `json:"rawSql"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name       string          `json:"name"`
			Type       string          `json:"type"`
			Query      string          `json:"query"`
			Multi      bool            `json:"multi"`
			IncludeAll bool            `json:"includeAll"`
			Datasource json.RawMessage `json:"datasource"`
		} `json:"list"`
	} `json:"templating"`
}

type dataSource struct{ Type, UID string }

const file = "evenkeel-overview.json"

func load(t *testing.T) dashboard {
	t.Helper()
	text, err := fs.ReadFile(Grafana(), file)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// all is the choice of All in the variable service; only is a choice of some.
func all() map[string]variable { return map[string]variable{"service": {all: true}} }
func only(services ...string) map[string]variable {
	return map[string]variable{"service": {values: services}}
}

// instant reads "11-03 10:00" of 2026 in UTC.
func instant(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", "2026-"+text)
	if err != nil {
		panic(err)
	}
	return t
}

// week and hours are the two ranges: the second begins and ends exactly where incidents and episodes
// do. beyond reaches past the newest delivery.
func week(v map[string]variable) expander {
	return expander{from: instant("11-01 00:00"), to: instant("11-08 00:00"), interval: time.Hour, variables: v}
}

func hours(v map[string]variable) expander {
	return expander{from: instant("11-03 10:00"), to: instant("11-03 16:00"), interval: time.Hour, variables: v}
}

func beyond(v map[string]variable) expander {
	return expander{from: instant("11-08 00:00"), to: instant("11-10 00:00"), interval: time.Hour, variables: v}
}

const (
	minute = int64(time.Minute / time.Millisecond)
	hour   = 60 * minute
)

// ms writes an instant as ClickHouse does in JSON.
func ms(text string) string { return instant(text).Format("2006-01-02 15:04:05.000") }

func TestEveryPanelAnswersAsExpected(t *testing.T) {
	conn := rig.ClickHouse(t)
	seed(t, conn)
	d := load(t)
	type rows [][]any
	day := func(d string, critical, warning, other int64) []any {
		return []any{"2026-" + d + " 00:00:00", critical, warning, other}
	}
	list := func(id, opened, resolved, severity, state, services string, episodes int64) []any {
		var end any
		if resolved != "" {
			end = ms(resolved)
		}
		return []any{ms(opened), end, severity, state, "title of " + id, services, episodes, id}
	}
	a := list("A", "10-30 12:00", "11-01 06:00", "critical", "closed", "cart, payment", 1)
	b := list("B", "11-03 10:00", "11-03 16:00", "warning", "resolved", "search", 1)
	c := list("C", "11-03 11:00", "", "critical", "open", "payment", 2)
	e := list("E", "11-08 00:00", "", "info", "open", "search", 1)
	f := list("F", "11-03 08:00", "11-03 10:00", "page", "closed", "cart", 1)
	wants := map[string]map[string]rows{
		"Open incidents":         {"week": {{1}}, "hours": {{2}}, "payment": {{1}}, "beyond": {{2}}},
		"Incidents in the range": {"week": {{4}}, "hours": {{2}}, "payment": {{2}}, "beyond": {{2}}},
		"Time to resolve": {
			"week": {{50 * hour / 3, 6 * hour, 3}}, "hours": {{2 * hour, 2 * hour, 1}},
			"payment": {{42 * hour, 42 * hour, 1}}, "beyond": {{nil, nil, 0}},
		},
		"Episodes per incident": {"week": {{4, 3}}, "hours": {{3, 2}}, "payment": {{2, 1}}, "beyond": {{1, 1}}},
		"Dead letters":          {"week": {{1}}, "hours": {{1}}, "payment": {{1}}, "beyond": {{1}}},
		"Incidents opened per day": {
			"week": {
				day("11-01", 0, 0, 0), day("11-02", 0, 0, 0), day("11-03", 2, 1, 0), day("11-04", 0, 0, 0),
				day("11-05", 0, 0, 0), day("11-06", 0, 0, 0), day("11-07", 0, 0, 0),
			},
			"hours":   {day("11-03", 1, 1, 0)},
			"payment": nil, // looked at in part below
			"beyond":  {day("11-08", 0, 0, 1), day("11-09", 0, 0, 0)},
		},
		"Open incidents over time": {"week": nil, "hours": nil, "payment": nil, "beyond": nil}, // its own test
		"Availability by service": {
			"week": {
				{"payment", 99.4047, 1 * hour, 30 * minute, 0, 0, 166*hour + 30*minute},
				{"search", 100, 0, 0, 1 * hour, 96 * hour, 71 * hour},
			},
			"hours": {
				{"payment", 83.3333, 1 * hour, 30 * minute, 0, 0, 4*hour + 30*minute},
				{"search", 100, 0, 0, 1 * hour, 0, 5 * hour},
			},
			"payment": {{"payment", 99.4047, 1 * hour, 30 * minute, 0, 0, 166*hour + 30*minute}},
			"beyond":  {{"payment", 100, 0, 0, 0, 0, 24 * hour}},
		},
		"Downtime per day and service": {
			"week":    {{"2026-11-03 00:00:00", "payment", 1 * hour}, {"2026-11-06 00:00:00", "search", 20 * minute}},
			"hours":   {{"2026-11-03 00:00:00", "payment", 1 * hour}},
			"payment": {{"2026-11-03 00:00:00", "payment", 1 * hour}},
			"beyond":  {},
		},
		"Noisiest alerts": {
			"week": {
				{"HighErrorRate", "payment", 3, 2, 2, 6*hour + 109*hour + 2*hour},
				{"DiskWillFill", "search", 1, 1, 1, 6 * hour}, {"Timeouts", "cart", 1, 1, 1, 2 * hour},
			},
			"hours":   {{"HighErrorRate", "payment", 2, 2, 1, 7 * hour}, {"DiskWillFill", "search", 1, 1, 1, 6 * hour}},
			"payment": {{"HighErrorRate", "payment", 3, 2, 2, 117 * hour}},
			"beyond":  {{"DiskWillFill", "search", 1, 1, 1, 24 * hour}, {"HighErrorRate", "payment", 1, 0, 1, 24 * hour}},
		},
		"Incidents": {"week": {c, b, f, a}, "hours": {c, b}, "payment": {c, a}, "beyond": {e, c}},
	}
	ranges := map[string]expander{"week": week(all()), "hours": hours(all()), "payment": week(only("payment")), "beyond": beyond(all())}
	for _, p := range d.Panels {
		for name, e := range ranges {
			t.Run(p.Title+" "+name, func(t *testing.T) {
				want, known := wants[p.Title][name]
				if !known {
					t.Fatal("nothing is said of what this panel should answer")
				}
				for _, target := range p.Targets {
					sql, err := e.expand(target.RawSQL)
					if err != nil {
						t.Fatal(err)
					}
					got := query(t, conn, sql)
					if target.Format == 0 {
						mustBeTimeSeries(t, conn, sql, got)
					}
					if diff := cmp.Diff(asJSON(want), got); want != nil && diff != "" {
						t.Errorf("(-want +got):\n%s\n%s", diff, sql)
					}
				}
			})
		}
	}
	if len(d.Panels) != len(wants) {
		t.Errorf("%d panels, %d of them expected", len(d.Panels), len(wants))
	}
}

func TestOpenIncidentsOverTimeAreCountedAtEachStep(t *testing.T) {
	conn := rig.ClickHouse(t)
	seed(t, conn)
	sql, err := week(all()).expand(panelSQL(t, "Open incidents over time"))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]any{}
	for _, row := range query(t, conn, sql) {
		at[row[0].(string)] = row[1]
	}
	if len(at) != 7*24 {
		t.Errorf("%d steps, not one an hour", len(at))
	}
	for when, want := range map[string]float64{
		"11-01 00:00": 1, "11-01 05:00": 1, "11-01 06:00": 0, "11-03 08:00": 1, "11-03 10:00": 1, "11-03 12:00": 2, "11-03 16:00": 1, "11-07 23:00": 1,
	} {
		if at[ms(when)] != want {
			t.Errorf("at %s %v are open, not %v", when, at[ms(when)], want)
		}
	}
	// What lies after the newest delivery is not known to be open.
	sql, err = beyond(all()).expand(panelSQL(t, "Open incidents over time"))
	if err != nil {
		t.Fatal(err)
	}
	got := query(t, conn, sql)
	if last := got[len(got)-1][0]; len(got) != 24 || last != ms("11-08 23:00") {
		t.Errorf("%d steps, the last at %s", len(got), last)
	}
}

// TestPanelsAnswerWithoutAnything runs every panel on an empty database: nothing may fail, and no
// number may be invented.
func TestPanelsAnswerWithoutAnything(t *testing.T) {
	conn := rig.ClickHouse(t)
	for _, p := range load(t).Panels {
		for _, target := range p.Targets {
			sql, err := week(all()).expand(target.RawSQL)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range query(t, conn, sql) {
				for i, v := range row {
					if n, ok := v.(float64); ok && n != 0 {
						t.Errorf("%s: column %d is %v of nothing", p.Title, i, n)
					}
				}
			}
		}
	}
}

func TestEveryVariableAnswersAsExpected(t *testing.T) {
	conn := rig.ClickHouse(t)
	seed(t, conn)
	seen := map[string]bool{}
	for _, v := range load(t).Templating.List {
		seen[v.Name] = true
		switch v.Name {
		case "datasource":
			if v.Type != "datasource" || v.Query != "grafana-clickhouse-datasource" {
				t.Errorf("datasource is %+v", v)
			}
		case "service":
			if !v.Multi || !v.IncludeAll || v.Type != "query" || !strings.Contains(string(v.Datasource), "${datasource}") {
				t.Errorf("service is %+v", v)
			}
			for _, e := range []expander{week(all()), hours(all())} {
				sql, err := e.expand(v.Query)
				if err != nil {
					t.Fatal(err)
				}
				want := [][]any{{"cart"}, {"payment"}, {"search"}}
				if diff := cmp.Diff(want, query(t, conn, sql)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		default:
			t.Errorf("nothing is said of the variable %s", v.Name)
		}
	}
	if !seen["datasource"] || !seen["service"] {
		t.Errorf("variables are %v", seen)
	}
}

// TestAServiceCannotBreakOutOfItsQuotes chooses a service whose name is an attack.
func TestAServiceCannotBreakOutOfItsQuotes(t *testing.T) {
	conn := rig.ClickHouse(t)
	seed(t, conn)
	for _, p := range load(t).Panels {
		for _, target := range p.Targets {
			sql, err := week(only("x') OR 1=1 --")).expand(target.RawSQL)
			if err != nil {
				t.Fatal(err)
			}
			query(t, conn, sql)
		}
	}
}

func TestTheDashboardIsAsGrafanaWantsIt(t *testing.T) {
	d := load(t)
	if d.UID == "" || d.SchemaVersion < 39 {
		t.Errorf("uid %q, schema %d", d.UID, d.SchemaVersion)
	}
	source := dataSource{"grafana-clickhouse-datasource", "${datasource}"}
	ids := map[int]bool{}
	for i, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Description == "" || p.Datasource != source {
			t.Errorf("panel %d %q: id, title, description or data source", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s sticks out of the grid", p.Title)
		}
		for _, q := range d.Panels[:i] {
			if p.GridPos.X < q.GridPos.X+q.GridPos.W && q.GridPos.X < p.GridPos.X+p.GridPos.W &&
				p.GridPos.Y < q.GridPos.Y+q.GridPos.H && q.GridPos.Y < p.GridPos.Y+p.GridPos.H {
				t.Errorf("%s lies on %s", p.Title, q.Title)
			}
		}
		for _, target := range p.Targets {
			if target.EditorType != "sql" || target.Datasource != source || (target.Format == 0) != (p.Type == "timeseries") {
				t.Errorf("%s: %+v", p.Title, target)
			}
			for _, never := range []string{"now()", "any(", "$__timeFilter", "avg(", "FINAL"} {
				if strings.Contains(target.RawSQL, never) {
					t.Errorf("%s says %s", p.Title, never)
				}
			}
		}
	}
}

func TestProvisioningIsYAMLThatNamesThePlugin(t *testing.T) {
	for name, want := range map[string]string{
		"provisioning/datasources/evenkeel.yml": "grafana-clickhouse-datasource", "provisioning/dashboards/evenkeel.yml": "/etc/grafana/dashboards/evenkeel",
	} {
		text, err := fs.ReadFile(Grafana(), name)
		if err != nil {
			t.Fatal(err)
		}
		var any map[string]any
		if err := yaml.Unmarshal(text, &any); err != nil || !strings.Contains(string(text), want) || any["apiVersion"] != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func panelSQL(t *testing.T, title string) string {
	t.Helper()
	for _, p := range load(t).Panels {
		if p.Title == title {
			return p.Targets[0].RawSQL
		}
	}
	t.Fatalf("no panel %q", title)
	return ""
}

// query runs sql as it stands and returns its rows as JSON values: the types are the panel's matter.
func query(t *testing.T, conn *clickhouse.Conn, sql string) [][]any {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT formatRow('JSONCompactEachRow', *) FROM (\n"+sql+
		"\n) SETTINGS output_format_json_quote_64bit_integers = 0, max_threads = 1", nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	all := [][]any{}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		var row []any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
	return all
}

// mustBeTimeSeries checks what Grafana asks of a time series: the first column is an instant, and ascends.
func mustBeTimeSeries(t *testing.T, conn *clickhouse.Conn, sql string, got [][]any) {
	t.Helper()
	types := query(t, conn, "SELECT toTypeName(*) FROM (SELECT time FROM (\n"+sql+"\n) LIMIT 1)")
	if len(types) > 0 && !strings.HasPrefix(types[0][0].(string), "DateTime") {
		t.Errorf("the first column is %s", types[0][0])
	}
	var times []string
	for _, row := range got {
		times = append(times, fmt.Sprint(row[0]))
	}
	if !slices.IsSorted(times) {
		t.Errorf("times do not ascend: %q", times)
	}
}

// asJSON makes expected rows what JSON gives: every number a float64.
func asJSON(rows [][]any) [][]any {
	text, err := json.Marshal(rows)
	if err != nil {
		panic(err)
	}
	var same [][]any
	if err := json.Unmarshal(text, &same); err != nil {
		panic(err)
	}
	return same
}
