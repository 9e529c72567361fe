package sla

import "hash/fnv"

// Share says which services a ledger measures from the moment that they are configured. Where a
// journal has several partitions, each has a ledger, and every service belongs to the share of one
// of them: so a service without any episode has rows, and has them once. A ledger measures a service
// of another share, too, from the first of its episodes on: what several
// ledgers say of one service is then [MergeSegments] and [MergeStretches] of it.
//
// The zero Share is that of the only ledger: everything.
type Share struct {
	Index uint32 // of this ledger
	Of    uint32 // how many there are; 0 is one
}

// Has says whether a service belongs to the share.
func (s Share) Has(service string) bool {
	if s.Of <= 1 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(service)) // never fails
	return h.Sum32()%s.Of == s.Index
}
