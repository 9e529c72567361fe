package app

import (
	"fmt"
	"net/url"
)

// withCredentials returns the address dsn with the database and the password, where
// they are given.
func withCredentials(dsn, database, password string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", fmt.Errorf("clickhouse.dsn: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/" + database
	}
	if password != "" {
		user := u.User.Username()
		if user == "" {
			user = "default"
		}
		u.User = url.UserPassword(user, password)
	}
	return u.String(), nil
}
