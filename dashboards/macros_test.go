package dashboards

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// expander turns a panel's SQL into what Grafana's ClickHouse data source sends,
// for one time range, one interval and one choice of variables. It knows the macros
// that our dashboard may use and says so when it meets another.
type expander struct {
	from, to  time.Time
	interval  time.Duration
	variables map[string]variable
}

// variable is the choice of a template variable.
type variable struct {
	values []string
	all    bool
}

// expand first does what the browser does (variables and $__conditionalAll), then
// what the data source does (comments away, then macros).
func (e expander) expand(sql string) (string, error) {
	sql, err := e.conditionals(sql)
	if err != nil {
		return "", err
	}
	sql = e.interpolate(sql)
	return e.macros(stripComments(sql))
}

// conditionals replaces $__conditionalAll(cond, $var), last first, so that the innermost goes first.
func (e expander) conditionals(sql string) (string, error) {
	const name = "$__conditionalAll("
	for {
		at := strings.LastIndex(sql, name)
		if at < 0 {
			return sql, nil
		}
		args, end, err := arguments(sql, at+len(name)-1)
		if err != nil {
			return "", err
		}
		if len(args) != 2 || !regexp.MustCompile(`^\$\w+$`).MatchString(args[1]) {
			return "", fmt.Errorf("$__conditionalAll takes a condition and a plain $variable, not %q", args)
		}
		choice, ok := e.variables[args[1][1:]]
		if !ok {
			return "", fmt.Errorf("no variable %s", args[1])
		}
		replacement := args[0]
		if choice.all {
			replacement = "1=1"
		}
		sql = sql[:at] + replacement + sql[end:]
	}
}

var (
	formatted = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}`)
	plain     = regexp.MustCompile(`\$([A-Za-z]\w*)`)
)

// interpolate replaces ${var}, ${var:singlequote} and $var. Macros begin with $__ and stay.
func (e expander) interpolate(sql string) string {
	sql = formatted.ReplaceAllStringFunc(sql, func(m string) string {
		parts := formatted.FindStringSubmatch(m)
		choice, ok := e.variables[parts[1]]
		if !ok {
			return m
		}
		return choice.format(parts[2])
	})
	return plain.ReplaceAllStringFunc(sql, func(m string) string {
		choice, ok := e.variables[m[1:]]
		if !ok {
			return m
		}
		return choice.format("")
	})
}

func (v variable) format(format string) string {
	if format != "singlequote" {
		return strings.Join(v.values, ",")
	}
	quoted := make([]string, len(v.values))
	for i, s := range v.values {
		quoted[i] = "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
	}
	return strings.Join(quoted, ",")
}

// macros replaces each $__macro outside string literals.
func (e expander) macros(sql string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(sql); {
		if sql[i] == '\'' {
			end := literalEnd(sql, i)
			out.WriteString(sql[i:end])
			i = end
			continue
		}
		if !strings.HasPrefix(sql[i:], "$__") {
			out.WriteByte(sql[i])
			i++
			continue
		}
		text, end, err := e.macro(sql, i)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		i = end
	}
	return out.String(), nil
}

// macro expands the macro at sql[at] and returns where it ends.
func (e expander) macro(sql string, at int) (text string, end int, err error) {
	end = at + 3
	for end < len(sql) && isWord(sql[end]) {
		end++
	}
	name := sql[at+3 : end]
	if text, ok := e.constant(name); ok {
		return text, end, nil
	}
	if end >= len(sql) || sql[end] != '(' {
		return "", 0, fmt.Errorf("macro $__%s is not one that we know, or lacks its arguments", name)
	}
	args, end, err := arguments(sql, end)
	if err != nil {
		return "", 0, err
	}
	// What stands in the arguments may hold macros too.
	for i := range args {
		if args[i], err = e.macros(args[i]); err != nil {
			return "", 0, err
		}
	}
	text, err = e.call(name, args)
	return text, end, err
}

func (e expander) constant(name string) (string, bool) {
	switch name {
	case "fromTime":
		return seconds(e.from), true
	case "toTime":
		return seconds(e.to), true
	case "fromTime_ms":
		return millis(e.from), true
	case "toTime_ms":
		return millis(e.to), true
	case "interval_s":
		return strconv.Itoa(max(1, int(e.interval.Seconds()))), true
	}
	return "", false
}

func (e expander) call(name string, args []string) (string, error) {
	if want := arity[name]; want == 0 || len(args) != want {
		return "", fmt.Errorf("macro $__%s with %d arguments is not one that we know", name, len(args))
	}
	c := args[0]
	switch name {
	case "timeFilter":
		return e.between(c, seconds), nil
	case "timeFilter_ms":
		return e.between(c, millis), nil
	case "dateFilter":
		return e.between(c, date), nil
	case "dateTimeFilter":
		return "(" + e.between(c, date) + ") AND (" + e.between(args[1], seconds) + ")", nil
	case "timeFrom":
		return c + " >= " + seconds(e.from), nil
	case "timeTo":
		return c + " <= " + seconds(e.to), nil
	case "timeInterval":
		return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", c, max(1, int(e.interval.Seconds()))), nil
	case "timeInterval_ms":
		return fmt.Sprintf("toStartOfInterval(toDateTime64(%s, 3), INTERVAL %d millisecond)", c, max(1, e.interval.Milliseconds())), nil
	}
	every, err := time.ParseDuration(args[1])
	if err != nil {
		return "", fmt.Errorf("$__timeGroup: %w", err)
	}
	return fmt.Sprintf("toStartOfInterval(toDateTime(%s), INTERVAL %d second)", c, int(every.Seconds())), nil
}

var arity = map[string]int{
	"timeFilter": 1, "timeFilter_ms": 1, "dateFilter": 1, "dateTimeFilter": 2, "timeFrom": 1, "timeTo": 1,
	"timeInterval": 1, "timeInterval_ms": 1, "timeGroup": 2,
}

// between includes both ends, as the data source does.
func (e expander) between(column string, at func(time.Time) string) string {
	return column + " >= " + at(e.from) + " AND " + column + " <= " + at(e.to)
}

func seconds(t time.Time) string { return fmt.Sprintf("toDateTime(%d)", t.Unix()) }
func millis(t time.Time) string  { return fmt.Sprintf("fromUnixTimestamp64Milli(%d)", t.UnixMilli()) }
func date(t time.Time) string    { return "toDate('" + t.UTC().Format(time.DateOnly) + "')" }

// arguments splits what stands in the parentheses that open at sql[open], and
// returns where they end. Nested parentheses and literals stay whole.
func arguments(sql string, open int) (args []string, end int, err error) {
	depth, start := 0, open+1
	for i := open; i < len(sql); i++ {
		switch sql[i] {
		case '\'':
			i = literalEnd(sql, i) - 1
		case '(':
			depth++
		case ',':
			if depth == 1 {
				args, start = append(args, strings.TrimSpace(sql[start:i])), i+1
			}
		case ')':
			if depth--; depth == 0 {
				return append(args, strings.TrimSpace(sql[start:i])), i + 1, nil
			}
		}
	}
	return nil, 0, errors.New("a parenthesis is not closed")
}

// stripComments takes away -- and /* */ comments, but not from literals.
func stripComments(sql string) string {
	var out strings.Builder
	for i := 0; i < len(sql); {
		rest := sql[i:]
		switch {
		case rest[0] == '\'':
			end := literalEnd(sql, i)
			out.WriteString(sql[i:end])
			i = end
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				return out.String()
			}
			i += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return out.String()
			}
			i += end + 2
		default:
			out.WriteByte(rest[0])
			i++
		}
	}
	return out.String()
}

// literalEnd returns where the string literal that begins at sql[at] ends.
func literalEnd(sql string, at int) int {
	for i := at + 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\':
			i++
		case sql[i] == '\'' && i+1 < len(sql) && sql[i+1] == '\'':
			i++
		case sql[i] == '\'':
			return i + 1
		}
	}
	return len(sql)
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
