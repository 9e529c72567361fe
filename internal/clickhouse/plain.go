package clickhouse

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// plain returns a column's value as the driver takes it: a value of a named type as its
// underlying one, and a map with its keys in order, so that equal rows are equal bytes.
func plain(v any) any {
	switch v := v.(type) {
	case string, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float64, bool,
		time.Time, []string, []byte, nil:
		return v
	case Pairs:
		return orderedMap{v}
	case map[string]string:
		return orderedMap{sortedPairs(v)}
	}
	r := reflect.ValueOf(v)
	switch r.Kind() { // the most frequent, without a conversion
	case reflect.String:
		return r.String()
	case reflect.Int64:
		return r.Int()
	}
	if base, ok := basicTypes[r.Kind()]; ok {
		return r.Convert(base).Interface()
	}
	if r.Kind() == reflect.Slice && r.Type().Elem().PkgPath() != "" {
		if base, ok := basicTypes[r.Type().Elem().Kind()]; ok {
			return plainSlice(r, base)
		}
	}
	return v
}

// basicTypes are the types that named ones are reduced to.
var basicTypes = map[reflect.Kind]reflect.Type{
	reflect.String:  reflect.TypeFor[string](),
	reflect.Bool:    reflect.TypeFor[bool](),
	reflect.Int8:    reflect.TypeFor[int8](),
	reflect.Int16:   reflect.TypeFor[int16](),
	reflect.Int32:   reflect.TypeFor[int32](),
	reflect.Int64:   reflect.TypeFor[int64](),
	reflect.Uint8:   reflect.TypeFor[uint8](),
	reflect.Uint16:  reflect.TypeFor[uint16](),
	reflect.Uint32:  reflect.TypeFor[uint32](),
	reflect.Uint64:  reflect.TypeFor[uint64](),
	reflect.Float64: reflect.TypeFor[float64](),
}

func plainSlice(r reflect.Value, base reflect.Type) any {
	out := reflect.MakeSlice(reflect.SliceOf(base), r.Len(), r.Len())
	for i := range r.Len() {
		out.Index(i).Set(r.Index(i).Convert(base))
	}
	return out.Interface()
}

// Pairs are the names and values of a Map(String, String), in order. They are written as they
// stand: what is a list already need not become a map first.
type Pairs interface {
	Len() int
	At(i int) (name, value string)
}

// orderedMap is what the driver writes in the order of its pairs.
type orderedMap struct{ pairs Pairs }

// Put is for reading, which is done into plain maps.
func (orderedMap) Put(_, _ any) { panic("clickhouse: pairs are written only") }

// Iterator returns the pairs.
func (m orderedMap) Iterator() column.MapIterator {
	return &iterator{pairs: m.pairs, n: m.pairs.Len(), at: -1}
}

type iterator struct {
	pairs       Pairs
	n, at       int
	name, value string
}

func (i *iterator) Next() bool {
	if i.at++; i.at >= i.n {
		return false
	}
	i.name, i.value = i.pairs.At(i.at)
	return true
}
func (i *iterator) Key() any   { return i.name }
func (i *iterator) Value() any { return i.value }

// mapPairs are those of a map, by name.
type mapPairs struct {
	names []string
	m     map[string]string
}

func sortedPairs(m map[string]string) Pairs { return mapPairs{slices.Sorted(maps.Keys(m)), m} }

// Len implements [Pairs].
func (p mapPairs) Len() int { return len(p.names) }

// At implements [Pairs].
func (p mapPairs) At(i int) (name, value string) { return p.names[i], p.m[p.names[i]] }
