package clickhouse

import (
	"math"

	"github.com/ClickHouse/ch-go/proto"
)

// words are the strings of one LowCardinality column of one block: each different one once, and for
// every value the number of its string. Native writes them so, see SerializationLowCardinality.cpp of
// ClickHouse.
type words struct {
	different []string
	values    []uint32
	numbers   map[string]uint32 // of the different ones
}

const (
	wordsVersion = 1      // SharedDictionariesWithAdditionalKeys
	wordsFollow  = 1 << 9 // HasAdditionalKeysBit: the block brings its strings
	wordsAnew    = 1 << 10
	// Which integers the numbers are: the low byte.
	wordsOf8, wordsOf16, wordsOf32 = 0, 1, 2
)

// maxNumbers bounds the map that is kept for the next column: a map that has grown stays as large, and
// takes as long to clear.
const maxNumbers = 1 << 10

// putWordsVersion writes what precedes a column with words in it.
func putWordsVersion(b *proto.Buffer) { b.PutInt64(wordsVersion) }

// add adds the next value.
func (w *words) add(word string) {
	// Neighbours are often the same.
	if n := len(w.values); n > 0 && w.different[w.values[n-1]] == word {
		w.values = append(w.values, w.values[n-1])
		return
	}
	number, known := w.numbers[word]
	if !known {
		if w.numbers == nil {
			w.numbers = map[string]uint32{}
		}
		number = uint32(len(w.different))
		w.numbers[word] = number
		w.different = append(w.different, word)
	}
	w.values = append(w.values, number)
}

// put writes what was added, and forgets it. Of no values there is nothing to write.
func (w *words) put(b *proto.Buffer) {
	if len(w.values) == 0 {
		return
	}
	width := int64(wordsOf32)
	switch n := len(w.different); {
	case n <= math.MaxUint8+1:
		width = wordsOf8
	case n <= math.MaxUint16+1:
		width = wordsOf16
	}
	b.PutInt64(wordsFollow | wordsAnew | width)
	b.PutInt64(int64(len(w.different)))
	for _, word := range w.different {
		putText(b, word)
	}
	b.PutInt64(int64(len(w.values)))
	for _, number := range w.values {
		switch width {
		case wordsOf8:
			b.PutUInt8(uint8(number))
		case wordsOf16:
			b.PutUInt16(uint16(number))
		default:
			b.PutUInt32(number)
		}
	}
	w.forget()
}

// forget keeps the memory, within a bound, and none of the strings.
func (w *words) forget() {
	if len(w.numbers) > maxNumbers {
		w.numbers = nil
	}
	clear(w.numbers)
	clear(w.different)
	w.different, w.values = w.different[:0], w.values[:0]
}
