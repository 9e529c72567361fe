package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/evenkeel/evenkeel/ingest"
	ingeststore "github.com/evenkeel/evenkeel/ingest/store"
	"github.com/evenkeel/evenkeel/sla"
	"github.com/evenkeel/evenkeel/sla/store"
)

// heard is one telling of a window: times are hours after begin.
type heard struct {
	at, from, to int
	cancelled    bool
	service, id  string
	source       string
}

func hours(n int) ingest.Millis { return begin + ingest.Millis(n)*ingest.Hour }

func (d *database) hear(t *testing.T, all ...heard) string {
	t.Helper()
	rows := make([]ingeststore.MaintenanceRow, len(all))
	for k, h := range all {
		rows[k] = ingeststore.MaintenanceRow{
			Address: ingest.Address{Position: uint64(k + 1)}, RecordedAt: hours(h.at), ReceivedAt: hours(h.at), Source: h.source,
			Maintenance: ingest.Maintenance{ID: h.id, Service: h.service, From: hours(h.from), To: hours(h.to), Cancelled: h.cancelled, Reason: fmt.Sprint(k)},
		}
	}
	return d.keep(t.Context(), t, sla.Output{}, rows...)
}

func TestWindowsAreReadAsTheyWereToldLast(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	tell := func(at, from, to int) heard {
		return heard{at: at, from: from, to: to, service: "shop", id: "1", source: "itsm"}
	}
	off := func(h heard) heard { h.cancelled = true; return h }
	by := func(h heard, source string) heard { h.source = source; return h }
	of := func(h heard, service string) heard { h.service = service; return h }
	for name, test := range map[string]struct {
		told []heard
		want []string // in hours 10 to 20, as of hour 30
	}{
		"in advance":                         {[]heard{tell(5, 12, 14)}, []string{"itsm 1 shop 12-14"}},
		"in words that change":               {[]heard{tell(5, 12, 14), tell(13, 12, 14)}, []string{"itsm 1 shop 12-14"}},
		"when it had begun":                  {[]heard{tell(13, 12, 14)}, []string{"itsm 1 shop 12-14 late"}},
		"when it begins":                     {[]heard{tell(12, 12, 14)}, []string{"itsm 1 shop 12-14"}},
		"extended when it had begun":         {[]heard{tell(5, 12, 14), tell(13, 12, 16)}, []string{"itsm 1 shop 12-16 late"}},
		"of another service, afterwards":     {[]heard{tell(5, 12, 14), of(tell(13, 12, 14), "db")}, []string{"itsm 1 db 12-14 late"}},
		"cancelled":                          {[]heard{tell(5, 12, 14), off(tell(6, 12, 14))}, nil},
		"cancelled, and not, in advance":     {[]heard{tell(5, 12, 14), off(tell(6, 12, 14)), tell(7, 12, 14)}, []string{"itsm 1 shop 12-14"}},
		"cancelled, and not, afterwards":     {[]heard{tell(5, 12, 14), off(tell(6, 12, 14)), tell(15, 12, 14)}, []string{"itsm 1 shop 12-14 late"}},
		"brought forward":                    {[]heard{tell(5, 15, 16), tell(6, 12, 13)}, []string{"itsm 1 shop 12-13"}},
		"moved out of what is asked for":     {[]heard{tell(5, 12, 14), tell(6, 20, 21)}, nil},
		"moved into it":                      {[]heard{tell(5, 2, 10), tell(6, 19, 21)}, []string{"itsm 1 shop 19-21"}},
		"over all of it":                     {[]heard{tell(5, 1, 40)}, []string{"itsm 1 shop 1-40 late"}},
		"told after the answer speaks":       {[]heard{tell(5, 12, 14), tell(31, 12, 16)}, []string{"itsm 1 shop 12-14"}},
		"of two sources, each with its id":   {[]heard{tell(5, 12, 14), by(tell(6, 15, 16), "ci")}, []string{"ci 1 shop 15-16", "itsm 1 shop 12-14"}},
		"the first says nothing of the last": {[]heard{tell(15, 12, 14), tell(16, 17, 18)}, []string{"itsm 1 shop 17-18"}},
	} {
		t.Run(name, func(t *testing.T) {
			windows, err := reader.Windows(t.Context(), store.WindowsQuery{Tenant: d.hear(t, test.told...), From: hours(10), To: hours(20), AsOf: hours(30)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range windows {
				text := fmt.Sprintf("%s %s %s %d-%d", w.Source, w.ID, w.Service, (w.From-begin)/ingest.Hour, (w.To-begin)/ingest.Hour)
				if w.Late() {
					text += " late"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if _, err := reader.Windows(t.Context(), store.WindowsQuery{From: 2, To: 1, AsOf: 1}); err == nil {
		t.Error("a window that ends before it starts is asked for")
	}
}

// The budget of a window that runs leaves out maintenance that is still to come, whoever plans it, and once.
func TestABudgetLeavesOutWindowsThatAreStillToCome(t *testing.T) {
	d := newDatabase(t)
	reader := store.NewReader(d.conn)
	levels := sla.ServiceLevels{
		Name: "shop", Maintenance: []sla.Maintenance{{From: int64(hours(60)), To: int64(hours(62))}},
		Agreements: []sla.Agreement{{Name: "gold", Objective: .99}, {Name: "all", Objective: .99, Policy: sla.Policy{Preset: "icinga"}}},
	}
	tenant := d.hear(t,
		heard{at: 5, from: 61, to: 64, service: "shop", id: "1", source: "itsm"}, heard{at: 5, from: 47, to: 49, service: "shop", id: "2", source: "itsm"},
		heard{at: 5, from: 70, to: 74, service: "cart", id: "3", source: "itsm"}, heard{at: 49, from: 80, to: 90, service: "shop", id: "4", source: "itsm"})
	for _, test := range []struct {
		asOf int
		want map[string]int // hours that count in the end
	}{
		{48, map[string]int{"gold": 100 - 48 - 4 - 1, "all": 100 - 48}},
		{49, map[string]int{"gold": 100 - 49 - 4 - 10, "all": 100 - 49}},
		{100, map[string]int{"gold": 0, "all": 0}},
	} {
		got, err := reader.Availability(t.Context(), store.AvailabilityQuery{
			Tenant: tenant, Agreement: sla.EveryAgreement, From: hours(0), To: hours(100), AsOf: hours(test.asOf), Config: sla.Config{Services: []sla.ServiceLevels{levels}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range got {
			if want := int64(test.want[a.Agreement]) * int64(ingest.Hour) / 100; a.Agreement != "" && a.Budget.Total != want {
				t.Errorf("as of hour %d %s may be down for %d ms, want %d", test.asOf, a.Agreement, a.Budget.Total, want)
			}
		}
	}
}
