package wire

import (
	"bytes"
	"hash/maphash"
	"sync"

	"github.com/evenkeel/evenkeel/ingest"
)

// memo remembers what texts that come again and again were decoded to: an alert that fires is sent
// every few minutes, word for word. It changes nothing but the work: the same bytes are the same
// value. Many goroutines may use it at once. What it returns is shared and must not be changed.
type memo struct {
	seed   maphash.Seed
	shards [memoShards]memoShard
}

const (
	memoShards   = 16
	memoSeen     = 1 << 14 // hashes of texts seen once, a shard
	memoBytes    = 2 << 20 // of what is remembered in a generation, a shard: 64 MiB in all, about
	memoCost     = 768     // of one text, beside twice its length
	maxMemoText  = 8 << 10 // longer ones are not remembered
	maxMemoDepth = maxDepth - 2
)

// memoShard holds two generations: when the newer is full it takes the place of the older, and what
// is still asked for comes along.
type memoShard struct {
	mu           sync.Mutex
	newer, older map[uint64]*remembered
	bytes        int
	seen         [memoSeen]uint32
}

// remembered is one text with what it means.
type remembered struct {
	raw         string
	size        int           // bytes that it was read from
	text        string        // of a string
	labels      ingest.Labels // of an object of strings
	fingerprint string        // of labels
	again       *sameAgain    // of an alert; without raw, which it compares itself
}

func newMemo() *memo { return &memo{seed: maphash.MakeSeed()} }

// get returns what raw means, nil where that is not known.
func (m *memo) get(raw []byte) *remembered {
	hash := maphash.Bytes(m.seed, raw)
	s := &m.shards[hash%memoShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.newer[hash]; e != nil {
		return e.of(raw)
	}
	e := s.older[hash]
	if e.of(raw) == nil {
		return nil
	}
	s.keep(hash, e)
	return e
}

// of returns e if it is of raw: two texts may share a hash.
func (e *remembered) of(raw []byte) *remembered {
	if e == nil || e.raw != string(raw) {
		return nil
	}
	return e
}

// put remembers what make gives if raw is seen for the second time: most texts of a flood of new alerts
// never come again.
func (m *memo) put(raw []byte, make func() *remembered) {
	if len(raw) > maxMemoText {
		return
	}
	m.putHash(maphash.Bytes(m.seed, raw), len(raw), func() *remembered {
		e := make()
		e.raw = string(raw)
		return e
	})
}

// putHash is put for what has the hash and so many bytes.
func (m *memo) putHash(hash uint64, size int, make func() *remembered) {
	s := &m.shards[hash%memoShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	mark := uint32(hash>>32) | 1
	if at := &s.seen[hash/memoShards%memoSeen]; *at != mark {
		*at = mark
		return
	}
	e := make()
	e.size = size
	s.keep(hash, e)
}

// alert returns the alert with that hash, nil where it is not known. Two may share a hash: it is to be compared.
func (m *memo) alert(hash uint64) *sameAgain {
	s := &m.shards[hash%memoShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.newer[hash]
	if e == nil {
		if e = s.older[hash]; e == nil {
			return nil
		}
		s.keep(hash, e)
	}
	return e.again
}

func (s *memoShard) keep(hash uint64, e *remembered) {
	if s.newer == nil || s.bytes > memoBytes {
		s.older, s.newer, s.bytes = s.newer, map[uint64]*remembered{}, 0
	}
	s.newer[hash] = e
	s.bytes += 2*e.size + memoCost
}

// objectEnd returns where the object at the beginning of in ends, if it holds strings only. It
// checks nothing else: what it finds is compared with what was checked once.
func objectEnd(in []byte) int {
	for i := 1; i < len(in); {
		switch in[i] {
		case '}':
			return i + 1
		case '{', '[':
			return 0
		case '"':
			n := stringEnd(in[i:])
			if n == 0 {
				return 0
			}
			i += n
		default:
			i++
		}
	}
	return 0
}

// stringEnd returns where the string at the beginning of in ends, 0 where it does not.
func stringEnd(in []byte) int {
	for i := 1; i < len(in); {
		n := bytes.IndexByte(in[i:], '"')
		if n < 0 {
			return 0
		}
		end := i + n
		back := end
		for in[back-1] == '\\' { // in[0] is the quote, so this ends
			back--
		}
		if (end-back)%2 == 0 {
			return end + 1
		}
		i = end + 1
	}
	return 0
}

// labels takes an object of strings as strings does, from memory where it came before, and with its
// fingerprint then.
func (r *reading) labels(field string, to *ingest.Labels) (fingerprint string, err error) {
	m := r.config.memo
	if m == nil || r.next() != '{' || r.depth > maxMemoDepth {
		return "", r.strings(field, to)
	}
	start := r.at
	if n := objectEnd(r.in[start:]); n > 0 && n <= maxMemoText {
		if e := m.get(r.in[start : start+n]); e != nil {
			r.at += n
			*to = e.labels
			return e.fingerprint, nil
		}
	}
	if err := r.strings(field, to); err != nil || r.bad != "" {
		return "", err
	}
	m.put(r.in[start:r.at], func() *remembered {
		ls := (*to)[:len(*to):len(*to)] // who appends to it copies it
		return &remembered{labels: ls, fingerprint: ls.Fingerprint()}
	})
	return "", nil
}

// repeated takes a string as str does, from memory where it came before.
func (r *reading) repeated(at place, to *string) error {
	m := r.config.memo
	if m == nil || r.next() != '"' {
		return r.str(at, to)
	}
	start := r.at
	if n := stringEnd(r.in[start:]); n > 0 && n <= maxMemoText {
		if e := m.get(r.in[start : start+n]); e != nil {
			r.at += n
			*to = e.text
			return nil
		}
	}
	if err := r.str(at, to); err != nil || r.bad != "" {
		return err
	}
	m.put(r.in[start:r.at], func() *remembered { return &remembered{text: *to} })
	return nil
}
