package clickhouse

import (
	"context"
	"regexp"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// placeholderRE finds the server-side parameters of a query, {name:Type}, and their types.
var placeholderRE = regexp.MustCompile(`\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*:\s*([^}]+?)\s*\}`)

// textEscaper writes a string as the server reads a parameter of a string type: as a field of
// tab-separated text.
var textEscaper = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// quoter writes a string inside a quoted literal.
var quoter = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)

// Strings writes values as the text of a parameter of type Array(String).
func Strings(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + quoter.Replace(v) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// withParams puts the parameters into the context, where the driver looks for them. Strings are
// escaped by the type that the query gives them, so that a tab or a backslash in a value stays
// what it is.
func withParams(ctx context.Context, sql string, params Params) context.Context {
	if len(params) == 0 {
		return ctx
	}
	texts := stringParams(sql)
	encoded := make(ch.Parameters, len(params))
	for name, value := range params {
		if texts[name] {
			value = textEscaper.Replace(value)
		}
		encoded[name] = value
	}
	return ch.Context(ctx, ch.WithParameters(encoded))
}

// stringParams returns the names of the query's parameters that are strings.
func stringParams(sql string) map[string]bool {
	names := map[string]bool{}
	for _, m := range placeholderRE.FindAllStringSubmatch(sql, -1) {
		if strings.HasPrefix(m[2], "String") || strings.HasPrefix(m[2], "LowCardinality(String") || strings.HasPrefix(m[2], "Nullable(String") {
			names[m[1]] = true
		}
	}
	return names
}
