package wire

import "encoding/binary"

// recent holds texts of the delivery at hand, so that names and values that its alerts share
// are made once.
type recent struct {
	texts *[recentTexts]string
	count int
}

const (
	recentTexts   = 256
	maxRecentText = 64
	recentFrom    = 16 // so many texts are made before it pays
)

// text returns b as a string.
func (r *recent) text(b []byte) string {
	if len(b) == 0 || len(b) > maxRecentText {
		return string(b)
	}
	if r.texts == nil {
		if r.count++; r.count < recentFrom {
			return string(b)
		}
		r.texts = new([recentTexts]string)
	}
	at := &r.texts[slot(b)]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}

// slot spreads texts by their length, beginning and end: those of deliveries differ there.
func slot(b []byte) uint8 {
	const odd = 0x9e3779b97f4a7c15
	h := uint64(len(b))
	if len(b) >= 8 {
		h = (h ^ binary.LittleEndian.Uint64(b)) * odd
		h ^= h >> 29
		h ^= binary.LittleEndian.Uint64(b[len(b)-8:])
	} else {
		for _, c := range b {
			h = h<<8 | uint64(c) ^ h>>56
		}
	}
	return uint8(h * odd >> 56)
}
