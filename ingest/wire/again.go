package wire

import (
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/ingest"
)

// sameAgain is an alert that was decoded before. A sender that sends it again sends the same bytes, but for the end
// that Prometheus puts off each time, and mostly after the same other alert: so the next one is
// found without being looked for, and is known by comparing its bytes, which is ten times as fast as reading them. The
// bytes that were read once were one whole object, and an object with another text for its end is one, too.
type sameAgain struct {
	head, tail string // of the object, around the text of endsAt; without one all is head
	ends       bool   // whether there is one
	depth      int    // at which it was read: deeper, it may be nested too deep
	alert      alert  // without its end
	next       atomic.Uint64
}

// maxEnd bounds the text of an end.
const maxEnd = 64

// again takes an alert that is the one that mostly comes after the one before.
func (r *reading) again(a *alert) bool {
	m := r.config.memo
	if m == nil || r.lately == nil || r.depth > maxMemoDepth {
		return false
	}
	e := m.alert(r.lately.next.Load())
	if e == nil || r.depth > e.depth {
		return false
	}
	rest := r.in[r.at:]
	if len(rest) < len(e.head) || string(rest[:len(e.head)]) != e.head {
		return false
	}
	n, ends := len(e.head), ""
	if e.ends {
		rest = rest[n:]
		k := plainText(rest)
		if k == 0 || len(rest)-k < len(e.tail) || string(rest[k:k+len(e.tail)]) != e.tail {
			return false
		}
		ends, n = r.recent.text(rest[1:k-1]), n+k+len(e.tail)
	}
	r.at += n
	*a = e.alert
	a.endsAt = ends
	r.lately = e
	return true
}

// plainText returns the length of the JSON string at the beginning of in, with its quotes, if it is short
// and nothing in it is escaped; else 0.
func plainText(in []byte) int {
	if len(in) == 0 || in[0] != '"' {
		return 0
	}
	for i := 1; i < len(in) && i <= maxEnd; i++ {
		switch c := in[i]; {
		case c == '"':
			return i + 1
		case c == '\\' || c < ' ' || c >= 0x80:
			return 0
		}
	}
	return 0
}

// remember keeps an alert that was read from start on if it came before, and notes that it follows the last one.
func (r *reading) remember(start int, a *alert) {
	m, before := r.config.memo, r.lately
	r.lately = nil
	if m == nil || r.bad != "" || a.ends.n > 1 || r.depth > maxMemoDepth || r.at-start > maxMemoText {
		return
	}
	head, tail := r.in[start:r.at], []byte(nil)
	if a.ends.n == 1 {
		head, tail = r.in[start:a.ends.from], r.in[a.ends.to:r.at]
	}
	var h maphash.Hash
	h.SetSeed(m.seed)
	_, _ = h.Write(head) // a hash takes everything
	_ = h.WriteByte(0)
	_, _ = h.Write(tail)
	key := h.Sum64()
	e := m.alert(key)
	if e == nil {
		m.putHash(key, r.at-start, func() *remembered {
			e = &sameAgain{head: string(head), tail: string(tail), ends: a.ends.n == 1, depth: r.depth, alert: *a}
			e.alert.endsAt, e.alert.ends = "", ends{}
			for _, shared := range []*ingest.Labels{&e.alert.labels, &e.alert.annotations, &e.alert.extra} {
				*shared = slices.Clip(*shared) // who appends to it copies it
			}
			if e.alert.known == "" {
				e.alert.known = a.labels.Fingerprint()
			}
			return &remembered{again: e}
		})
	}
	if before != nil {
		before.next.Store(key)
	}
	r.lately = e
}

// ends is where the text of endsAt stands, and how often the name was there.
type ends struct{ n, from, to int }
