package correlate

import (
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
)

func TestTheLimitOfRememberedNamesTakesTheOldestDayNameByName(t *testing.T) {
	var p past
	p.add(1, ingest.Day)
	p.add(2, ingest.Day)
	for n := range uint64(mostPast - 1) {
		p.add(10+n, 2*ingest.Day)
	}
	if p.size() != mostPast || p.has(1) || !p.has(2) {
		t.Errorf("%d names; 1 is known: %v, 2: %v", p.size(), p.has(1), p.has(2))
	}
	for n := range uint64(10) {
		p.add(10+mostPast+n, 2*ingest.Day)
	}
	if p.size() != mostPast || p.has(2) || len(p) != 1 || !p.has(10+mostPast+9) {
		t.Errorf("of the day that is now %d names are left", p.size())
	}
}
