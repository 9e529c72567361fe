package journal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/evenkeel/evenkeel/ingest"
)

// Sizes of what stands before a segment and before a block.
const (
	segmentHeaderBytes = 32
	blockHeaderBytes   = 56
)

// How a payload is encoded. The numbers are on disk and never change.
const (
	encodingPlain uint8 = 0
	encodingZstd  uint8 = 1 // with dictionary 1
	encodingS2    uint8 = 2 // one block of S2

	lastEncoding = encodingS2
)

// segmentMagic begins every segment; its last byte is the version of the format.
const segmentMagic = "EVKJRNL\x01"

// maxBlockRecords bounds what a damaged header can make us believe.
const maxBlockRecords = 1 << 20

var (
	errHeader  = errors.New("header is damaged")
	errPayload = errors.New("checksum does not match")
)

// castagnoli has hardware support on amd64 and arm64.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentHeader stands at the start of a segment.
//
//	0 magic[8] · 8 first position · 16 received_at of the record before · 24 zero[4] · 28 crc32c of 0..28
type segmentHeader struct {
	base uint64
	last ingest.Millis // received_at of the record before base
}

func (h segmentHeader) append(b []byte) []byte {
	start := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint64(b, h.base)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func parseSegmentHeader(b []byte) (segmentHeader, error) {
	if len(b) < segmentHeaderBytes || crc32.Checksum(b[:28], castagnoli) != binary.LittleEndian.Uint32(b[28:]) {
		return segmentHeader{}, errHeader
	}
	if string(b[:8]) != segmentMagic {
		return segmentHeader{}, errors.New("written by another version of the journal")
	}
	return segmentHeader{
		base: binary.LittleEndian.Uint64(b[8:]),
		last: ingest.Millis(binary.LittleEndian.Uint64(b[16:])),
	}, nil
}

// blockHeader stands before a block.
//
//	0 crc32c of 4..56 · 4 payload length · 8 payload crc32c · 12 length before compression · 16 records
//	20 encoding, zero[3] · 24 first position · 32 stamp · 40 last · 48 where its group begins in the file
type blockHeader struct {
	payload  uint32        // bytes after the header
	checksum uint32        // of the payload
	raw      uint32        // bytes of the payload before compression
	count    uint32        // records
	encoding uint8         //
	first    uint64        // position of the first record
	stamp    ingest.Millis // received_at of the records that brought none
	last     ingest.Millis // received_at of the last record
	group    uint64        // everything before this offset was durable when the block was written
}

func (h blockHeader) append(b []byte) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, h.payload)
	b = binary.LittleEndian.AppendUint32(b, h.checksum)
	b = binary.LittleEndian.AppendUint32(b, h.raw)
	b = binary.LittleEndian.AppendUint32(b, h.count)
	b = append(b, h.encoding, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.stamp))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.last))
	b = binary.LittleEndian.AppendUint64(b, h.group)
	binary.LittleEndian.PutUint32(b[start:], crc32.Checksum(b[start+4:], castagnoli))
	return b
}

func parseBlockHeader(b []byte) (blockHeader, error) {
	if len(b) < blockHeaderBytes || crc32.Checksum(b[4:blockHeaderBytes], castagnoli) != binary.LittleEndian.Uint32(b) {
		return blockHeader{}, errHeader
	}
	h := blockHeader{
		payload:  binary.LittleEndian.Uint32(b[4:]),
		checksum: binary.LittleEndian.Uint32(b[8:]),
		raw:      binary.LittleEndian.Uint32(b[12:]),
		count:    binary.LittleEndian.Uint32(b[16:]),
		encoding: b[20],
		first:    binary.LittleEndian.Uint64(b[24:]),
		stamp:    ingest.Millis(binary.LittleEndian.Uint64(b[32:])),
		last:     ingest.Millis(binary.LittleEndian.Uint64(b[40:])),
		group:    binary.LittleEndian.Uint64(b[48:]),
	}
	if h.count == 0 || h.count > maxBlockRecords || h.payload > 2*MaxRecordBytes || h.raw > 2*MaxRecordBytes {
		return blockHeader{}, errHeader
	}
	return h, nil
}

// receivedAt returns when a record of the block was received that brought a time of its own, or 0, and comes after
// one that was received before, 0 for the first.
func (h blockHeader) receivedAt(own, before ingest.Millis) ingest.Millis {
	if own == 0 {
		return max(before, h.stamp)
	}
	return own
}

// end returns the position behind the block's last record.
func (h blockHeader) end() uint64 { return h.first + uint64(h.count) }

// size returns what the block takes in its segment.
func (h blockHeader) size() int64 { return blockHeaderBytes + int64(h.payload) }

// intact reports whether payload is what was written.
func (h blockHeader) intact(payload []byte) bool {
	return crc32.Checksum(payload, castagnoli) == h.checksum
}
