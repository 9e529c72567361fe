package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
)

var (
	asDSN      = scalar("address", parseDSN)
	asDatabase = scalar("name", parseDatabase)
)

// parseDSN checks the address of a ClickHouse server as clickhouse-go takes it.
// Its error never repeats the address: a password may be in it.
func parseDSN(s string) (string, error) {
	const example = "one looks like clickhouse://evenkeel@db.example:9000"
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("is not an address; %s", example)
	}
	if !slices.Contains([]string{"clickhouse", "tcp", "http", "https"}, u.Scheme) || u.Host == "" {
		return "", fmt.Errorf("does not name a server; %s", example)
	}
	if _, secret := u.User.Password(); secret || u.Query().Has("password") {
		return "", fmt.Errorf("holds a password; put it into a file and name that by password_file")
	}
	return s, nil
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// parseDatabase allows names that never need quoting.
func parseDatabase(s string) (string, error) {
	if !identifier.MatchString(s) {
		return "", fmt.Errorf("%q is not the name of a database: letters, digits and _, not beginning with a digit", s)
	}
	return s, nil
}
