package api

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/ingest"
)

// ParamError says which parameters of a request are wrong, each with its value and why.
type ParamError struct{ Problems []string }

func (e *ParamError) Error() string { return strings.Join(e.Problems, "; ") }

// badParam returns the error of one parameter.
func badParam(name, value, why string) *ParamError {
	return &ParamError{Problems: []string{problem(name, value, why)}}
}

func problem(name, value, why string) string {
	return fmt.Sprintf("parameter %s: %q %s", name, shorten(value), why)
}

// Params reads the parameters of one request. It notes everything that is wrong,
// so that [Params.Err] can say it all at once; a value that is wrong reads as absent.
type Params struct {
	values   url.Values
	problems []string
}

// ReadParams returns the parameters in query, of which only allowed may be there, each once.
func ReadParams(query url.Values, allowed ...string) *Params {
	p := &Params{values: query}
	for _, name := range sortedNames(query) {
		switch {
		case !slices.Contains(allowed, name):
			p.problems = append(p.problems, problem(name, query.Get(name), "is not a parameter here; there are "+oneOf(allowed)))
		case len(query[name]) > 1:
			p.problems = append(p.problems, problem(name, query[name][1], "is a second value; give one"))
		}
	}
	return p
}

// Err returns all that was wrong as one *ParamError, or nil.
func (p *Params) Err() error {
	if len(p.problems) == 0 {
		return nil
	}
	return &ParamError{Problems: p.problems}
}

// Text returns the value of name, or "".
func (p *Params) Text(name string) string { return p.values.Get(name) }

// Has says whether name was given, if only as nothing.
func (p *Params) Has(name string) bool { return p.values.Has(name) }

// Time returns an instant given as RFC 3339 or as Unix seconds, as Prometheus
// takes them; absent gives otherwise.
func (p *Params) Time(name string, otherwise ingest.Millis) ingest.Millis {
	value := p.values.Get(name)
	if value == "" {
		return otherwise
	}
	at, err := ParseTime(value)
	if err != nil {
		p.reject(name, err.Error())
		return otherwise
	}
	return at
}

// Window returns the half-open window that from and to give, and notes one that ends before it begins.
func (p *Params) Window(from, to ingest.Millis) (start, end ingest.Millis) {
	start, end = p.Time("from", from), p.Time("to", to)
	if end != 0 && start >= end {
		p.problems = append(p.problems, fmt.Sprintf("the window is empty: from %s is not before to %s", start, end))
	}
	return start, end
}

// Limit returns how many to list at most.
func (p *Params) Limit(otherwise, most int) int {
	value := p.values.Get("limit")
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		p.reject("limit", fmt.Sprintf("is not a whole number from 1 to %d", most))
		return otherwise
	}
	return n
}

// OneOf returns the value of name, which must be one of allowed; absent gives "".
func (p *Params) OneOf(name string, allowed ...string) string {
	value := p.values.Get(name)
	if value != "" && !slices.Contains(allowed, value) {
		p.reject(name, "is not one of "+oneOf(allowed))
		return ""
	}
	return value
}

// Flag returns whether name is true; absent is false.
func (p *Params) Flag(name string) bool {
	switch p.values.Get(name) {
	case "", "false", "0":
		return false
	case "true", "1":
		return true
	}
	p.reject(name, "is neither true nor false")
	return false
}

func (p *Params) reject(name, why string) {
	p.problems = append(p.problems, problem(name, p.values.Get(name), why))
}

// latestTime is the end of year 9999: RFC 3339 goes no further.
const latestTime = 253402300799

// ParseTime reads an instant given as RFC 3339 or as Unix seconds, which may have a fraction.
func ParseTime(value string) (ingest.Millis, error) {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds >= 0 && seconds <= latestTime) { // also where it is NaN
			return 0, errors.New("lies outside the years 1970 to 9999")
		}
		return ingest.Millis(math.Round(seconds * 1000)), nil
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return 0, errors.New("is neither RFC 3339 (2026-11-22T12:00:00Z) nor Unix seconds")
	}
	if t.Unix() < 0 || t.Unix() > latestTime {
		return 0, errors.New("lies outside the years 1970 to 9999")
	}
	return ingest.MillisOf(t), nil
}

// shorten keeps an error readable where someone posts a novel.
func shorten(s string) string {
	const most = 80
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}

func oneOf(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func sortedNames(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
