package rig_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/rig"
)

func TestEveryTestHasADatabaseOfItsOwnWithTheWholeSchema(t *testing.T) {
	one, two := rig.ClickHouse(t), rig.ClickHouse(t)
	if one.Database() == two.Database() {
		t.Fatalf("both have the database %s", one.Database())
	}
	rows, err := one.Query(t.Context(), "SELECT count() FROM system.tables WHERE database = currentDatabase()", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var tables uint64
	if !rows.Next() {
		t.Fatal("no row")
	}
	if err := rows.Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables < 2 {
		t.Errorf("the database has %d tables", tables)
	}
}
