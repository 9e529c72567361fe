package stream

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// void is a journal for streams that append nothing.
type void struct{}

func (void) Append(context.Context, []ingest.Record) (uint64, error) { return 1, nil }

func TestWhatIsCommittedIsForgottenAmongWhatTheDeadLetterTopicHolds(t *testing.T) {
	r := &reader{sent: &found{3: true, 7: true, 8: true, 12: true}}
	r.committed(8)
	if diff := cmp.Diff(&found{8: true, 12: true}, r.sent); diff != "" || r.next != 8 {
		t.Errorf("next %d (-want +got)\n%s", r.next, diff)
	}
	r.sent = nil
	r.committed(9)
	if r.sent != nil || r.next != 9 {
		t.Errorf("%v, %d", r.sent, r.next)
	}
}

func TestARecordOfASourceWithATenantIsOfThatTenant(t *testing.T) {
	s, err := New(Config{
		Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t"}, {Name: "own", Tenant: "red"}},
		Tenants: map[string]string{"eu": "shop"},
	}, Options{Journal: void{}, MaxTenants: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ topic, source, tenant, want, reason string }{
		{"t", "eu", "", "shop", ""},
		{"t", "eu", "shop", "shop", ""},
		{"t", "eu", "bank", "default", `source "eu" is of tenant "shop", and the header X-Scope-OrgID names "bank"`},
		{"t", "us", "", "default", ""},
		{"t", "us", "blue", "blue", ""},
		{"t", "us", "green", "default", `header X-Scope-OrgID: tenant "green" would be one more than the 1 that ingest.max_tenants allows`},
		{"t", "us", "default", "default", ""},
		{"t", "us", "shop", "shop", ""},
		{"own", "eu", "bank", "red", ""},
	} {
		m := kafka.Message{Topic: test.topic, Value: []byte(`{"version":"4","alerts":[]}`), Headers: []kafka.Header{{Key: SourceHeader, Value: []byte(test.source)}}}
		if test.tenant != "" { // before the source: the order says nothing
			m.Headers = append([]kafka.Header{{Key: TenantHeader, Value: []byte(test.tenant)}}, m.Headers...)
		}
		if took := s.take(m); took.record.Tenant != test.want || took.reason != test.reason {
			t.Errorf("%+v: tenant %q, %q", test, took.record.Tenant, took.reason)
		}
	}
}

func TestARecordWithTwoTenantsOrSourcesIsADeadLetter(t *testing.T) {
	s, err := New(Config{
		Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t"}, {Name: "own", Tenant: "red", Source: "eu"}},
	}, Options{Journal: void{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{TenantHeader, SourceHeader} {
		for topic, want := range map[string]string{"t": "header " + header + ": is there twice; give one", "own": ""} {
			took := s.take(kafka.Message{Topic: topic, Value: []byte(`{"version":"4","alerts":[]}`), Headers: []kafka.Header{
				{Key: header, Value: []byte("shop")}, {Key: strings.ToLower(header), Value: []byte("bank")},
			}})
			if took.reason != want {
				t.Errorf("%s, %s: %q, want %q", header, topic, took.reason, want)
			}
		}
	}
}

func TestARecordThatCannotBeDecodedBringsNoTenantIntoBeing(t *testing.T) {
	s, err := New(Config{Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t"}}}, Options{Journal: void{}, MaxTenants: 1})
	if err != nil {
		t.Fatal(err)
	}
	const (
		good = `{"version":"4","alerts":[]}`
		full = `would be one more than the 1 that ingest.max_tenants allows`
	)
	for _, test := range []struct{ source, tenant, value, want, reason string }{
		{"eu", "typo", "{", "typo", "line 1, column 2"},
		{"", "typo", "{", "typo", "line 1, column 2"},
		{"eu", "blue", good, "blue", ""},
		{"eu", "green", good, "default", full},
		{"", "green", "{", "default", full},
		{"eu", "blue", good, "blue", ""},
	} {
		took := s.take(kafka.Message{Topic: "t", Value: []byte(test.value), Headers: []kafka.Header{
			{Key: TenantHeader, Value: []byte(test.tenant)}, {Key: SourceHeader, Value: []byte(test.source)},
		}})
		if took.record.Tenant != test.want || !strings.Contains(took.reason, test.reason) || (took.reason == "") != (test.reason == "") {
			t.Errorf("%+v: tenant %q, %q", test, took.record.Tenant, took.reason)
		}
	}
}

func TestAnEmptyHeaderNamesNothing(t *testing.T) {
	s, err := New(Config{
		Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t", Format: "alertmanager"}}, Tenants: map[string]string{"eu": "shop"},
	}, Options{Journal: void{}})
	if err != nil {
		t.Fatal(err)
	}
	header := func(name, value string) kafka.Header { return kafka.Header{Key: name, Value: []byte(value)} }
	for _, test := range []struct {
		name                   string
		headers                []kafka.Header
		tenant, source, reason string
	}{
		{"both", []kafka.Header{header(TenantHeader, ""), header(SourceHeader, "")}, "default", "alertmanager", ""},
		{"the tenant", []kafka.Header{header(TenantHeader, ""), header(SourceHeader, "eu")}, "shop", "eu", ""},
		{"the source", []kafka.Header{header(TenantHeader, "blue"), header(SourceHeader, "")}, "blue", "alertmanager", ""},
		{"one of two", []kafka.Header{header(TenantHeader, ""), header(TenantHeader, "blue")}, "default", "alertmanager",
			"header X-Scope-OrgID: is there twice; give one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			took := s.take(kafka.Message{Topic: "t", Value: []byte(`{"version":"4","alerts":[]}`), Headers: test.headers})
			got := []string{took.record.Tenant, took.record.Source, took.reason}
			if diff := cmp.Diff([]string{test.tenant, test.source, test.reason}, got); diff != "" {
				t.Errorf("tenant, source, reason (-want +got)\n%s", diff)
			}
		})
	}
}

func TestARecordThatNamesNoSourceIsOfTheTenantOfWhatItHolds(t *testing.T) {
	s, err := New(Config{
		Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t"}, {Name: "own", Tenant: "red"}},
		Tenants: map[string]string{"alertmanager": "shop", "changes": "ops"},
	}, Options{Journal: void{}, MaxBodyBytes: 600})
	if err != nil {
		t.Fatal(err)
	}
	const (
		alerts = `{"version":"4","alerts":[{"status":"firing","labels":{"a":"1"},"startsAt":"2026-11-22T11:00:00Z"}]}`
		change = `{"id":"1","service":"s","started_at":"2026-11-22T11:00:00Z"}`
	)
	cloud := func(data string) string {
		return `{"specversion":"1.0","id":"1","source":"s","type":"t","data":` + data + `}`
	}
	for _, test := range []struct{ topic, value, tenant, want, reason string }{
		{"t", change, "", "ops", ""},
		{"t", alerts, "", "shop", ""},
		{"t", alerts, "ops", "default", `source "alertmanager" is of tenant "shop", and the header X-Scope-OrgID names "ops"`},
		{"t", "[" + cloud(alerts) + "," + cloud(change) + "]", "", "default",
			`it holds what is of source "alertmanager", of tenant "shop", and of source "changes", of tenant "ops": send them apart, or name a source`},
		{"own", "[" + cloud(alerts) + "," + cloud(change) + "]", "", "red", ""},
		{"t", strings.Repeat(" ", 601), "", "shop", "the record has 601 bytes, more than max_body_bytes 600"},
	} {
		m := kafka.Message{Topic: test.topic, Value: []byte(test.value)}
		if test.tenant != "" {
			m.Headers = []kafka.Header{{Key: TenantHeader, Value: []byte(test.tenant)}}
		}
		if took := s.take(m); took.record.Tenant != test.want || took.record.Source != "" || took.reason != test.reason {
			t.Errorf("%+v: tenant %q, source %q, %q", test, took.record.Tenant, took.record.Source, took.reason)
		}
	}
}

// FuzzEveryRecordIsTaken checks that whatever is in a topic becomes a record of the journal, and what
// was not understood a dead letter with a reason: a record that could not be taken would stop its partition.
func FuzzEveryRecordIsTaken(f *testing.F) {
	s, err := New(Config{
		Name: "s", Brokers: []string{"127.0.0.1:1"}, Group: "g", Topics: []Topic{{Name: "t"}}, DeadLetterTopic: "d",
	}, Options{Journal: void{}, MaxBodyBytes: 1 << 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"A"},"startsAt":"2026-11-22T11:00:00Z"}]}`), TenantHeader, []byte("blue"))
	f.Add([]byte(`{"version":"4","alerts":[{"status":"odd"}]}`), SourceHeader, []byte("\xff"))
	f.Add([]byte(`{"id":"1"}`), "ce_specversion", []byte("1.0"))
	f.Add([]byte(nil), "", []byte(nil))
	f.Fuzz(func(t *testing.T, value []byte, name string, header []byte) {
		took := s.take(kafka.Message{Topic: "t", Offset: 7, Value: value, Time: time.UnixMilli(1), Headers: []kafka.Header{{Key: name, Value: header}}})
		rec := took.record
		if (rec.Reading != nil) != (rec.Kind == ingest.KindDelivery) {
			t.Errorf("a record of kind %s goes with %+v", rec.Kind, rec.Reading)
		}
		rec.ReceivedAt = ingest.MillisOf(time.Now())
		anew := rec
		anew.Reading = nil
		want, _ := wire.Read(anew)
		got, _ := wire.Read(rec)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decoded anew (-) it is not what goes with it (+)\n%s", diff)
		}
		if rec.Origin == nil || rec.Origin.Offset != 7 || rec.Path == "" || ingest.CheckTenant(rec.Tenant) != nil || rec.Source != "" && ingest.CheckSource(rec.Source) != nil {
			t.Errorf("%+v", rec)
		}
		rejected := rec.Kind == ingest.KindRejected
		if rejected && (rec.Reason == "" || took.reason == "" || len(rec.Body) > ingest.MaxDeadLetterBytes) || !rejected && rec.Kind != ingest.KindDelivery {
			t.Errorf("%s, %q, %d bytes", rec.Kind, rec.Reason, len(rec.Body))
		}
		letter := s.dead.letter(&took)
		for _, h := range letter.Headers {
			if h.Key == HeaderReason && !utf8.Valid(h.Value) {
				t.Errorf("reason %q", h.Value)
			}
		}
		if string(letter.Key) != "t/0/7" || sameForSource(letter, 0, 1, 2) != slot(sourceOf("t", 0), 3) {
			t.Errorf("key %q", letter.Key)
		}
	})
}

func TestAPasswordIsReadAtEachLogin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	s := &SASL{Mechanism: "PLAIN", Username: "u", PasswordFile: file}
	if _, err := s.Login(); err == nil {
		t.Error("a file that is not there is no error")
	}
	for _, password := range []string{"one", "two"} {
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		login, err := s.Login()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("\ufeff"+password+"-later\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, sent, err := login.Start(t.Context())
		if err != nil || string(sent) != "\x00u\x00"+password+"-later" {
			t.Errorf("%q, %v", sent, err)
		}
	}
	if login, err := (*SASL)(nil).Login(); login != nil || err != nil {
		t.Error(login, err)
	}
}
