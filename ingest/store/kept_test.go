package store_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/store"
)

func TestSamplesWindowsAndLinksAreKeptWhole(t *testing.T) {
	db := write(t, rows{
		samples: []store.SampleRow{{Address: address(7, 0), RecordedAt: day, Tenant: "t", Source: "s", ReceivedAt: day - 1,
			Sample: ingest.Sample{Service: "cart", SLI: "latency", Good: 99_985, Total: 100_000, At: day - 5}}},
		windows: []store.MaintenanceRow{{Address: address(7, 0), RecordedAt: day, Tenant: "t", Source: "s", ReceivedAt: day - 1,
			Maintenance: ingest.Maintenance{ID: "m", Service: "db", From: day, To: day + 9, Cancelled: true, Reason: "r", Author: "a", URL: "u"}}},
		links: []store.LinkRow{{Address: address(7, 0), RecordedAt: day, Tenant: "t", Source: "s", ReceivedAt: day - 1,
			Link: ingest.Link{Kind: ingest.LinkSilenced, At: day - 2, Alerts: []string{"1", "2"}, Causes: nil, Rule: "ru", Receiver: "re", GroupKey: "g",
				Silence: ingest.Silence{ID: "i", From: day, To: day + 1, Author: "a", Comment: "c", Matchers: []string{`a="b"`}}}}},
	})
	for _, test := range []struct{ sql, want string }{
		{"SELECT concat(tenant, source, service, sli, ' ', toString(good_milli), ' ', toString(total_milli), ' ', toString(toUnixTimestamp64Milli(at))) FROM samples",
			"tscartlatency 99985 100000 1789999999995"},
		{"SELECT concat(id, service, toString(toUnixTimestamp64Milli(to_at) - toUnixTimestamp64Milli(from_at)), toString(cancelled), reason, author, url) FROM maintenance", "mdb9truerau"},
		{"SELECT concat(kind, toString(alerts), toString(causes), rule, receiver, group_key, silence, author, comment, toString(matchers)) FROM links",
			`silenced['1','2'][]ruregiac['a="b"']`},
	} {
		var got string
		result, err := db.Query(t.Context(), test.sql, nil)
		if err != nil {
			t.Fatal(err)
		}
		for result.Next() {
			if err := result.Scan(&got); err != nil {
				t.Fatal(err)
			}
		}
		if err := result.Close(); err != nil {
			t.Fatal(err)
		}
		if want := test.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
