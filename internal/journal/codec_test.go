package journal

import (
	"bytes"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
)

func newTestCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

func TestRecordsComeOutOfBlocksAsTheyWentIn(t *testing.T) {
	c := newTestCodec(t)
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 20).Draw(t, "records")
		blocks, err := c.encode(records)
		if err != nil {
			t.Fatal(err)
		}
		var got []ingest.Record
		next := uint64(1)
		for _, b := range blocks {
			b.header.first, b.header.stamp = next, 5
			out, err := c.decode(b.header, b.payload)
			if err != nil {
				t.Fatal(err)
			}
			next = b.header.end()
			got = append(got, out...)
		}
		before := ingest.Millis(0)
		for i := range records {
			records[i].Position = uint64(i + 1)
			if records[i].ReceivedAt == 0 {
				records[i].ReceivedAt = max(5, before)
			}
			before = records[i].ReceivedAt
		}
		if diff := cmp.Diff(records, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

func drawRecord(t *rapid.T) ingest.Record {
	var origin *ingest.Origin
	if rapid.Bool().Draw(t, "has origin") {
		origin = &ingest.Origin{
			Stream: rapid.String().Draw(t, "stream"), Topic: rapid.String().Draw(t, "topic"),
			Partition: rapid.Int32().Draw(t, "partition"), Offset: rapid.Int64().Draw(t, "offset"),
			At: ingest.Millis(rapid.Int64().Draw(t, "at")),
		}
	}
	return ingest.Record{
		Origin:     origin,
		ReceivedAt: ingest.Millis(rapid.SampledFrom([]int64{0, 0, 7, 1_790_000_000_000}).Draw(t, "received")),
		Kind:       ingest.RecordKind(rapid.Uint8Max(127).Draw(t, "kind")),
		Tenant:     rapid.String().Draw(t, "tenant"),
		Source:     rapid.String().Draw(t, "source"),
		Path:       rapid.String().Draw(t, "path"),
		Reason:     rapid.String().Draw(t, "reason"),
		Body:       rapid.SliceOf(rapid.Byte()).Draw(t, "body"),
	}
}

func TestHeadersComeBackAndAnyDamageIsSeen(t *testing.T) {
	block := blockHeader{payload: 1, checksum: 2, raw: 3, count: 4, encoding: 1, first: 5, stamp: 6, last: 7, group: 8}
	segment := segmentHeader{base: 9, last: 10}
	b, s := block.append(nil), segment.append(nil)
	if got, err := parseBlockHeader(b); err != nil || got != block || len(b) != blockHeaderBytes {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := parseSegmentHeader(s); err != nil || got != segment || len(s) != segmentHeaderBytes {
		t.Errorf("%+v %v", got, err)
	}
	for bit := range len(b) * 8 {
		damaged := bytes.Clone(b)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := parseBlockHeader(damaged); err == nil {
			t.Errorf("bit %d of a block's header", bit)
		}
	}
	for bit := range len(s) * 8 {
		damaged := bytes.Clone(s)
		damaged[bit/8] ^= 1 << (bit % 8)
		if _, err := parseSegmentHeader(damaged); err == nil {
			t.Errorf("bit %d of a segment's header", bit)
		}
	}
}

// FuzzBlock checks that no payload, even one with a right checksum, makes more of itself
// than records or an error.
func FuzzBlock(f *testing.F) {
	c := newTestCodec(f)
	blocks, err := c.encode([]ingest.Record{
		{Kind: ingest.KindDelivery, Path: "/p", Body: []byte(`{"version":"4"}`), Origin: &ingest.Origin{Topic: "t", Offset: 300}}, {Kind: ingest.KindTick}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blocks[0].payload, blocks[0].header.encoding, uint32(2))
	f.Add(c.pack(appendRecord(nil, &ingest.Record{Kind: ingest.KindTick, Reason: strings.Repeat("x", 64-6)})), encodingS2, uint32(1))
	f.Add([]byte{1, 0, 1, 't', 0, 0, 0, 2, 'a', 'b'}, encodingPlain, uint32(1))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, encodingPlain, uint32(1))
	f.Add([]byte{}, encodingZstd, uint32(9))
	f.Fuzz(func(t *testing.T, payload []byte, encoding uint8, count uint32) {
		h := blockHeader{
			payload: uint32(len(payload)), checksum: crc32.Checksum(payload, castagnoli), raw: 64,
			count: count%1000 + 1, encoding: encoding, first: 10, stamp: 3,
		}
		records, err := c.decode(h, payload)
		if err == nil && (len(records) != int(h.count) || records[0].Position != 10) {
			t.Errorf("%d records of %d", len(records), h.count)
		}
	})
}
