package store

import (
	"context"
	"slices"

	"github.com/evenkeel/evenkeel/internal/clickhouse"
)

// several says whether more than one partition has stored anything, for who would only see a part
// of what they say. Without need it is not asked.
func (r *Reader) several(ctx context.Context, needed bool) (bool, error) {
	if !needed {
		return false, nil
	}
	var partitions uint64
	if err := clickhouse.One(ctx, r.db, partitionsSQL, nil, &partitions); err != nil {
		return false, err
	}
	return partitions > 1, nil
}

// parts is what partitions say of services, in the order in which they are read: by key, then
// partition.
type parts[K comparable, V any] struct{ list []told[K, V] }

// told is what one partition says of one service.
type told[K comparable, V any] struct {
	key       K
	partition uint32
	values    []V
}

// part returns where to add what a partition says.
func (p *parts[K, V]) part(key K, partition uint32) *[]V {
	if n := len(p.list); n == 0 || p.list[n-1].key != key || p.list[n-1].partition != partition {
		p.list = append(p.list, told[K, V]{key: key, partition: partition})
	}
	return &p.list[len(p.list)-1].values
}

// merge returns what is wanted of all, in order, merged where several partitions speak of one key.
func (p *parts[K, V]) merge(merge func(...[]V) []V, wanted func(V) bool) []V {
	var all []V
	for from := 0; from < len(p.list); {
		to := from + 1
		for to < len(p.list) && p.list[to].key == p.list[from].key {
			to++
		}
		values := p.list[from].values
		if to > from+1 {
			each := make([][]V, 0, to-from)
			for _, t := range p.list[from:to] {
				each = append(each, t.values)
			}
			values = merge(each...)
		}
		all = append(all, slices.DeleteFunc(values, func(v V) bool { return !wanted(v) })...)
		from = to
	}
	return all
}
