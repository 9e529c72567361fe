package clickhouse

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const firstNumbers = "SELECT number FROM numbers({n:UInt64}) ORDER BY number"

func scanNumber(rows Rows, n *uint64) error { return rows.Scan(n) }

func TestAllReturnsEveryRowOrAnError(t *testing.T) {
	c := migrated(t, shared.DSN)
	got, err := All(t.Context(), c, firstNumbers, Params{"n": "3"}, scanNumber)
	if diff := cmp.Diff([]uint64{0, 1, 2}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := All(t.Context(), c, firstNumbers, Params{"n": "0"}, scanNumber); got != nil || err != nil {
		t.Errorf("no row gives %v, %v", got, err)
	}
	if got, err := All(t.Context(), c, "SELECT number FROM nowhere", nil, scanNumber); got != nil || err == nil {
		t.Errorf("a table that is not there gives %v, %v", got, err)
	}
	bad := errors.New("bad row")
	got, err = All(t.Context(), c, firstNumbers, Params{"n": "3"}, func(Rows, *uint64) error { return bad })
	if got != nil || !errors.Is(err, bad) {
		t.Errorf("a row that cannot be read gives %v, %v", got, err)
	}
	// The engine sends what it has until it fails: half an answer is none.
	got, err = All(t.Context(), c, "SELECT throwIf(number = 500000, 'half way') + number FROM system.numbers LIMIT 1000000", nil, scanNumber)
	if got != nil || err == nil {
		t.Errorf("a query that fails half way gives %d rows, %v", len(got), err)
	}
}

func TestOneReadsTheFirstRow(t *testing.T) {
	c := migrated(t, shared.DSN)
	n := uint64(9)
	if err := One(t.Context(), c, firstNumbers, Params{"n": "0"}, &n); !errors.Is(err, ErrNoRow) || n != 9 {
		t.Errorf("no row gives %v, %d", err, n)
	}
	for _, rows := range []string{"1", "10"} {
		n = 9
		if err := One(t.Context(), c, firstNumbers, Params{"n": rows}, &n); err != nil || n != 0 {
			t.Errorf("%s rows give %v, %d", rows, err, n)
		}
	}
}

func TestStreamEndsWhenItsReaderHasEnoughOrWithAnError(t *testing.T) {
	c := migrated(t, shared.DSN)
	var got []uint64
	for n, err := range Stream(t.Context(), c, "SELECT number FROM system.numbers", nil, scanNumber) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, n); len(got) == 3 {
			break
		}
	}
	if diff := cmp.Diff([]uint64{0, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
	var last error
	for _, err := range Stream(t.Context(), c, "SELECT number FROM nowhere", nil, scanNumber) {
		last = err
	}
	if last == nil {
		t.Error("a table that is not there gives no error")
	}
}
