package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The scalars of the files. Each parses one value, and its error says what is
// wrong with the value and what would be right.
var (
	asText      = scalar("text", parseText)
	asZone      = scalar("zone", parseZone)
	asDuration  = scalar("duration", parseDuration)
	asSize      = scalar("size", parseSize)
	asPort      = scalar("port", wholeNumber(0, 65535))
	asTier      = scalar("whole number", wholeNumber(1, 9))
	asObjective = scalar("percentage or ratio", parseObjective)
	asRatio     = scalar("percentage or ratio", parseRatio)
	asClock     = scalar("time of day", parseClock)
	asDate      = scalar("date", parseDate)
)

func parseText(s string) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", fmt.Errorf("is empty")
	}
	if s != strings.TrimSpace(s) {
		return "", fmt.Errorf("%q begins or ends with a space", s)
	}
	return s, nil
}

func parseZone(s string) (string, error) {
	if s == "" || s == "Local" {
		return "", fmt.Errorf("%q depends on the machine; name a zone such as UTC or Europe/Berlin", s)
	}
	if _, err := time.LoadLocation(s); err != nil {
		return "", fmt.Errorf("%q is not a zone of the IANA database; one looks like UTC or Europe/Berlin", s)
	}
	return s, nil
}

// parseDuration reads durations as Prometheus writes them.
func parseDuration(s string) (time.Duration, error) {
	d, err := model.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; one looks like 30s, 15m, 9h or 1d", s)
	}
	if d <= 0 {
		return 0, fmt.Errorf("%q must be longer than nothing", s)
	}
	return time.Duration(d), nil
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// parseSize reads a number of bytes with its unit. A number alone is refused:
// nobody can tell by looking what it means.
func parseSize(s string) (int64, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || math.IsNaN(n) || n <= 0 || n*float64(u.bytes) >= math.MaxInt64/2 {
			break
		}
		return int64(n * float64(u.bytes)), nil
	}
	return 0, fmt.Errorf("%q is not a size; one looks like 512MiB or 10GiB", s)
}

func wholeNumber(low, high int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("%q is not a whole number from %d to %d", s, low, high)
		}
		return n, nil
	}
}

// parseObjective reads 99.9% and 0.999 as the same ratio, exactly the decimal that
// was written: 99.9/100 in binary would not be.
func parseObjective(s string) (float64, error) {
	r, err := parseRatio(s)
	if err != nil {
		return 0, err
	}
	if r == 0 {
		return 0, fmt.Errorf("%q promises nothing", s)
	}
	return r, nil
}

func parseRatio(s string) (float64, error) {
	digits, percent := strings.CutSuffix(s, "%")
	digits = strings.TrimSpace(digits)
	if strings.Trim(digits, "0123456789.") != "" {
		return 0, fmt.Errorf("%q is not a percentage; one looks like 99.9%% or 0.999", s)
	}
	exponent := ""
	if percent {
		exponent = "e-2"
	}
	r, err := strconv.ParseFloat(digits+exponent, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not a percentage; one looks like 99.9%% or 0.999", s)
	case r > 1 && !percent && r <= 100:
		return 0, fmt.Errorf("%q as a ratio is more than 1; did you mean %s%%?", s, digits)
	case r > 1:
		return 0, fmt.Errorf("%q is more than everything; at most 100%%", s)
	}
	return r, nil
}

// parseClock reads a local time of day as minutes since midnight.
func parseClock(s string) (int, error) {
	hours, minutes, ok := strings.Cut(s, ":")
	h, errH := strconv.Atoi(hours)
	m, errM := strconv.Atoi(minutes)
	if !ok || len(minutes) != 2 || len(hours) > 2 || errH != nil || errM != nil ||
		h < 0 || m < 0 || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day; one looks like 08:00, the latest is 24:00", s)
	}
	return h*60 + m, nil
}

func parseDate(s string) (string, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is not a date; one looks like 2026-12-25", s)
	}
	return s, nil
}

// oneOf reads one of the words.
func oneOf(words ...string) reader[string] {
	return scalar("one of "+strings.Join(words, ", "), func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", fmt.Errorf("%q is not one of %s", s, strings.Join(words, ", "))
		}
		return s, nil
	})
}
