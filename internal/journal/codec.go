package journal

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/ingest"
)

// A request is split into blocks of about this many bytes before compression, so
// that reading one record does not unpack a day.
const blockTarget = 1 << 20

// longBlock is from how many bytes on a block refers to itself enough without a dictionary. S2 makes it half as short as zstd
// does with one, in a sixth of the time: whoever sends long deliveries sends many.
const longBlock = 16 << 10

// dictionary1 is text as deliveries hold it: short deliveries, which alone give
// a compressor nothing to refer to, take a third less with it. It is part of the
// format: never change it, add another.
//
//go:embed dictionary1.json
var dictionary1 []byte

const dictionary1ID = 0x45564b01

// codec turns records into blocks and back. It is safe for concurrent use.
type codec struct {
	enc   *zstd.Encoder
	dec   *zstd.Decoder
	rooms sync.Pool // of *[]byte: what blocks are laid out and compressed in
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), // the block has its own
		zstd.WithEncoderDictRaw(dictionary1ID, dictionary1))
	if err != nil {
		return nil, fmt.Errorf("compressor: %w", err)
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(0),
		zstd.WithDecoderMaxMemory(2*MaxRecordBytes),
		zstd.WithDecoderDictRaw(dictionary1ID, dictionary1))
	if err != nil {
		return nil, fmt.Errorf("decompressor: %w", err)
	}
	return &codec{enc: enc, dec: dec, rooms: sync.Pool{New: func() any { return new([]byte) }}}, nil
}

func (c *codec) close() {
	c.dec.Close()
	_ = c.enc.Close() // nothing is buffered: only EncodeAll is used
}

// block is one block on its way to the disk; position and time come with the
// group.
type block struct {
	header  blockHeader
	payload []byte
	times   []ingest.Millis // received_at of each record; 0 where it brought none
}

// encode makes blocks of records.
func (c *codec) encode(records []ingest.Record) ([]block, error) {
	var blocks []block
	room := c.rooms.Get().(*[]byte)
	defer c.rooms.Put(room)
	raw := (*room)[:0]
	start := 0
	for i := range records {
		if n := recordBytes(&records[i]); n > MaxRecordBytes {
			return nil, fmt.Errorf("%w: record %d has %d bytes, at most %d", ErrTooLarge, i, n, MaxRecordBytes)
		}
		raw = appendRecord(raw, &records[i])
		if last := i == len(records)-1; last || len(raw) >= blockTarget || i-start+1 >= maxBlockRecords {
			blocks = append(blocks, c.block(raw, records[start:i+1]))
			raw, start = raw[:0], i+1
		}
	}
	if *room = raw; cap(raw) > 2*blockTarget {
		*room = nil // one that was long is not held for those that are not
	}
	return blocks, nil
}

func (c *codec) block(raw []byte, records []ingest.Record) block {
	b := block{times: make([]ingest.Millis, len(records))}
	for i := range records {
		b.times[i] = records[i].ReceivedAt
	}
	b.header = blockHeader{raw: uint32(len(raw)), count: uint32(len(records)), encoding: encodingZstd}
	if len(raw) < longBlock {
		b.payload = c.enc.EncodeAll(raw, make([]byte, 0, len(raw)/4+64))
	} else {
		b.header.encoding = encodingS2
		b.payload = c.pack(raw)
	}
	if len(b.payload) >= len(raw) {
		b.payload, b.header.encoding = append(b.payload[:0], raw...), encodingPlain
	}
	b.header.payload = uint32(len(b.payload))
	b.header.checksum = crc32.Checksum(b.payload, castagnoli)
	return b
}

// pack compresses a long block.
func (c *codec) pack(raw []byte) []byte {
	room := c.rooms.Get().(*[]byte) // what S2 wants is longer than the block, and what it gives is short
	defer c.rooms.Put(room)
	packed := bytes.Clone(s2.Encode((*room)[:cap(*room)], raw))
	if need := s2.MaxEncodedLen(len(raw)); cap(*room) < need && need <= 2*blockTarget {
		*room = make([]byte, 0, need)
	}
	return packed
}

// decode gives back the records of a block whose payload is intact.
func (c *codec) decode(h blockHeader, payload []byte) ([]ingest.Record, error) {
	raw, err := c.unpack(h, payload)
	if err != nil {
		return nil, err
	}
	records := make([]ingest.Record, h.count)
	d := decoder{raw}
	var before ingest.Millis
	for i := range records {
		r := &records[i]
		if err := d.record(r); err != nil {
			return nil, err
		}
		r.Position = h.first + uint64(i)
		r.ReceivedAt = h.receivedAt(r.ReceivedAt, before)
		before = r.ReceivedAt
	}
	return records, nil
}

// unpack returns a payload as it was before compression, in memory of its own: records
// keep parts of it.
func (c *codec) unpack(h blockHeader, payload []byte) ([]byte, error) {
	switch h.encoding {
	case encodingPlain:
		return bytes.Clone(payload), nil
	case encodingS2:
		if n, err := s2.DecodedLen(payload); err != nil || n != int(h.raw) {
			return nil, fmt.Errorf("decompress: %w", cmp.Or(err, s2.ErrCorrupt))
		}
		raw, err := s2.Decode(make([]byte, h.raw), payload)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return raw, nil
	case encodingZstd:
		raw, err := c.dec.DecodeAll(payload, make([]byte, 0, h.raw))
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return raw, nil
	}
	return nil, fmt.Errorf("encoding %d is not known to this version", h.encoding)
}

func recordBytes(r *ingest.Record) int {
	n := len(r.Tenant) + len(r.Source) + len(r.Path) + len(r.Reason) + len(r.Body)
	if o := r.Origin; o != nil {
		n += len(o.Stream) + len(o.Topic)
	}
	return n
}

// withOrigin is added to the kind of a record behind whose body its origin stands.
const withOrigin = 1 << 7

// appendRecord writes kind, received_at (0: the block's stamp), four texts and
// the body, each with its length before it; then the origin, where there is one.
func appendRecord(b []byte, r *ingest.Record) []byte {
	kind := byte(r.Kind)
	if r.Origin != nil {
		kind |= withOrigin
	}
	b = append(b, kind)
	b = binary.AppendUvarint(b, uint64(r.ReceivedAt))
	b = appendTexts(b, r.Tenant, r.Source, r.Path, r.Reason)
	b = binary.AppendUvarint(b, uint64(len(r.Body)))
	b = append(b, r.Body...)
	if o := r.Origin; o != nil {
		b = appendTexts(b, o.Stream, o.Topic)
		for _, n := range [...]int64{int64(o.Partition), o.Offset, int64(o.At)} {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	return b
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

var errRecord = errors.New("record ends early")

// decoder walks over the plain payload of a block.
type decoder struct{ rest []byte }

func (d *decoder) record(r *ingest.Record) error {
	if len(d.rest) == 0 {
		return errRecord
	}
	kind := d.rest[0]
	r.Kind, d.rest = ingest.RecordKind(kind&^withOrigin), d.rest[1:]
	at, err := d.uvarint()
	if err != nil {
		return err
	}
	r.ReceivedAt = ingest.Millis(at)
	if err := d.texts(&r.Tenant, &r.Source, &r.Path, &r.Reason); err != nil {
		return err
	}
	if r.Body, err = d.bytes(); err != nil || kind&withOrigin == 0 {
		return err
	}
	r.Origin = new(ingest.Origin)
	return d.origin(r.Origin)
}

func (d *decoder) origin(o *ingest.Origin) error {
	if err := d.texts(&o.Stream, &o.Topic); err != nil {
		return err
	}
	for _, take := range [...]func(uint64){
		func(n uint64) { o.Partition = int32(n) },
		func(n uint64) { o.Offset = int64(n) },
		func(n uint64) { o.At = ingest.Millis(n) },
	} {
		n, err := d.uvarint()
		if err != nil {
			return err
		}
		take(n)
	}
	return nil
}

func (d *decoder) texts(into ...*string) error {
	for _, s := range into {
		text, err := d.bytes()
		if err != nil {
			return err
		}
		*s = string(text)
	}
	return nil
}

func (d *decoder) uvarint() (uint64, error) {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		return 0, errRecord
	}
	d.rest = d.rest[n:]
	return v, nil
}

// bytes returns the next bytes, a part of the payload that cannot grow into what follows.
func (d *decoder) bytes() ([]byte, error) {
	n, err := d.uvarint()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(d.rest)) {
		return nil, errRecord
	}
	if n == 0 {
		return nil, nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b, nil
}
